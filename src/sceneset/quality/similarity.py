"""Find images that look alike, by their perceptual hashes."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from sceneset.quality.sample_table import SampleTable, row_ids

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from sceneset.quality.sample_table import Rows


class Match(NamedTuple):
    """The nearest match of one image."""

    row: int
    other: int
    """The row of the matching image."""
    distance: int
    """Hamming distance of their perceptual hashes, in bits of 64."""
    is_mirrored: bool
    """Whether the image matches the mirror image of the other one."""
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
    """Yield the nearest match among ``candidates`` for each of ``rows`` that has one."""
    best: dict[int, Match] = {}
    # The mirrored distance is not symmetric: mirror(a) may be near b while mirror(b) is not near a.
    for sides in ((0, 0), (1, 0), (0, 1)):
        for match in _matches(table, rows, candidates, thresholds, sides):
            known = best.get(match.row)
            if known is None or (match.distance, match.other) < (known.distance, known.other):
                best[match.row] = match
    yield from best.values()


def _matches(
    table: SampleTable,
    rows: "Rows",
    candidates: "Rows",
    thresholds: Thresholds,
    sides: tuple[int, int],
) -> Iterator[Match]:
    """Yield the nearest matches for one choice of hashes (0: the image, 1: its mirror image).

    Each distinct hash is compared once: thousands of black images share one hash.
    """
    import numpy as np

    from sceneset.quality.hamming_search import Pairs, search

    is_mirrored = sides != (0, 0)
    row_hash, row_first = _distinct_hashes(table, rows, sides[0])
    candidate_hash, candidate_first = _distinct_hashes(table, candidates, sides[1])
    counts = np.bincount(candidate_hash)
    nearest, totals = _Nearest(len(row_first)), np.zeros(len(row_first), np.int64)

    def collect(pairs: Pairs) -> None:
        agreed = pairs.distance <= thresholds.near
        # Mirrored pairs are searched up to ``near`` only: PDQ is not stored for mirror images.
        [unsure] = np.nonzero(~agreed)
        left = rows[row_first[pairs.left[unsure]]]
        right = candidates[candidate_first[pairs.right[unsure]]]
        agreed[unsure] = table.pdq_distance(left, right) <= thresholds.pdq
        left, right = pairs.left[agreed], pairs.right[agreed]
        np.add.at(totals, left, counts[right])
        nearest.update(left, candidates[candidate_first[right]], pairs.distance[agreed])

    bits = thresholds.near if is_mirrored else max(thresholds.near, thresholds.review)
    left = table.hashes[rows[row_first], sides[0]]
    right = table.hashes[candidates[candidate_first], sides[1]]
    search(left, right, bits, collect)
    others, distances = nearest.result()
    [matched] = np.nonzero(others[row_hash] >= 0)
    for place, number in zip(matched.tolist(), row_hash[matched].tolist(), strict=True):
        yield Match(
            int(rows[place]),
            int(others[number]),
            int(distances[number]),
            is_mirrored,
            int(totals[number]),
        )


def _distinct_hashes(table: SampleTable, rows: "Rows", side: int) -> "tuple[Rows, Rows]":
    """Number the distinct (perceptual hash, PDQ) of ``rows``.

    Returns:
        The number of each row's hashes, and for each number its first position in ``rows``.
    """
    import numpy as np

    ids = row_ids(np.column_stack([table.hashes[rows, side], table.pdq[rows]]))
    return ids, np.unique(ids, return_index=True)[1]


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

    values, first, value_of_row = np.unique(
        table.hashes[rows, 0], return_index=True, return_inverse=True
    )
    matches: dict[int, Match] = {}
    for place in np.nonzero(first[value_of_row] != np.arange(len(rows)))[0].tolist():
        row, other = int(rows[place]), int(rows[first[value_of_row[place]]])
        matches[row] = Match(row, other, 0, is_mirrored=False, total=1)
    for is_mirrored, hashes in ((False, values), (True, table.hashes[rows[first], 1])):
        nearest = _Nearest(len(rows))

        def collect(pairs: Pairs, nearest: _Nearest = nearest) -> None:
            # Report the pair for its later row, whichever of the two was searched for.
            left, right = first[pairs.left], first[pairs.right]
            differ = left != right
            later, before = np.maximum(left, right), np.minimum(left, right)
            nearest.update(later[differ], rows[before[differ]], pairs.distance[differ])

        search(hashes, values, bits, collect)
        others, distances = nearest.result()
        for place in np.nonzero(others >= 0)[0].tolist():
            row, other, distance = int(rows[place]), int(others[place]), int(distances[place])
            known = matches.get(row)
            if known is None or (distance, other) < (known.distance, known.other):
                matches[row] = Match(row, other, distance, is_mirrored, total=1)
    yield from matches.values()
