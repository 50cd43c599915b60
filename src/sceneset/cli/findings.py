"""Print findings: grouped by rule, or with --all each on a line of its own."""

import argparse
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from sceneset.cli.language import in_brackets, is_chinese, translate, with_colon
from sceneset.cli.output import print_lines, say
from sceneset.cli.text_width import shorten, terminal_width, visible, width_of, wrap
from sceneset.counts import counted
from sceneset.schemas.finding import Finding, Severity, in_order
from sceneset.schemas.rules import RULES

DEFAULT_LIMIT = 5
"""Places that are shown of each rule."""

STAGE_LIMIT = 10
"""Places in the output of a stage, which has no option --all."""

_STYLES = {"error": "red", "warning": "yellow", "note": "dim"}
_SEVERITIES = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}
_HOW_TO_LIST = "--all lists every finding"
_HOW_TO_LIST_OR_SELECT = f"{_HOW_TO_LIST}; --rule CODE shows only the findings of one rule"
_HOW_TO_LIST_ELSEWHERE = "`sceneset check --all` lists every finding of the registry"

Line = tuple[str, str]
"""A line and its style."""


@dataclass(frozen=True, slots=True)
class View:
    """Which findings are shown, and how; see ``add_view`` in commands/sources.py."""

    rules: frozenset[str] = frozenset()
    """Codes of the rules to show; empty for all."""
    limit: int = DEFAULT_LIMIT
    """Places of each rule."""
    has_limit: bool = False
    """Whether the limit was given, and is no default."""
    everything: bool = False
    """Whether every finding has its own line."""
    has_options: bool = False
    """Whether the command has the options --all and --limit."""
    has_rule: bool = False
    """Whether the command has an option --rule that selects what is shown."""

    @classmethod
    def of(cls, args: argparse.Namespace | None) -> "View":
        """Return the view that the arguments of a command ask for."""
        if args is None or not hasattr(args, "shown_limit"):
            return cls()
        return cls(
            frozenset(args.shown_rule or ()),
            args.shown_limit or DEFAULT_LIMIT,
            has_limit=args.shown_limit is not None,
            everything=args.shown_all,
            has_options=True,
            has_rule=args.has_rule,
        )

    def selects(self, found: Finding) -> bool:
        """Return whether a finding is shown."""
        return not self.rules or found.code in self.rules


def print_findings(
    findings: Iterable[Finding], *, stderr: bool = True, view: View | None = None
) -> None:
    """Print findings grouped by rule, errors first, and a line that counts them.

    Args:
        findings: The findings; waived ones are counted only.
        stderr: Whether to print to stderr; the count always goes there.
        view: Which findings are shown, and how.
    """
    view = view or View()
    everything = in_order(findings)
    if not everything:
        return
    active = [p for p in everything if not p.waived]
    shown = [p for p in active if view.selects(p)]
    stream = sys.stderr if stderr else sys.stdout
    if view.everything:
        lines: Iterable[Line] = ((line_of(p), "") for p in shown)
    else:
        columns = terminal_width() if stream.isatty() else None
        lines = _grouped(shown, view.limit, columns)
    print_lines(lines, stderr=stderr)
    _print_counts(active, len(everything) - len(active), len(shown), view)


def print_refusal(findings: Iterable[Finding], view: View) -> None:
    """Print the findings of a FindingsError; --rule must not hide why a command stopped."""
    findings = list(findings)
    if not any(map(view.selects, findings)):
        view = replace(view, rules=frozenset())
    print_findings(findings, view=view)


def markdown(findings: Iterable[Finding], view: View) -> str:
    """Return findings as Markdown; the page is short unless --all or --limit say otherwise."""
    from sceneset.reporting.markdown import MAX_LISTED, findings_markdown

    findings = list(findings)
    if view.everything:
        return findings_markdown(findings, listed=len(findings))
    if view.has_limit:
        return findings_markdown(findings, listed=len(findings), of_each_rule=view.limit)
    return findings_markdown(findings, listed=MAX_LISTED)


def line_of(p: Finding) -> str:
    """Return a finding as one line, for logs and other programs; it is always in English."""
    text = f"{p.severity}: {_place(p)}: {p.text} [{p.code}]" + f" -> {p.hint}" * bool(p.hint)
    return visible(text.replace("\n", " "))


def _print_counts(active: Sequence[Finding], waived: int, shown: int, view: View) -> None:
    counts = [
        translate(counted(count, _SEVERITIES[severity]))
        for severity in Severity
        if (count := sum(p.severity is severity for p in active))
    ]
    if waived:
        counts.append(translate(f"{waived:,} waived"))
    say(("，" if is_chinese() else ", ").join(counts), style="bold")
    if shown < len(active):
        others = counted(
            len(active) - shown,
            "finding of another rule is not shown",
            "findings of other rules are not shown",
        )
        say(others)
    groups: dict[tuple[str, str], int] = {}
    for p in active:
        if view.selects(p):
            groups[p.severity, p.code] = groups.get((p.severity, p.code), 0) + 1
    if not view.everything and any(size > view.limit for size in groups.values()):
        say(
            _HOW_TO_LIST_OR_SELECT
            if view.has_rule
            else _HOW_TO_LIST
            if view.has_options
            else _HOW_TO_LIST_ELSEWHERE
        )


def _grouped(findings: Sequence[Finding], limit: int, columns: int | None) -> Iterator[Line]:
    """Yield the lines of findings; they are wrapped to ``columns`` if it is not None."""
    groups: dict[tuple[str, str], list[Finding]] = {}
    for p in findings:
        groups.setdefault((p.severity, p.code), []).append(p)
    for (severity, code), group in groups.items():
        count = translate(counted(len(group), "finding"))
        count = in_brackets(count) if len(group) > 1 else ""
        meaning = translate(RULES[code].meaning)
        headline = f"{with_colon(translate(severity))}{meaning}{count} [{code}]"
        for number, line in enumerate(hanging(headline, columns, "")):
            yield (line if not number else f"  {line}"), _STYLES[severity]
        yield from ((line, "") for line in _details(group, limit, columns))


def _details(group: Sequence[Finding], limit: int, columns: int | None) -> Iterator[str]:
    """Yield the first places of a group, and one hint if it is the same for all of them."""
    first = group[:limit]
    is_same_text = len(group) > 1 and len({p.text for p in group}) == 1
    is_same_hint = len({p.hint for p in group}) == 1
    if is_same_text:
        yield from hanging(_message(group[0]), columns, "  ")
    for p in first:
        yield from _place_lines(p, columns, with_text=not is_same_text)
        if not is_same_hint and p.hint:
            yield from hanging(f"-> {translate(p.hint)}", columns, "    ")
    if len(group) > limit:
        indent = "    " if is_same_text else "  "
        yield indent + translate(f"and {len(group) - limit:,} more")
    if is_same_hint and group[0].hint:
        yield from hanging(f"-> {translate(group[0].hint)}", columns, "  ")


def _place_lines(p: Finding, columns: int | None, *, with_text: bool) -> Iterator[str]:
    """Yield where a finding is and, unless the group shares it, what is wrong."""
    place = visible(_place(p)).replace("\n", " ")
    if not with_text:
        yield f"    {place if columns is None else shorten(place, columns - 4)}"
        return
    text = _message(p)
    line = f"{place}: {text}" if place else text
    if columns is None or width_of(line) <= columns - 2:
        yield f"  {line}"
        return
    if place:
        yield f"  {shorten(place, columns - 2)}"
    yield from hanging(text, columns, "    " if place else "  ")


def hanging(text: str, columns: int | None, indent: str) -> Iterator[str]:
    """Yield the lines of an indented text, wrapped to ``columns`` if it is not None.

    Control characters are escaped. The text after an arrow "-> " hangs behind it.
    """
    text = visible(text).replace("\n", " ")
    # Three columns are kept free for the indent of the second line.
    lines = [text] if columns is None else wrap(text, columns - len(indent) - 3)
    for number, line in enumerate(lines):
        hanging = "   " if text.startswith("-> ") and number else ""
        yield f"{indent}{hanging}{line}"


def _place(p: Finding) -> str:
    return f"{p.subset} {p.place}" if p.subset and p.subset not in p.file else p.place


def _message(p: Finding) -> str:
    message = translate(p.message)
    return f"{p.field}: {message}" if p.field else message
