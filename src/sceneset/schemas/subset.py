"""A subset's entry: what it is, and its scene table."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from sceneset.schemas.base import Line, Localized, Model
from sceneset.schemas.names import SplitFile, SubsetNameText
from sceneset.schemas.scene import SceneKey
from sceneset.schemas.terms import TOTAL, Kind, Persons, Phase

ImageSuffix = Literal[".jpg", ".png"]


class SplitRow(Model):
    """One row of a scene table: which samples it selects, and the split file it is written to."""

    scene: SceneKey
    """A key of the vocabulary, or "total" for all samples of the phase."""
    persons: Persons | None = None
    """single or multi; left out: both."""
    phase: Phase = Phase.TRAIN
    """train, val or test. mmsegmentation reads one phase through one split file."""
    source: Line = ""
    """Only samples of this source; left out: all."""
    file: SplitFile
    """The split file's name in split_dir."""
    description: Localized = Localized()
    """What the table says of the row; left out: the vocabulary's words."""
    images: Annotated[int, Field(ge=0)] | None = None
    """The number of images people count on. It is checked, never shown instead of the real one."""

    @property
    def is_total(self) -> bool:
        """Whether the row stands for all samples of its phase."""
        return self.scene == TOTAL

    @property
    def selects(self) -> tuple[str, str, str, str]:
        """What makes two rows the same view."""
        return (self.scene, self.persons or "", self.phase, self.source)


class Subset(Model):
    """One subset as people describe it: registry/subsets/<name>.yaml."""

    name: SubsetNameText
    """CustomSeg_Person_<YYYYMMDD>_<note>; the file is called after it."""
    kind: Kind
    """full: annotated on the original image. crop: one person, cut out around a detector's box."""
    category: Line = "person"
    """The table's category."""
    description: Localized = Localized()
    """Where the images come from and what they are for."""
    img_suffix: ImageSuffix = ".jpg"
    """The suffix of every image: mmsegmentation takes one for a whole data set."""
    splits: Annotated[tuple[SplitRow, ...], Field(min_length=1)]
    """The scene table."""

    @model_validator(mode="after")
    def _rows_differ(self) -> Self:
        for what in ("file", "selects"):
            seen: dict[object, int] = {}
            for number, row in enumerate(self.splits, 1):
                value = getattr(row, what)
                value = value.casefold() if isinstance(value, str) else value
                if value in seen:
                    shown = row.file if what == "file" else " ".join(filter(None, row.selects))
                    raise ValueError(
                        f"rows {seen[value]} and {number} of splits are both {shown!r}"
                    )
                seen[value] = number
        return self


class SubsetDraft(Subset):
    """An entry as people bring it to an add: rows may be left to the split files."""

    splits: tuple[SplitRow, ...] = ()
    """Rows of the scene table: a list, each with scene and file at least."""
