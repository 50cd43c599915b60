"""Findings as values: what is wrong, where, and what to do about it."""

from collections import Counter
from collections.abc import Iterable

from sceneset.schemas.base import Model
from sceneset.schemas.rules import RULES, Severity

__all__ = ["Finding", "Severity", "count_by_severity", "errors_of", "finding", "in_order"]


class Finding(Model):
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


def finding(
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
) -> Finding:
    """Make a finding with the severity that its rule has."""
    return Finding(
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


def in_order(findings: Iterable[Finding]) -> list[Finding]:
    """Sort findings, errors first, each one once."""
    return sorted(set(findings), key=lambda p: p.sort_key)


def errors_of(findings: Iterable[Finding]) -> list[Finding]:
    """Keep the findings that stop a command."""
    return [p for p in findings if p.severity is Severity.ERROR and not p.waived]


def count_by_severity(findings: Iterable[Finding]) -> str:
    """Return the number of findings of each severity, for example "2 errors, 1 warning"."""
    counts = Counter(p.severity for p in findings)
    return ", ".join(
        f"{counts[severity]} {severity}{'s' if counts[severity] > 1 else ''}"
        for severity in Severity
        if counts[severity]
    )
