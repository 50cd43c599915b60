"""Findings as values: what is wrong, where, and what to do about it."""

from collections import Counter
from collections.abc import Iterable

from sceneset.schemas.base import Model
from sceneset.schemas.rules import RULES, Severity

__all__ = ["Problem", "ProblemsFoundError", "Severity", "errors", "in_order", "problem"]


class Problem(Model):
    """One finding. ``file`` is relative to the registry or the delivery; ``row`` counts from 1."""

    code: str
    severity: Severity
    message: str
    subset: str = ""
    file: str = ""
    row: int | None = None
    field: str = ""
    hint: str = ""
    phase: str = ""
    stem: str = ""
    """The sample the finding takes with it, where it is about one sample alone."""
    waived: str = ""
    """Why it was accepted; a finding that was does not stop anything."""

    def __str__(self) -> str:
        where = self.file + (f":{self.row}" if self.row else "")
        what = f"{self.field}: {self.message}" if self.field else self.message
        return ": ".join(part for part in (where, what) if part)

    @property
    def sort_key(self) -> tuple[int, str, str, int, str, str]:
        """Errors first, then by place."""
        weight = list(Severity).index(self.severity)
        return (weight, self.subset, self.file, self.row or 0, self.code, self.message)


def problem(
    code: str,
    message: str,
    *,
    subset: str = "",
    file: str = "",
    row: int | None = None,
    field: str = "",
    hint: str = "",
    phase: str = "",
    stem: str = "",
) -> Problem:
    """Make a finding with the severity that its rule has."""
    return Problem(
        code=code,
        severity=RULES[code].severity,
        message=message,
        subset=subset,
        file=file,
        row=row,
        field=field,
        hint=hint,
        phase=phase,
        stem=stem,
    )


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Sort findings, errors first, each one once."""
    return sorted(set(problems), key=lambda p: p.sort_key)


def errors(problems: Iterable[Problem]) -> list[Problem]:
    """Keep the findings that stop a command."""
    return [p for p in problems if p.severity is Severity.ERROR and not p.waived]


class ProblemsFoundError(Exception):
    """Carries all findings of a run to the edge, where they are shown once."""

    def __init__(self, problems: Iterable[Problem], summary: str = "") -> None:
        self.problems = in_order(problems)
        counts = Counter(p.severity.value for p in self.problems)
        self.summary = summary or ", ".join(
            f"{n} {word}{'s' if n > 1 else ''}" for word, n in sorted(counts.items())
        )
        super().__init__("\n".join([self.summary, *map(str, self.problems)]))
