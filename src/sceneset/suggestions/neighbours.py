"""Find the nearest vectors: exact, in blocks of matrix products.

The similarity is the cosine of the angle between two vectors. It is rounded, so that samples of
equal similarity come in the order of their names.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sceneset.progress import Progress, no_progress
from sceneset.suggestions.vector_file import Vectors

if TYPE_CHECKING:
    import numpy.typing as npt

    Numbers = npt.NDArray[np.int64]
    Flags = npt.NDArray[np.bool_]
    Similarities = npt.NDArray[np.float32]

_QUERIES = 256
_ROWS = 8192
"""Vectors that are compared at a time: 8 MB of similarities."""
_SCALE = 10_000  # similarities have four digits
_SHIFT = 32
_NONE = np.int64(np.iinfo(np.int64).max)


class Near(NamedTuple):
    """The nearest samples of some samples."""

    samples: "Numbers"
    """queries x k: numbers of samples, the nearest first; -1 where there are fewer."""
    similarities: "Similarities"
    """The same of cosines, -1 to 1."""


def nearest(
    vectors: Vectors,
    queries: "Numbers",
    k: int,
    *,
    groups: "Numbers | None" = None,
    among: "Flags | None" = None,
    progress: Progress = no_progress,
) -> Near:
    """Return the nearest samples of each query, without itself.

    Args:
        vectors: All vectors.
        queries: Numbers of samples that have a vector.
        k: Number of samples for each query.
        groups: The group of each sample, -1 without one. Samples of the query's group are left out.
        among: Whether each sample may be found; by default all.
        progress: Called with the blocks of queries.
    """
    samples = np.full((len(queries), k), -1, np.int64)
    similarities = np.zeros((len(queries), k), np.float32)
    starts = range(0, len(queries), _QUERIES)
    for start in progress(iter(starts), len(starts), "compare vectors"):
        part = queries[start : start + _QUERIES]
        best = _best(vectors, part, k, groups, among)
        is_found = best != _NONE
        samples[start : start + len(part)] = np.where(is_found, best & ((1 << _SHIFT) - 1), -1)
        scores = np.where(is_found, _SCALE - (best >> _SHIFT), 0)
        similarities[start : start + len(part)] = scores / np.float32(_SCALE)
    return Near(samples, similarities)


def _best(
    vectors: Vectors,
    queries: "Numbers",
    k: int,
    groups: "Numbers | None",
    among: "Flags | None",
) -> "Numbers":
    """Return the k smallest codes of each query: distance, then the number of the sample."""
    matrix = np.asarray(vectors.matrix[vectors.row_of[queries]], np.float32)
    best = np.full((len(queries), k), _NONE, np.int64)
    for start in range(0, len(vectors.samples), _ROWS):
        rows = slice(start, start + _ROWS)
        numbers = vectors.samples[rows]
        block = np.asarray(vectors.matrix[rows], np.float32)
        if among is not None:
            allowed = among[numbers]
            numbers, block = numbers[allowed], block[allowed]
        if not len(numbers):
            continue
        similarity = np.clip(matrix @ block.T, -1, 1)
        codes = (_SCALE - np.rint(similarity * _SCALE).astype(np.int64)) << _SHIFT
        codes += numbers
        left_out = numbers == queries[:, np.newaxis]
        if groups is not None:
            own = groups[queries][:, np.newaxis]
            left_out |= (groups[numbers] == own) & (own >= 0)
        codes[left_out] = _NONE
        joined = np.concatenate([best, codes], axis=1)
        best = np.sort(np.partition(joined, k - 1, axis=1)[:, :k], axis=1)
    return best
