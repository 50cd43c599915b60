"""Findings: what a check found, where it is, and how to fix it.

Checks return findings as values, so that one run can report all of them, sorted. The function
``sceneset.errors.fail`` raises one where a command can't go on.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from itertools import islice
from typing import TypedDict, TypeVar, Unpack

from sceneset.counts import counted
from sceneset.schemas.base import Model
from sceneset.schemas.rules import RULES, Severity

__all__ = [
    "MAX_ALIKE",
    "Details",
    "Finding",
    "Severity",
    "capped",
    "count_by_severity",
    "errors_of",
    "finding",
    "in_order",
]

MAX_ALIKE = 100
"""Most findings of one rule on one text file; one more finding counts the others."""

_COUNTS_OTHERS = "of this kind in this file"

T = TypeVar("T")


class Finding(Model):
    """One finding of a check. Text fields are empty where they do not apply."""

    code: str
    """Code of the rule, for example "mask-values"; `sceneset rules CODE` explains it."""
    severity: Severity
    """error, warning or note."""
    message: str
    """What is wrong."""
    subset: str = ""
    """Name of the subset."""
    file: str = ""
    """Path of the file, relative to the registry or the delivery."""
    row: int | None = None
    """Line of the file, or row of the table, counted from 1."""
    field: str = ""
    """Name of the field that has an invalid value."""
    hint: str = ""
    """How to fix it."""
    phase: str = ""
    """Phase of the sample, if the finding is about a single sample."""
    stem: str = ""
    """Stem of the sample, if the finding is about a single sample: --quarantine skips it."""
    waived: str = ""
    """Reason of the waiver that accepts the finding; a waived finding does not stop a command."""

    def __str__(self) -> str:
        return ": ".join(part for part in (self.place, self.text) if part)

    @property
    def place(self) -> str:
        """The file and row, for example "registry/scenes.yaml:12"; "" without a file."""
        return f"{self.file}:{self.row}" if self.row else self.file

    @property
    def text(self) -> str:
        """The message, preceded by the name of the field it is about."""
        return f"{self.field}: {self.message}" if self.field else self.message

    @property
    def identity(self) -> tuple[str, ...]:
        """The parts that stay the same when rows of a file move."""
        return (self.code, self.subset, self.phase, self.stem or self.file, self.message)

    @property
    def sort_key(self) -> tuple[int, str, str, int, str, bool, str]:
        """Sort key: errors first, then by subset, file and row."""
        rank = list(Severity).index(self.severity)
        counts_others = self.message.endswith(_COUNTS_OTHERS)
        row = self.row or 0
        return (rank, self.subset, self.file, row, self.code, counts_others, self.message)


class Details(TypedDict, total=False):
    """The optional fields of a finding: its place and its hint."""

    subset: str
    file: str
    row: int | None
    field: str
    hint: str
    phase: str
    stem: str


def finding(code: str, message: str, **details: Unpack[Details]) -> Finding:
    """Create a finding with the default severity of its rule.

    What can't be encoded, as lone surrogates in names of JSON files can't, is escaped.

    Raises:
        KeyError: there is no rule ``code``.
    """
    texts = {"message": message} | details
    for name, text in texts.items():
        if isinstance(text, str) and not text.isascii():
            texts[name] = text.encode("utf-8", "backslashreplace").decode()
    return Finding.model_validate({"code": code, "severity": RULES[code].severity} | texts)


def capped(
    items: Iterable[T],
    report: Callable[[T], Finding],
    *,
    limit: int = MAX_ALIKE,
    total: int | None = None,
    is_complete: bool = True,
) -> list[Finding]:
    """Return the findings on the first items, and one finding that counts the other items.

    A file with a million errors then costs as little as one with a hundred.

    Args:
        items: What is wrong in one file, by one rule.
        report: Returns the finding on an item; it is not called for the items that are counted.
        limit: Most items that get a finding of their own.
        total: The number of items; without it, they are counted.
        is_complete: Whether ``total`` is exact; otherwise there are at least as many.
    """
    iterator = iter(items)
    found = [report(item) for item in islice(iterator, limit)]
    rest = sum(1 for _ in iterator) if total is None else total - len(found)
    if found and rest > 0:
        more = f"and {'' if is_complete else 'at least '}{counted(rest, 'more finding')}"
        last = found[-1]
        found.append(
            last.model_copy(
                update={
                    "message": f"{more} {_COUNTS_OTHERS}",
                    "hint": "correct those that are listed, then check again",
                    "field": "",
                    "phase": "",
                    "stem": "",
                }
            )
        )
    return found


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Return the distinct findings, sorted by severity (errors first), subset, file and row."""
    return sorted(set(findings), key=lambda found: found.sort_key)


def errors_of(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings that stop a command: errors that are not waived."""
    return [found for found in findings if found.severity is Severity.ERROR and not found.waived]


def count_by_severity(findings: Iterable[Finding]) -> str:
    """Return the number of findings of each severity, for example "2 errors, 1 warning"."""
    counts = Counter(found.severity for found in findings)
    return ", ".join(
        counted(counts[severity], severity) for severity in Severity if counts[severity]
    )
