"""How fine the masks of samples are: the values of selected samples, read from the scans.

The fineness of a mask is how far its outline turns on a way as long as the person is large, in
radians, times the share of the outline that is no long straight edge, times the share of the
contrast near the outline that is on it. docs/fineness.md explains the three.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sceneset.catalog.matching import matches_sample
from sceneset.catalog.query import Query
from sceneset.catalog.reader import Catalog
from sceneset.catalog.selections import chosen_samples
from sceneset.catalog.tag_columns import TagColumns, tag_columns
from sceneset.reporting.sheet_samples import Choice, allowed
from sceneset.schemas.provenance import Restriction
from sceneset.schemas.terms import fold_name

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    Floats = npt.NDArray[np.float64]
    Ids = npt.NDArray[np.int64]

PARTS = ("turning", "straight", "edge")
_OUTLINES = ("outline", "outline_turning", "outline_straight", "outline_edge")
COLUMNS = ("phase", "stem", "person", *_OUTLINES)
"""The columns of a scan that fineness is computed from."""


@dataclass(frozen=True)
class Values:
    """The fineness of some samples: columns of equal length, one entry per measured sample."""

    subset: str
    names: "pa.Table"
    """Phase and stem."""
    fineness: "Floats"
    parts: "dict[str, Floats]"
    """By the names of PARTS: radians, and two shares from 0 to 1."""
    sizes: "Ids"
    """Classes of the number of person pixels: from a power of two up to the next one."""
    source: list[str]
    """The folded name of the source; "" for a sample that is a source of its own."""
    scenes: list[frozenset[str]]
    """Samples with the same tags share one set."""
    selected: int = 0
    """Number of selected samples, measured or not."""
    older: int = 0
    """Selected samples that a scan of an algorithm before 7 does not measure."""
    without: int = 0
    """Selected samples that have no outline, or no contrast near it."""

    def __len__(self) -> int:
        return len(self.fineness)

    def key(self, row: int) -> "tuple[str, str, str]":
        """Return subset, phase and stem of a sample."""
        return (self.subset, self.names["phase"][row].as_py(), self.names["stem"][row].as_py())

    def rows_by_scene(self) -> "dict[str, Ids]":
        """Return the places of the samples of each scene."""
        import numpy as np

        rows: dict[str, list[int]] = {}
        for row, scenes in enumerate(self.scenes):
            for scene in scenes:
                rows.setdefault(scene, []).append(row)
        return {scene: np.array(found, np.int64) for scene, found in rows.items()}


@dataclass
class Selected:
    """The samples of a selection, by subset."""

    subsets: list[Values] = field(default_factory=list)
    choice: Choice = field(default_factory=Choice)
    """Counts of the withdrawn and restricted samples, which are in no number."""


def fineness(turning: "Floats", straight: "Floats", edge: "Floats") -> "Floats":
    """Return the fineness of masks from its three parts; see PARTS for units."""
    return turning * (1 - straight) * edge


def select_values(
    catalog: Catalog, query: Query, left_out: Collection[Restriction] = ()
) -> Selected:
    """Return the fineness of the samples that a query selects.

    Args:
        catalog: The registry.
        query: Selects the samples.
        left_out: Samples with one of these restrictions are left out.

    Raises:
        FindingsError: A file of the registry can't be read.
    """
    found = Selected()
    named = chosen_samples(catalog, query) if query.selections else {}
    by_scene = bool(query.scenes) or not query.selections
    names = [name for name in catalog.names if not query.subsets or name in query.subsets]

    def read(name: str) -> Values:
        scan = catalog.scan(name, COLUMNS)
        tags = tag_columns(catalog, name, scan)
        chosen = named.get(name, set())
        unphased = Query(query.scenes, query.persons)
        is_matched = [by_scene and matches_sample(unphased, one.tag) for one in tags.labels]
        keys = zip(tags.phase.to_pylist(), tags.stem.to_pylist(), strict=True)
        places = {
            key: place
            for place, (key, label) in enumerate(zip(keys, tags.label.tolist(), strict=True))
            if key in chosen or (is_matched[label] and (not query.phases or key[0] in query.phases))
        }
        kept = {key: places[key] for key in allowed(catalog, name, places, left_out, found.choice)}
        return _values(name, scan, tags, kept)

    found.subsets = [values for values in catalog.each(read, names) if values.selected]
    found.choice.selected = sum(values.selected for values in found.subsets)
    return found


def _values(
    name: str, scan: "pa.Table", tags: TagColumns, places: "dict[tuple[str, str], int]"
) -> Values:
    """Return the values of samples of a scan; ``places`` are those of their tags."""
    import numpy as np

    keys = list(zip(scan["phase"].to_pylist(), scan["stem"].to_pylist(), strict=True))
    rows = [row for row, key in enumerate(keys) if key in places]
    own = np.array([places[keys[row]] for row in rows], np.int64)
    folded = [*map(fold_name, tags.sources), ""]
    scenes = [frozenset(scene for scene, _ in label.scenes) for label in tags.labels]
    return values_of_scan(
        name,
        scan.take(np.array(rows, np.int64)),
        [folded[number] for number in tags.source[own].tolist()],
        [scenes[number] for number in tags.label[own].tolist()],
    )


def values_of_scan(
    name: str,
    scan: "pa.Table",
    source: Sequence[str] = (),
    scenes: Sequence[frozenset[str]] = (),
) -> Values:
    """Return the values of all samples of a scan.

    Args:
        name: The subset, or what else the samples belong to.
        scan: The columns COLUMNS.
        source: The folded source of each row; by default none has one.
        scenes: The scenes of each row; by default none has one.
    """
    import numpy as np
    import pyarrow.compute as pc

    outline = scan["outline"]
    older = outline.null_count
    is_known = pc.and_(pc.is_valid(scan["outline_turning"]), pc.is_valid(scan["outline_edge"]))
    known = np.flatnonzero(is_known.to_numpy(zero_copy_only=False))
    table = scan.take(known)
    turning, straight, edge = (
        table[f"outline_{part}"].to_numpy().astype(np.float64) / 1000 for part in PARTS
    )
    rows = known.tolist()
    return Values(
        name,
        table.select(["phase", "stem"]),
        fineness(turning, straight, edge),
        {"turning": turning, "straight": straight, "edge": edge},
        np.frexp(table["person"].to_numpy().astype(np.float64))[1].astype(np.int64),
        [source[row] for row in rows] if source else [""] * len(rows),
        [scenes[row] for row in rows] if scenes else [frozenset()] * len(rows),
        len(scan),
        older,
        len(scan) - older - len(known),
    )
