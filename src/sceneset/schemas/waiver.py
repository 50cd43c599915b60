"""Waivers: findings that people have reviewed and accepted."""

import datetime as dt
from typing import Annotated, Self

from pydantic import AfterValidator, model_validator

from sceneset.schemas.base import Line, Model, Word
from sceneset.schemas.rules import Freedom, find_rule


def _checked_code(code: str) -> str:
    if find_rule(code).freedom is Freedom.FIXED:
        raise ValueError(f"{code} can't be waived; `sceneset rules {code}` explains why")
    return code


class Waiver(Model):
    """One accepted finding: a rule and the sample or file that breaks it."""

    code: Annotated[str, AfterValidator(_checked_code)]
    """Code of the rule, for example mask-empty."""
    subset: Word
    """Name of the subset, as the finding shows it."""
    sample: Line = ""
    """The sample as phase/stem, for example train/0001; leave it out if you give a file."""
    file: Line = ""
    """The file, as the finding shows it; for findings that are not about one sample."""
    reason: Word
    """Why the finding is acceptable. Name no person: git keeps this text forever."""
    date: dt.date
    """Date of the decision, YYYY-MM-DD."""

    @model_validator(mode="after")
    def _has_one_target(self) -> Self:
        if bool(self.sample) == bool(self.file):
            raise ValueError("give either the sample, as phase/stem, or the file")
        return self

    @property
    def key(self) -> tuple[str, str, str]:
        """The rule, the subset, and the sample or file."""
        return (self.code, self.subset, self.sample or self.file)


class Waivers(Model):
    """The file registry/waivers.yaml, which people edit."""

    waivers: tuple[Waiver, ...] = ()
    """All accepted findings, each listed once."""

    @model_validator(mode="after")
    def _waivers_are_unique(self) -> Self:
        seen: set[tuple[str, str, str]] = set()
        for waiver in self.waivers:
            if waiver.key in seen:
                raise ValueError(f"{' '.join(waiver.key)} is waived twice")
            seen.add(waiver.key)
        return self
