"""The samples that a plan counts, as columns, and the groups of scene, persons and phase."""

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sceneset.quality.sample_table import row_ids
from sceneset.schemas.provenance import Restriction
from sceneset.schemas.terms import Persons, Phase

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

    from sceneset.quality.hamming_search import Hashes
    from sceneset.quality.sample_table import Rows

    Codes = npt.NDArray[np.int32]

PHASES = tuple(Phase)
Cell = tuple[str, Persons | None]
"""A scene and a number of persons; None is an unknown number."""


class Part(NamedTuple):
    """The counted samples of one subset; arrays have one value for each."""

    subset: str
    phase: "pa.Array"
    stem: "pa.Array"
    number: "Codes"
    """Numbers of phases."""
    label: "Rows"
    """Numbers of labels."""
    source: "Rows"
    """Numbers of sources; -1 without one."""
    picture: "Hashes"
    """Samples x 3: the digest of the pixels, and 1 if the scan has none; then it is that of the
    file."""
    hashes: "Hashes"
    """Samples x 2: perceptual hashes of the image and of its mirror image."""
    ends: "npt.NDArray[np.int64]"
    """Days since 1970 on which consent ends; NO_END without an end."""


NO_END = np.iinfo(np.int64).max


class Members(NamedTuple):
    """One entry for each sample and cell that it is in, those with ending consent last."""

    sample: "Rows"
    """Places in the columns of ``PlanSamples``."""
    slot: "Rows"
    """The number of the cell times the number of phases, plus that of the phase."""


@dataclass
class PlanSamples:
    """What is counted, and what is not."""

    parts: list[Part] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)
    """All cells that a label of a subset has, also without a counted sample."""
    labels: list[list[int]] = field(default_factory=list)
    """The cells of each label."""
    withdrawn: int = 0
    restricted: Counter[Restriction] = field(default_factory=Counter)
    without_scene: int = 0
    several: int = 0
    """Number of samples in more than one cell."""

    def __len__(self) -> int:
        return sum(len(part.number) for part in self.parts)

    def column(self, name: str) -> "npt.NDArray[np.int64]":
        """Return a column of numbers of all samples."""
        columns = [getattr(part, name) for part in self.parts]
        return np.concatenate(columns) if columns else np.empty(0, np.int64)

    def rows(self, name: str, width: int) -> "Hashes":
        """Return a column of several numbers of all samples."""
        columns = [getattr(part, name) for part in self.parts]
        return np.concatenate(columns) if columns else np.empty((0, width), np.uint64)

    def keys(self) -> "pa.Array":
        """Return subset/phase/stem of all samples."""
        import pyarrow as pa
        import pyarrow.compute as pc

        found = [
            pc.binary_join_element_wise(pa.scalar(part.subset), part.phase, part.stem, "/")
            for part in self.parts
        ]
        return pa.concat_arrays(found) if found else pa.array([], pa.string())

    def members(self) -> Members:
        """Return the cells of all samples."""
        label = self.column("label")
        sizes = np.array([len(cells) for cells in self.labels] or [0], np.int64)
        flat = np.array([cell for cells in self.labels for cell in cells], np.int64)
        starts = np.cumsum(sizes) - sizes
        many = sizes[label] if len(label) else np.empty(0, np.int64)
        sample = np.repeat(np.arange(len(label)), many)
        within = np.arange(len(sample)) - np.repeat(np.cumsum(many) - many, many)
        cell = flat[starts[label[sample]] + within] if len(sample) else sample
        slot = cell * len(PHASES) + self.column("number")[sample]
        # Those with an end of consent last: if they go, the others remain different pictures.
        order = np.argsort(self.column("ends")[sample] != NO_END, kind="stable")
        return Members(sample[order], slot[order])


def picture_ids(samples: PlanSamples) -> "Rows":
    """Return a number for each different picture."""
    return row_ids(samples.rows("picture", 3))
