"""Findings as Markdown, for the pages and comments of pull requests."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import lru_cache

from sceneset.schemas.finding import Finding
from sceneset.schemas.rules import RULES, Severity

_ICONS = {Severity.ERROR: "❌", Severity.WARNING: "⚠️", Severity.NOTE: "i"}
MAX_LISTED = 50  # code hosts limit the length of pages and comments


def findings_markdown(
    findings: Iterable[Finding], *, listed: int = MAX_LISTED, of_each_rule: int | None = None
) -> str:
    """Return a table with the number of findings of each rule, and a list of the first ones.

    Args:
        findings: The findings, in order.
        listed: The length of the list.
        of_each_rule: How many findings of each rule are listed at most; None for no limit.
    """
    findings = list(findings)
    active = [finding for finding in findings if not finding.waived]
    waived = len(findings) - len(active)
    if not active:
        return f"No findings ({waived} waived).\n" if waived else "No findings.\n"
    ranks = {severity: rank for rank, severity in enumerate(Severity)}
    counts = Counter((ranks[finding.severity], finding.code) for finding in active)
    lines = ["| | finding | count |", "| --- | --- | ---: |"]
    for (rank, code), count in sorted(counts.items()):
        icon = _ICONS[list(Severity)[rank]]
        lines.append(f"| {icon} | `{code}`: {RULES[code].meaning} | {count} |")
    if waived:
        lines.append(f"| | waived | {waived} |")
    lines += ["", "<details><summary>List of findings</summary>", ""]
    shown = list(_first_of_each_rule(active, of_each_rule))[:listed]
    lines += [f"- {_ICONS[finding.severity]} {_line(finding)}" for finding in shown]
    if len(active) > len(shown):
        lines.append(f"- and {len(active) - len(shown)} more: `sceneset check --all` lists all")
    return "\n".join([*lines, "", "</details>", ""])


def _first_of_each_rule(findings: Iterable[Finding], limit: int | None) -> Iterator[Finding]:
    counts: Counter[str] = Counter()
    for finding in findings:
        counts[finding.code] += 1
        if limit is None or counts[finding.code] <= limit:
            yield finding


def _line(finding: Finding) -> str:
    hint = f" → {escape_markdown(finding.hint)}" if finding.hint else ""
    return f"{_code(finding.place)}: {escape_markdown(finding.text)} (`{finding.code}`){hint}"


def _code(text: str) -> str:
    return f"`` {text.replace('`', chr(39))} ``" if text else "the registry"


def escape_markdown(text: str) -> str:
    """Escape characters that Markdown or HTML would interpret, for example in file names."""
    escaped = "".join(f"\\{char}" if char in "\\`*_[]<>|#" else char for char in text)
    return break_links(escaped)


def break_links(text: str) -> str:
    """Escape web and mail addresses, which code hosts turn into links without any markup."""
    return re.sub(
        r"(?<=[a-zA-Z]):(?=//)|(?<=(?i:www))\.|(?<=[\w.+-])@(?=[\w-]+\.\w)", _entity, text
    )


def escape_cell(value: object) -> str:
    """Escape text for a cell of a Markdown table: no HTML, image, link, code or bold text.

    Characters become entities, which Markdown never takes for markup.
    """
    return _escaped_cell(str(value))


@lru_cache(maxsize=4096)  # names of scenes and numbers of images repeat
def _escaped_cell(text: str) -> str:
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace("\\", "\\\\")
    text = re.sub(r"[\[\]`*~]", _entity, text.replace("\n", " "))
    return break_links(text.replace("|", "\\|"))


def _entity(found: re.Match[str]) -> str:
    return f"&#{ord(found[0])};"
