"""Findings for other programs and for pull requests: SARIF 2.1.0 and Markdown."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote

from sceneset.schemas.finding import Finding
from sceneset.schemas.rules import RULES, Severity

_MARKS = {Severity.ERROR: "❌", Severity.WARNING: "⚠️", Severity.NOTE: "i"}
_SHOWN = 50  # findings that are written out in Markdown: pages and comments are bounded


def sarif(findings: Sequence[Finding], version: str) -> dict[str, Any]:
    """Return findings as a SARIF 2.1.0 log, with the rules they are of.

    Source: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
    """
    codes = sorted({p.code for p in findings})
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
                "results": [_result(p, codes.index(p.code)) for p in findings],
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


def _result(p: Finding, rule: int) -> dict[str, Any]:
    said = f"{p.field}: {p.message}" if p.field else p.message
    result: dict[str, Any] = {
        "ruleId": p.code,
        "ruleIndex": rule,
        "level": p.severity.value,
        "message": {"text": f"{said}. {p.hint}" if p.hint else said},
        "partialFingerprints": {
            "finding/v1": "/".join((p.code, p.subset, p.phase, p.stem or p.file))
        },
    }
    if p.file:
        place: dict[str, Any] = {"artifactLocation": {"uri": quote(p.file)}}
        if p.row:
            place["region"] = {"startLine": p.row}
        result["locations"] = [{"physicalLocation": place}]
    if p.waived:
        result["suppressions"] = [{"kind": "external", "justification": p.waived}]
    return result


def markdown(findings: Iterable[Finding]) -> str:
    """Return findings as Markdown: how many of each rule, then the first of them one by one."""
    open_, waived = [], 0
    for p in findings:
        if p.waived:
            waived += 1
        else:
            open_.append(p)
    if not open_:
        return "Nothing is wrong." + (f" {waived} findings are waived." if waived else "") + "\n"
    counts = Counter((list(Severity).index(p.severity), p.code) for p in open_)
    lines = ["| | finding | how many |", "| --- | --- | ---: |"]
    for (weight, code), count in sorted(counts.items()):
        mark = _MARKS[list(Severity)[weight]]
        lines.append(f"| {mark} | `{code}`: {RULES[code].meaning} | {count} |")
    if waived:
        lines.append(f"| | waived | {waived} |")
    lines += ["", "<details><summary>One by one</summary>", ""]
    lines += [f"- {_MARKS[p.severity]} {_line(p)}" for p in open_[:_SHOWN]]
    if len(open_) > _SHOWN:
        lines.append(f"- and {len(open_) - _SHOWN} more: `sceneset check` shows all")
    return "\n".join([*lines, "", "</details>", ""])


def _line(p: Finding) -> str:
    place = f"{p.file}:{p.row}" if p.row else p.file
    said = f"{p.field}: {p.message}" if p.field else p.message
    return f"{_code(place)}: {plain(said)} (`{p.code}`)" + (f" → {plain(p.hint)}" if p.hint else "")


def _code(text: str) -> str:
    return f"`` {text.replace('`', chr(39))} ``" if text else "the registry"


def plain(text: str) -> str:
    """Keep what strangers call their files from being read as Markdown or HTML."""
    return "".join(f"\\{char}" if char in "\\`*_[]<>|#" else char for char in text)
