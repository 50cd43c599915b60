"""Selections with a name: samples that params.yaml describes once, for pulls, exports, training."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from sceneset.schemas.base import Line, Model, Word
from sceneset.schemas.names import SubsetNameText, invalid_stem_reason
from sceneset.schemas.rules import find_rule
from sceneset.schemas.terms import Persons, Phase


def _checked_name(name: str) -> str:
    reason = invalid_stem_reason(name)
    if reason:
        raise ValueError(f"{name!r} {reason}")
    return name


SelectionName = Annotated[
    str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$"), AfterValidator(_checked_name)
]
"""The name of a selection: lower-case letters, digits, "_" and "-". It is part of file names."""


def _checked_sample(text: str) -> str:
    parts = text.split("/")
    if len(parts) not in {1, 3} or (len(parts) == 3 and parts[1] not in set(Phase)):
        raise ValueError(f"{text!r} is no sample; write a stem, or <subset>/<phase>/<stem>")
    reason = invalid_stem_reason(parts[-1])
    if reason:
        raise ValueError(f"{text!r} {reason}")
    return text


SampleText = Annotated[str, AfterValidator(_checked_sample)]


def _checked_rule(code: str) -> str:
    find_rule(code)
    return code


RuleCode = Annotated[str, AfterValidator(_checked_rule)]
"""The code of a rule, for example "mask-holes"."""

Phases = Annotated[
    tuple[Phase, ...],
    BeforeValidator(
        lambda value: (value,) if isinstance(value, str) else value,
        json_schema_input_type=Phase | tuple[Phase, ...],
    ),
]


class Exclusion(Model):
    """Samples that a selection leaves out: those with any of these properties."""

    scenes: tuple[Word, ...] = ()
    """Scenes, in any of their names."""
    subsets: tuple[SubsetNameText, ...] = ()
    """Full names of subsets."""
    stems: tuple[SampleText, ...] = ()
    """Stems, in all subsets and phases; or single samples as <subset>/<phase>/<stem>."""
    sources: tuple[Line, ...] = ()
    """Videos, sessions or original images, as the tags name them."""
    persons: Literal["single", "multi"] | None = None
    """Samples that are single or multi in one of their scenes."""
    rules: tuple[RuleCode, ...] = ()
    """Codes of rules on single samples: those with a finding of the rule that is not waived."""


class NamedSelection(Model):
    """A selection of params.yaml; a field that is left out selects everything."""

    description: Line = ""
    """What the selection is for."""
    scenes: tuple[Word, ...] = ()
    """Scenes, in any of their names; several scenes select the union."""
    persons: Literal["any", "single", "multi"] = "any"
    """Number of persons per image: any, single or multi."""
    phase: Phases = ()
    """train, val or test, or a list of them."""
    subsets: tuple[SubsetNameText, ...] = ()
    """Full names of subsets."""
    stems: tuple[SampleText, ...] = ()
    """Only these samples: stems, in all subsets and phases; or single samples as
    <subset>/<phase>/<stem>."""
    exclude: Exclusion = Exclusion()
    """Samples to leave out: scenes, subsets, stems, sources, persons, rules."""
    cap: Annotated[int, Field(ge=1, strict=True)] | None = None
    """Largest number of samples. The choice depends on the content of the images and on `seed`
    only, so a new sample replaces one other at most."""
    seed: Annotated[int, Field(ge=0, lt=1 << 63, strict=True)] = 0
    """Another number makes another choice of `cap` samples."""
    weight: Annotated[float, Field(gt=0, le=1000, strict=True, allow_inf_nan=False)] = 1.0
    """How often training draws each sample in an epoch; see docs/training.md."""

    @property
    def counted_persons(self) -> Persons | None:
        """The number of persons per image; None selects any."""
        return None if self.persons == "any" else Persons(self.persons)
