"""Group samples that must stay in one phase, by all relations that the rules on leakage know.

Samples are related if they have the same bytes, pixels or source, or if the rules would report
that one looks like the other, whichever of the two is held out. Numbered frames of one session, and
crops with their original image, are related too.
"""

from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sceneset.catalog.reader import Catalog
from sceneset.quality.clips import numbered_runs, sessions
from sceneset.quality.components import Components
from sceneset.quality.hamming_search import Pairs, search
from sceneset.quality.originals import joint_sources, originals_of_crops
from sceneset.quality.sample_table import row_ids
from sceneset.quality.similarity import Thresholds
from sceneset.schemas.terms import Phase

if TYPE_CHECKING:
    from sceneset.quality.components import Bits
    from sceneset.quality.hamming_search import Hashes
    from sceneset.quality.sample_table import Rows, SampleTable

PHASE_BITS = {phase.value: 1 << number for number, phase in enumerate(Phase)}
"""One bit for each phase."""


class Groups(NamedTuple):
    """The groups of some samples; arrays have one value for each of ``rows``."""

    rows: "Rows"
    """Rows of the sample table, in ascending order."""
    number: "Rows"
    """The group of each sample, counted from 0."""
    pins: "Bits"
    """The phases (PHASE_BITS) of samples outside of ``rows`` that the group is related to."""


def group_samples(
    catalog: Catalog, table: "SampleTable", rows: "Rows", *, by_stem: bool = False
) -> Groups:
    """Group samples that must stay together.

    Args:
        catalog: The registry.
        table: All samples of the registry; ``rows`` may be turned, see ``read_sample_table``.
        rows: The rows of the samples to group, at least one, in ascending order. Others have a
            fixed phase: they do not connect samples, and leave their phase as a mark.
        by_stem: Whether numbered images without a source are one session if the rest of their
            stems is equal, even if they are not similar.
    """
    bits = catalog.params.leakage
    grouping = _Grouping(table, rows)
    grouping.relate_equal(table.image_id)
    grouping.relate_equal(table.pixels_id)
    grouping.relate_equal(_source_ids(table))
    grouping.relate_equal(_session_ids(table, rows, by_stem=by_stem))
    grouping.relate_look_alikes(Thresholds(bits.near, bits.review, bits.second))
    roots = grouping.components.roots()
    number = np.unique(roots, return_inverse=True)[1]
    return Groups(rows, number, grouping.components.marks())


class _Side(NamedTuple):
    """Hashes to be compared, without repetitions."""

    hashes: "Hashes"
    rows: "Rows"
    """For each hash, a row of the table that has it."""


class _Grouping:
    """The groups of the samples in some rows, and how more relations are added."""

    def __init__(self, table: "SampleTable", rows: "Rows") -> None:
        self.components = Components(len(rows))
        self._table, self._rows = table, rows
        self._item = np.full(len(table.stem), -1)
        self._item[rows] = np.arange(len(rows))
        self._fixed = np.flatnonzero(self._item < 0)
        self._bits = np.array([PHASE_BITS[phase] for phase in table.phase], np.uint8)

    def relate_equal(self, ids: "Rows") -> None:
        """Relate samples with equal numbers; a negative number is related to none.

        Args:
            ids: One number for each row of the table.
        """
        own, fixed = ids[self._rows], ids[self._fixed]
        self.components.join_equal(own)
        values, first = np.unique(own, return_index=True)
        place = np.minimum(np.searchsorted(values, fixed), len(values) - 1)
        [met] = np.nonzero((values[place] == fixed) & (fixed >= 0))
        self.components.mark(first[place[met]], self._bits[self._fixed[met]])

    def relate_look_alikes(self, thresholds: Thresholds) -> None:
        """Relate samples that the rules on leakage would report if one of them is held out."""
        table, rows, fixed = self._table, self._rows, self._fixed
        own = self._side(rows, table.hashes[rows, 0], with_pdq=True)
        others = self._side(fixed, table.hashes[fixed, 0], with_pdq=True)
        for side in (own, others):
            self._relate(own, side, thresholds, with_pdq=True)
        own, turned = self._side(rows, table.hashes[rows, 0]), self._turned(rows)
        others = self._side(fixed, table.hashes[fixed, 0])
        for one, other in ((own, turned), (others, turned), (own, self._turned(fixed))):
            self._relate(one, other, thresholds)

    def _side(self, rows: "Rows", hashes: "Hashes", *, with_pdq: bool = False) -> _Side:
        """Return hashes of rows without repetitions in one group, or in one phase if fixed."""
        item, roots = self._item[rows], self.components.roots()
        groups = np.where(item >= 0, roots[item], -self._bits[rows].astype(int))
        columns = [hashes[:, None], groups.astype(np.uint64)[:, None]]
        ids = row_ids(np.hstack([*columns, *([self._table.pdq[rows]] * with_pdq)]))
        first = np.unique(ids, return_index=True)[1]
        return _Side(hashes[first], rows[first])

    def _turned(self, rows: "Rows") -> _Side:
        """Return the hashes of images as the EXIF orientations 2 to 8 show them."""
        table = self._table
        turned = np.intersect1d(rows, table.turned_rows, assume_unique=True)
        hashes = table.turned[np.searchsorted(table.turned_rows, turned)]
        return self._side(
            np.concatenate([rows, np.repeat(turned, hashes.shape[1])]),
            np.concatenate([table.hashes[rows, 1], hashes.reshape(-1)]),
        )

    def _relate(
        self, one: _Side, other: _Side, limits: Thresholds, *, with_pdq: bool = False
    ) -> None:
        """Relate the rows of two sides whose hashes differ in few bits.

        Args:
            one: The first side.
            other: The second side.
            limits: The largest numbers of different bits.
            with_pdq: Whether PDQ decides on distances above ``near``.
        """
        if len(one.hashes) > len(other.hashes):  # the time depends on the length of the first
            one, other = other, one

        def collect(pairs: Pairs) -> None:
            left, right = one.rows[pairs.left], other.rows[pairs.right]
            roots = np.append(self.components.roots(), -1)  # -1 for all samples of a fixed phase
            is_new = roots[self._item[left]] != roots[self._item[right]]
            [unsure] = np.nonzero(is_new & (pairs.distance > limits.near))
            is_new[unsure] = self._table.pdq_distance(left[unsure], right[unsure]) <= limits.pdq
            left, right = left[is_new], right[is_new]
            items, partners = self._item[left], self._item[right]
            both = (items >= 0) & (partners >= 0)
            self.components.join(items[both], partners[both])
            for found, marked in ((items, right), (partners, left)):
                [met] = np.nonzero(~both & (found >= 0))
                self.components.mark(found[met], self._bits[marked[met]])

        bits = max(limits.near, limits.review) if with_pdq else limits.near
        if len(one.hashes):
            search(one.hashes, other.hashes, bits, collect, progress=self._table.progress)


def _source_ids(table: "SampleTable") -> "Rows":
    """Return a number for each declared source, -1 without one.

    Crops have the number of their original, if it is in the registry.
    """
    sources = joint_sources(table, originals_of_crops(table))
    numbers = {name: number for number, name in enumerate(sorted(set(sources) - {""}))}
    return np.array([numbers.get(source, -1) for source in sources], np.int64)


def _session_ids(table: "SampleTable", rows: "Rows", *, by_stem: bool) -> "Rows":
    """Return a number for each session, -1 for samples in none; only of subsets with ``rows``."""
    names = {table.subset[row] for row in rows.tolist()}
    ids = np.full(len(table.stem), -1)
    for name, members in groupby(range(len(table.stem)), table.subset.__getitem__):
        for run in numbered_runs(table, members).values() if name in names else ():
            for session in [run] if by_stem else sessions(table, run):
                ids[session] = session[0]
    return ids
