"""Findings as JSON files with one finding per line, so that their diffs are small."""

import json
from collections.abc import Iterable
from pathlib import Path

from sceneset.schemas.finding import Finding, errors_of
from sceneset.storage.files import write_text


def write_reports(
    folder: Path, all_name: str, errors_name: str, findings: Iterable[Finding]
) -> None:
    """Write all findings to one file and only the errors to another.

    Args:
        folder: The folder for both files.
        all_name: The name of the file for all findings.
        errors_name: The name of the file for errors.
        findings: The findings, in order.
    """
    findings = list(findings)
    write_text(folder / all_name, findings_json(findings))
    write_text(folder / errors_name, findings_json(errors_of(findings)))


def findings_json(findings: Iterable[Finding]) -> str:
    """Return findings as a JSON array, one per line, without fields that are empty."""
    lines = [
        json.dumps(finding.model_dump(mode="json", exclude_defaults=True), ensure_ascii=False)
        for finding in findings
    ]
    return "[\n" + ",\n".join(lines) + "\n]\n" if lines else "[]\n"
