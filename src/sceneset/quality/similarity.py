"""Find images that look alike, as they are or turned, by their perceptual hashes."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from sceneset.quality.sample_table import SampleTable, row_ids

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from sceneset.quality.hamming_search import Hashes
    from sceneset.quality.sample_table import Rows


class Match(NamedTuple):
    """The nearest match of one image."""

    row: int
    other: int
    """The row of the matching image."""
    distance: int
    """Hamming distance of their perceptual hashes, in bits of 64."""
    turn: int
    """The EXIF orientation that turns the image, as stored, into the other one as stored: 1 if they
    look alike as they are, 2 if one is the mirror image of the other, ..."""
    total: int
    """Number of images within the thresholds."""


class Thresholds(NamedTuple):
    """Maximum Hamming distances, in bits, at which two images count as related."""

    near: int
    """Distance of perceptual hashes at which no second opinion is needed."""
    review: int
    """Distance of perceptual hashes if the second opinion agrees."""
    pdq: int
    """Distance of PDQ hashes at which the second opinion agrees."""


def nearest_matches(
    table: SampleTable, rows: "Rows", candidates: "Rows", thresholds: Thresholds
) -> Iterator[Match]:
    """Yield the nearest match among ``candidates`` for each of ``rows`` that has one.

    Each of ``rows`` is also compared as the other EXIF orientations show it, except rows whose
    scans lack the hashes of the turned image.
    """
    import numpy as np

    best: dict[int, Match] = {}
    searches = [
        _Search(rows, np.ones_like(rows), table.hashes[rows, 0], 0, with_pdq=True),
        _turned_rows(table, rows),
        # The mirrored distance is not symmetric: mirror(a) may be near b while mirror(b) is not
        # near a.
        _Search(rows, np.full_like(rows, 2), table.hashes[rows, 0], 1),
    ]
    for task in searches:
        for match in _matches(table, task, candidates, thresholds):
            known = best.get(match.row)
            if known is None or (match.distance, match.other) < (known.distance, known.other):
                best[match.row] = match
    yield from best.values()


class _Search(NamedTuple):
    """Images to be searched among the candidates; a row may occur once for each orientation."""

    rows: "Rows"
    turns: "Rows"
    """For each of ``rows``, see ``Match.turn``."""
    hashes: "Hashes"
    """For each of ``rows``, its perceptual hash in that orientation."""
    side: int
    """The hash of the candidates: 0 for the image, 1 for its mirror image."""
    with_pdq: bool = False
    """Whether PDQ decides on distances above ``near``. It is not stored for turned images."""


def _turned_rows(table: SampleTable, rows: "Rows") -> _Search:
    """Return the search for images as the EXIF orientations 2 to 8 show them.

    One search for all orientations builds the tables of the candidates only once.
    """
    import numpy as np

    turned = np.intersect1d(rows, table.turned_rows, assume_unique=True)
    hashes = table.turned[np.searchsorted(table.turned_rows, turned)]
    orientations = np.arange(3, 3 + hashes.shape[1])
    return _Search(
        np.concatenate([rows, np.repeat(turned, len(orientations))]),
        np.concatenate([np.full_like(rows, 2), np.tile(orientations, len(turned))]),
        np.concatenate([table.hashes[rows, 1], hashes.reshape(-1)]),
        0,
    )


def _matches(
    table: SampleTable, task: _Search, candidates: "Rows", thresholds: Thresholds
) -> Iterator[Match]:
    """Yield the nearest matches for one choice of hashes.

    Each distinct hash is compared once: thousands of black images share one hash.
    """
    import numpy as np

    from sceneset.quality.hamming_search import Pairs, search

    rows, right_hashes = task.rows, table.hashes[candidates, task.side]
    row_hash, row_first = _distinct_hashes(table, rows, task.hashes, with_pdq=task.with_pdq)
    candidate_hash, candidate_first = _distinct_hashes(
        table, candidates, right_hashes, with_pdq=task.with_pdq
    )
    counts = np.bincount(candidate_hash)
    nearest, totals = _Nearest(len(row_first)), np.zeros(len(row_first), np.int64)

    def collect(pairs: Pairs) -> None:
        agreed = pairs.distance <= thresholds.near
        [unsure] = np.nonzero(~agreed)
        left = rows[row_first[pairs.left[unsure]]]
        right = candidates[candidate_first[pairs.right[unsure]]]
        agreed[unsure] = table.pdq_distance(left, right) <= thresholds.pdq
        left, right = pairs.left[agreed], pairs.right[agreed]
        np.add.at(totals, left, counts[right])
        nearest.update(left, candidates[candidate_first[right]], pairs.distance[agreed])

    bits = max(thresholds.near, thresholds.review) if task.with_pdq else thresholds.near
    left, right = task.hashes[row_first], right_hashes[candidate_first]
    search(left, right, bits, collect, progress=table.progress)
    others, distances = nearest.result()
    [matched] = np.nonzero(others[row_hash] >= 0)
    for place, number in zip(matched.tolist(), row_hash[matched].tolist(), strict=True):
        yield Match(
            int(rows[place]),
            int(others[number]),
            int(distances[number]),
            int(task.turns[place]),
            int(totals[number]),
        )


def _distinct_hashes(
    table: SampleTable, rows: "Rows", hashes: "Hashes", *, with_pdq: bool
) -> "tuple[Rows, Rows]":
    """Number the distinct perceptual hashes of ``rows``, or distinct (perceptual hash, PDQ).

    Returns:
        The number of each row's hashes, and for each number its first position in ``rows``.
    """
    import numpy as np

    if with_pdq:
        ids = row_ids(np.column_stack([hashes, table.pdq[rows]]))
        return ids, np.unique(ids, return_index=True)[1]
    _, first, ids = np.unique(hashes, return_index=True, return_inverse=True)
    return ids, first


_ROW_BITS = 48  # bits for the row of a sample in the packed keys below


class _Nearest:
    """The nearest match of each query; among equally near ones, the one with the lowest row."""

    def __init__(self, count: int) -> None:
        import numpy as np

        # Distance in the high bits, row in the low bits: the minimum is the nearest.
        self.keys = np.full(count, np.iinfo(np.int64).max)

    def update(self, queries: "Rows", others: "Rows", distances: "npt.NDArray[np.uint8]") -> None:
        import numpy as np

        np.minimum.at(self.keys, queries, (distances.astype(np.int64) << _ROW_BITS) | others)

    def result(self) -> "tuple[Rows, Rows]":
        """Return the row of each query's match, or -1 if there is none, and its distance."""
        import numpy as np

        is_empty = self.keys == np.iinfo(np.int64).max
        others: Rows = np.where(is_empty, -1, self.keys & ((1 << _ROW_BITS) - 1))
        return others, self.keys >> _ROW_BITS


def earlier_matches(table: SampleTable, rows: "Rows", bits: int) -> Iterator[Match]:
    """Yield each of ``rows`` with its nearest match among the rows before it, if it has one."""
    import numpy as np

    from sceneset.quality.hamming_search import Pairs, search

    # Images with the same two hashes are searched for once.
    number_of_row = row_ids(table.hashes[rows])
    first = np.unique(number_of_row, return_index=True)[1]
    values = table.hashes[rows[first], 0]
    matches: dict[int, Match] = {}
    for place in np.nonzero(first[number_of_row] != np.arange(len(rows)))[0].tolist():
        row, other = int(rows[place]), int(rows[first[number_of_row[place]]])
        matches[row] = Match(row, other, 0, turn=1, total=1)
    for turn, hashes in ((1, values), (2, table.hashes[rows[first], 1])):
        nearest = _Nearest(len(rows))

        def collect(pairs: Pairs, nearest: _Nearest = nearest) -> None:
            # Report the pair for its later row, whichever of the two was searched for.
            left, right = first[pairs.left], first[pairs.right]
            differ = left != right
            later, before = np.maximum(left, right), np.minimum(left, right)
            nearest.update(later[differ], rows[before[differ]], pairs.distance[differ])

        search(hashes, values, bits, collect, progress=table.progress)
        others, distances = nearest.result()
        for place in np.nonzero(others >= 0)[0].tolist():
            row, other, distance = int(rows[place]), int(others[place]), int(distances[place])
            known = matches.get(row)
            if known is None or (distance, other) < (known.distance, known.other):
                matches[row] = Match(row, other, distance, turn, total=1)
    yield from matches.values()
