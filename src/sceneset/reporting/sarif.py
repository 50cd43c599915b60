"""Findings as a SARIF 2.1.0 log, which code hosts show at the lines of a pull request.

Format: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from sceneset.schemas.finding import Finding
from sceneset.schemas.rules import RULES


def sarif_log(findings: Sequence[Finding], version: str) -> dict[str, Any]:
    """Return findings and their rules as a SARIF log.

    Args:
        findings: The findings, in the order of the results.
        version: The version of sceneset, as a semantic version.
    """
    codes = sorted({finding.code for finding in findings})
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "sceneset",
                        "semanticVersion": version,
                        "rules": [_rule(code) for code in codes],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [_result(finding, codes.index(finding.code)) for finding in findings],
            }
        ],
    }


def _rule(code: str) -> dict[str, Any]:
    rule = RULES[code]
    return {
        "id": code,
        "shortDescription": {"text": f"{rule.meaning}."},
        "fullDescription": {"text": rule.help},
        "help": {"text": rule.help},
        "defaultConfiguration": {"level": rule.severity.value},
    }


def _result(finding: Finding, rule_index: int) -> dict[str, Any]:
    text = f"{finding.text}. {finding.hint}" if finding.hint else finding.text
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": rule_index,
        "level": finding.severity.value,
        "message": {"text": text},
        "partialFingerprints": {"finding/v1": _fingerprint(finding)},
    }
    if finding.file:
        location: dict[str, Any] = {"artifactLocation": {"uri": quote(finding.file)}}
        if finding.row:
            location["region"] = {"startLine": finding.row}
        result["locations"] = [{"physicalLocation": location}]
    if finding.waived:
        result["suppressions"] = [{"kind": "external", "justification": finding.waived}]
    return result


def _fingerprint(finding: Finding) -> str:
    """Return what identifies a finding when rows and messages change."""
    return "/".join((finding.code, finding.subset, finding.phase, finding.stem or finding.file))
