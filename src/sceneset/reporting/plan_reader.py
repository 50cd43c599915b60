"""Read the samples that a plan counts, subset by subset, from tags, scans and entries."""

import datetime as dt
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

import numpy as np

from sceneset.catalog.matching import matches_sample
from sceneset.catalog.provenance import restricted
from sceneset.catalog.query import Query
from sceneset.catalog.reader import Catalog
from sceneset.catalog.scanned_files import refuse_unscanned
from sceneset.catalog.selections import chosen_samples
from sceneset.catalog.tag_columns import Label, TagColumns, tag_columns
from sceneset.quality.provenance_rules import NOTICE, consent_ends
from sceneset.reporting.plan_samples import NO_END, PHASES, Cell, Part, PlanSamples
from sceneset.schemas.provenance import Restriction
from sceneset.schemas.terms import TOTAL, Phase, fold_name

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

    from sceneset.quality.hamming_search import Hashes
    from sceneset.quality.sample_table import Rows
    from sceneset.reporting.plan_samples import Codes

    Mask = npt.NDArray[np.bool_]

_SCAN = ("phase", "stem", "image_md5", "picture", "phash", "phash_mirror")


def read_plan_samples(
    catalog: Catalog, query: Query, *, left_out: Collection[Restriction], day: dt.date
) -> PlanSamples:
    """Return the samples that a query selects, without withdrawn and restricted ones.

    Args:
        catalog: The registry.
        query: Selects the samples, and with scenes the cells that are counted.
        left_out: Samples with one of these restrictions are not counted.
        day: Consent that ended before, or ends soon after this day, is noted.

    Raises:
        FindingsError: Scans or tags can't be read, or disagree.
    """
    found = PlanSamples()
    reader = _Reader(catalog, query, left_out, day, found)
    names = [name for name in catalog.names if not query.subsets or name in query.subsets]
    for part in catalog.each(reader.read, names, what="read samples"):
        found.parts.append(part)
    return found


class _Reader:
    """Reads subset after subset; numbers of labels, cells and sources are common to all."""

    def __init__(
        self,
        catalog: Catalog,
        query: Query,
        left_out: Collection[Restriction],
        day: dt.date,
        found: PlanSamples,
    ) -> None:
        self._catalog, self._query, self._left_out = catalog, query, left_out
        self._last = day + NOTICE
        self._found = found
        self._chosen = chosen_samples(catalog, query) if query.selections else {}
        self._cells: dict[Cell, int] = {}
        self._labels: dict[tuple[Label, bool], int] = {}
        self._sources: dict[str, int] = {}

    def read(self, name: str) -> Part:
        """Return the counted samples of a subset."""
        catalog, found = self._catalog, self._found
        scan = catalog.scan(name, _SCAN)
        tags = tag_columns(catalog, name, scan)
        scan = _rows_of(catalog, name, tags, scan)
        phase = tags.phase.dictionary_encode()
        phases = [PHASES.index(Phase(text)) for text in phase.dictionary.to_pylist()]
        number = np.array(phases or [0], np.int32)[phase.indices.to_numpy()]
        label, is_kept = self._numbered(name, tags, number)
        gone = catalog.withdrawn.mask_of(scan).to_numpy() if catalog.withdrawn.files else None
        if gone is not None:
            found.withdrawn += int((is_kept & gone).sum())
            is_kept &= ~gone
        for restriction, mask in self._restrictions(name, tags):
            found.restricted[restriction] += int((is_kept & mask).sum())
            is_kept &= ~mask
        rows = np.flatnonzero(is_kept)
        sizes = np.array([len(cells) for cells in found.labels] or [0])[label[rows]]
        found.without_scene += int((sizes == 0).sum())
        found.several += int((sizes > 1).sum())
        return Part(
            name,
            tags.phase.take(rows),
            tags.stem.take(rows),
            number[rows],
            label[rows],
            self._numbered_sources(tags)[rows],
            _pictures(scan)[rows],
            np.stack([scan[c].to_numpy() for c in ("phash", "phash_mirror")], axis=1)[rows],
            self._ends(name, tags)[rows],
        )

    def _numbered(self, name: str, tags: TagColumns, number: "Codes") -> "tuple[Rows, Mask]":
        """Return the number of each sample's label, and whether it is selected."""
        query = self._query
        is_named = np.zeros(len(tags), np.bool_)
        if chosen := self._chosen.get(name):
            keys = zip(tags.phase.to_pylist(), tags.stem.to_pylist(), strict=True)
            is_named[:] = [key in chosen for key in keys]
        allows_all = not (query.scenes or query.selections)
        by_scene = np.array([self._number(one, all_scenes=False) for one in tags.labels] or [0])
        whole = np.array([self._number(one, all_scenes=True) for one in tags.labels] or [0])
        is_matched = np.array(
            [(bool(query.scenes) or allows_all) and self._matches(one) for one in tags.labels]
            or [False]
        )
        label = np.where(is_named, whole[tags.label], by_scene[tags.label])
        is_kept = is_named | is_matched[tags.label]
        if query.phases:
            is_kept &= np.isin(number, [PHASES.index(phase) for phase in query.phases])
        return label, is_kept

    def _number(self, label: Label, *, all_scenes: bool) -> int:
        """Return the number of a label, and note its cells."""
        key = label, all_scenes
        if key not in self._labels:
            self._labels[key] = len(self._labels)
            cells = dict.fromkeys(self._cells_of(label, all_scenes=all_scenes))
            self._found.labels.append([self._cell(cell) for cell in cells])
        return self._labels[key]

    def _cells_of(self, label: Label, *, all_scenes: bool) -> Iterator[Cell]:
        query = self._query
        is_any = all_scenes or not query.scenes or TOTAL in query.scenes
        for scene, persons in label.tag.memberships:
            if (is_any or scene in query.scenes) and query.persons in {None, persons}:
                yield scene, persons

    def _matches(self, label: Label) -> bool:
        query = self._query
        return matches_sample(Query(query.scenes, query.persons), label.tag)

    def _cell(self, cell: Cell) -> int:
        if cell not in self._cells:
            self._cells[cell] = len(self._cells)
            self._found.cells.append(cell)
        return self._cells[cell]

    def _numbered_sources(self, tags: TagColumns) -> "Rows":
        """Return the number of each sample's source; names are compared as rules do."""
        numbers = [
            self._sources.setdefault(fold_name(source), len(self._sources))
            for source in tags.sources
        ]
        return np.array([*numbers, -1], np.int64)[tags.source]

    def _restrictions(self, name: str, tags: TagColumns) -> "Iterator[tuple[Restriction, Mask]]":
        """Yield each restriction with the samples that it is the first one of."""
        covered = restricted(self._catalog, name, self._left_out)
        if not covered:
            return
        if not covered.others:
            if covered.whole:
                yield covered.whole, np.ones(len(tags), np.bool_)
            return
        keys = zip(tags.phase.to_pylist(), tags.stem.to_pylist(), strict=True)
        values = [covered.of(key) for key in keys]
        for restriction in Restriction:
            yield restriction, np.array([value is restriction for value in values], np.bool_)

    def _ends(self, name: str, tags: TagColumns) -> "npt.NDArray[np.int64]":
        """Return on which day consent of each sample ends, if that is soon."""
        provenance = self._catalog.entry(name).provenance
        has_exceptions = provenance is not None and any(
            exception.consent for exception in provenance.exceptions
        )
        ends = consent_ends(provenance, self._catalog.tags(name) if has_exceptions else ())
        if not has_exceptions:
            return np.full(len(tags), self._day_number(ends.whole))
        keys = zip(tags.phase.to_pylist(), tags.stem.to_pylist(), strict=True)
        days = [self._day_number(ends.others.get(key, ends.whole)) for key in keys]
        return np.array(days, np.int64)

    def _day_number(self, end: dt.date | None) -> int:
        return end.toordinal() if end and end <= self._last else int(NO_END)


def _rows_of(catalog: Catalog, name: str, tags: TagColumns, scan: "pa.Table") -> "pa.Table":
    """Return the rows of a scan in the order of the tags."""
    import pyarrow as pa

    if scan["phase"].cast(pa.string()).combine_chunks().equals(tags.phase) and scan[
        "stem"
    ].combine_chunks().equals(tags.stem):
        return scan
    keys = zip(scan["phase"].to_pylist(), scan["stem"].to_pylist(), strict=True)
    row_of = {key: row for row, key in enumerate(keys)}
    wanted = list(zip(tags.phase.to_pylist(), tags.stem.to_pylist(), strict=True))
    refuse_unscanned(catalog, name, [key for key in wanted if key not in row_of])
    return scan.take([row_of[key] for key in wanted])


def _pictures(scan: "pa.Table") -> "Hashes":
    """Return what tells pictures apart: the digest of the pixels, or else that of the file."""
    import pyarrow.compute as pc

    is_file = scan["picture"].is_null()
    digest = pc.coalesce(scan["picture"], scan["image_md5"]).combine_chunks()
    if not len(digest):
        return np.empty((0, 3), np.uint64)
    words = np.frombuffer(digest.buffers()[1], ">u8", 2 * len(digest), 16 * digest.offset)
    flags = is_file.to_numpy().astype(np.uint64)
    return np.column_stack([words.reshape(-1, 2).astype(np.uint64), flags])
