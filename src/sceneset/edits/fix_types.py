"""Options and results of `sceneset fix`, for deliveries and for subsets."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

from sceneset.edits.fix_sample import FIXABLE_RULES, MaskFrame, Unfixed
from sceneset.schemas.finding import Finding
from sceneset.schemas.params import Limits
from sceneset.schemas.scene import Vocabulary


@dataclass(frozen=True)
class FixOptions:
    """The options of a fix; see ``fix_files``."""

    rules: Collection[str]
    mask_frame: MaskFrame | None
    limits: Limits
    map_255: bool = False
    """Whether 255 means person in masks of 0 and 255, even if other masks use 1."""
    vocabulary: Vocabulary | None = None
    """The scenes of the registry, if there is one: they tell the phase of some split files."""

    @property
    def has_all_rules(self) -> bool:
        """Whether no rule was named, so that everything that is left is reported."""
        return set(FIXABLE_RULES) <= set(self.rules)


@dataclass(frozen=True)
class FixedSample:
    """What a fix changes in one sample."""

    phase: str
    stem: str
    new_stem: str
    fixed: tuple[str, ...]
    """Rules whose findings are fixed."""
    unfixed: Unfixed
    subset: str = ""
    """The subset, or "" for a sample of a delivery."""
    notes: Unfixed = ()
    """Rules whose findings may be right as they are, each with the reason."""


class DeliveryFix(NamedTuple):
    """The result for a delivery."""

    samples: list[FixedSample]
    """The samples with something that is fixed, or that can't be fixed."""
    left: list[Finding]
    """Errors about files that belong to no sample."""
