"""The entry of a subset: its description and its scene table."""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from sceneset.schemas.base import Line, Localized, Model
from sceneset.schemas.names import SplitFile, SubsetNameText
from sceneset.schemas.provenance import Provenance
from sceneset.schemas.scene import SceneKey
from sceneset.schemas.terms import TOTAL, Kind, Persons, Phase

ImageSuffix = Literal[".jpg", ".png"]


class SplitRow(Model):
    """One row of a scene table: the samples that it selects, and the split file that lists them."""

    scene: SceneKey
    """A scene key of registry/scenes.yaml, or "total" for all samples of the phase."""
    persons: Persons | None = None
    """single or multi. Default: both."""
    phase: Phase = Phase.TRAIN
    """train, val or test; mmsegmentation needs one split file per phase."""
    source: Line = ""
    """Select only samples with this source. Default: all samples."""
    file: SplitFile
    """Name of the split file in split_dir, for example ski.txt."""
    description: Localized = Localized()
    """Description of the row in the document's table. Default: built from the scene's name."""
    images: Annotated[int, Field(ge=0)] | None = None
    """The expected number of images; a different count is an error (count-differs)."""

    @property
    def is_total(self) -> bool:
        """Return whether the row selects all samples of its phase."""
        return self.scene == TOTAL

    @property
    def selection(self) -> tuple[str, str, str, str]:
        """Scene, persons, phase and source: rows that agree in these select the same samples."""
        return (self.scene, self.persons or "", self.phase, self.source)


class Subset(Model):
    """The file registry/subsets/<name>.yaml: the description of one subset, edited by people."""

    name: SubsetNameText
    """CustomSeg_Person_<YYYYMMDD>_<note>; also the name of this file."""
    kind: Kind
    """full: annotated on the original image. crop: cut out around the box of one person."""
    category: Line = "person"
    """Category in the document's table."""
    description: Localized = Localized()
    """Where the images come from and what they are used for."""
    img_suffix: ImageSuffix = ".jpg"
    """File suffix of all images; mmsegmentation supports only one per dataset."""
    provenance: Provenance | None = None
    """Licence, origin, consent, contact and restrictions; required by the rule entry-provenance."""
    splits: Annotated[tuple[SplitRow, ...], Field(min_length=1)]
    """The scene table: one row per split file."""

    @model_validator(mode="after")
    def _rows_are_unique(self) -> Self:
        files: dict[str, int] = {}
        selections: dict[tuple[str, ...], int] = {}
        for number, row in enumerate(self.splits, 1):
            first = files.setdefault(row.file.casefold(), number)
            if first != number:
                raise ValueError(f"rows {first} and {number} of splits are both {row.file!r}")
            first = selections.setdefault(row.selection, number)
            if first != number:
                shown = " ".join(filter(None, row.selection))
                raise ValueError(f"rows {first} and {number} of splits are both {shown!r}")
        return self


class SubsetDraft(Subset):
    """An entry given to `sceneset add --entry`: missing rows are created from the split files."""

    splits: tuple[SplitRow, ...] = ()
    """Rows of the scene table; each needs at least scene and file."""
