"""Waivers: findings that people have looked at and accept."""

import datetime as dt
import difflib
from typing import Annotated, Self

from pydantic import AfterValidator, model_validator

from sceneset.schemas.base import Line, Model, Word
from sceneset.schemas.rules import RULES, Freedom


def _checked_code(code: str) -> str:
    rule = RULES.get(code)
    if rule is None:
        near = difflib.get_close_matches(code, RULES, n=1)
        raise ValueError(
            f"there is no rule {code!r}" + (f"; did you mean {near[0]}?" if near else "")
        )
    if rule.freedom is Freedom.FIXED:
        raise ValueError(f"{code} can't be waived: `sceneset rules {code}` says why")
    return code


class Waiver(Model):
    """One finding that is accepted: that of a rule on a sample, or on a file."""

    code: Annotated[str, AfterValidator(_checked_code)]
    """The rule."""
    subset: Word
    """The subset the finding names."""
    sample: Line = ""
    """phase/stem of the sample the finding names."""
    file: Line = ""
    """The file the finding names, where it is not about one sample."""
    reason: Word
    """Why it is right as it is. Name no person here: git keeps it."""
    date: dt.date
    """When that was decided."""

    @model_validator(mode="after")
    def _names_one_thing(self) -> Self:
        if bool(self.sample) == bool(self.file):
            raise ValueError("name either the sample, as phase/stem, or the file")
        return self

    @property
    def key(self) -> tuple[str, str, str]:
        """What it is about: rule, subset, and sample or file."""
        return (self.code, self.subset, self.sample or self.file)


class Waivers(Model):
    """registry/waivers.yaml; people write it."""

    waivers: tuple[Waiver, ...] = ()
    """Each finding that is accepted, once."""

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        seen: set[tuple[str, str, str]] = set()
        for waiver in self.waivers:
            if waiver.key in seen:
                raise ValueError(f"{' '.join(waiver.key)} is waived twice")
            seen.add(waiver.key)
        return self
