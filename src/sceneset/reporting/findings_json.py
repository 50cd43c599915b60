"""Reports: findings as files, one a line, so that their diffs are small."""

import json
from pathlib import Path

from sceneset.schemas.finding import Finding, errors_of
from sceneset.storage.files import write_text


def write_report(folder: Path, everything: str, wrong: str, findings: list[Finding]) -> None:
    """Write all findings into one file, and the errors alone into another."""
    write_text(folder / everything, report_text(findings))
    write_text(folder / wrong, report_text(errors_of(findings)))


def report_text(findings: list[Finding]) -> str:
    """Return findings as JSON, one a line."""
    lines = [
        json.dumps(p.model_dump(mode="json", exclude_defaults=True), ensure_ascii=False)
        for p in findings
    ]
    return "[\n" + ",\n".join(lines) + "\n]\n" if lines else "[]\n"
