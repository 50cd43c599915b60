"""Vectors of images that another program computed, in a Parquet file.

Each row has the name of a sample and a list of numbers, for example of CLIP. The rows are read in
batches, divided by their lengths, and kept in a temporary file that is mapped into memory. So a
million vectors of 512 numbers need little memory.
"""

import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sceneset.errors import UsageError
from sceneset.exports.types import Key
from sceneset.progress import Progress, no_progress
from sceneset.schemas.names import composed
from sceneset.storage.files import open_regular
from sceneset.suggestions.vector_columns import (
    Columns,
    columns_of,
    length_of,
    row_name,
    row_names,
)

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

    Numbers = npt.NDArray[np.int64]
    Matrix = npt.NDArray[np.floating[Any]]

_BATCH = 4096  # rows that are read at a time
_EXAMPLES = 5
_SUFFIXES = (".jpg", ".jpeg", ".png")
PROBLEMS = ("unknown", "ambiguous", "duplicate", "length", "not-a-number", "zero", "missing")
"""Kinds of rows that are left out, and samples without a vector."""


class Problem(NamedTuple):
    """Rows or samples of one kind that have no usable vector."""

    number: int
    examples: tuple[str, ...]
    """The names of the first ones."""


class Vectors(NamedTuple):
    """The usable vectors, each of length 1."""

    matrix: "Matrix"
    """rows x numbers, float16 or float32, mapped from a temporary file."""
    samples: "Numbers"
    """The number of the sample of each row."""
    row_of: "Numbers"
    """The row of each sample; -1 without a vector."""
    problems: dict[str, Problem]


class _Tally:
    """Counts what is left out."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._examples: dict[str, list[str]] = {}

    def add(self, kind: str, name: str) -> None:
        self.counts[kind] += 1
        if len(found := self._examples.setdefault(kind, [])) < _EXAMPLES:
            found.append(name)

    def problems(self) -> dict[str, Problem]:
        return {
            kind: Problem(self.counts[kind], tuple(self._examples[kind]))
            for kind in PROBLEMS
            if self.counts[kind]
        }


def read_vectors(path: Path, keys: Sequence[Key], *, progress: Progress = no_progress) -> Vectors:
    """Return the vectors of samples.

    Rows without a usable vector and samples without a row are counted.

    Args:
        path: A Parquet file with a column `stem` or `name`, if needed `subset` and `phase`, and one
            column with lists of numbers.
        keys: Subset, phase and stem of the samples, sorted.
        progress: Called with the batches.

    Raises:
        UsageError: The file can't be read, its columns do not fit, or it has no usable vector.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with open(path, "rb", opener=open_regular) as opened, pq.ParquetFile(opened) as file:
            columns = columns_of(file.schema_arrow, path)
            return _Reader(columns, keys).read(file, path, progress)
    except FileNotFoundError:
        raise UsageError(f"{path}: there is no such file") from None
    except (pa.ArrowException, OSError) as error:
        reason = getattr(error, "strerror", None) or str(error).partition("\n")[0]
        raise UsageError(f"{path} can't be read as Parquet: {reason}") from None


class _Reader:
    """Reads the rows of a file."""

    def __init__(self, columns: Columns, keys: Sequence[Key]) -> None:
        self._columns, self._keys = columns, keys
        self._names = _names_of(keys, columns)
        self._row_of = np.full(len(keys), -1, np.int64)
        self._tally = _Tally()

    def read(self, file: Any, path: Path, progress: Progress) -> Vectors:
        """Return the usable vectors."""
        columns, row_of, tally = self._columns, self._row_of, self._tally
        samples: list[Numbers] = []
        length, rows = 0, 0
        batches = file.iter_batches(_BATCH, columns=[*columns.keys, columns.vector])
        total = -(-file.metadata.num_rows // _BATCH)
        with tempfile.TemporaryFile(prefix="sceneset-vectors-") as store:
            for batch in progress(batches, total, "read vectors"):
                length = length or length_of(batch[columns.vector])
                numbers, matrix = self._usable(batch, length)
                kept, found = self._matched(batch, numbers)
                row_of[found] = np.arange(rows, rows + len(found))
                rows += len(found)
                samples.append(found)
                _write(store, np.ascontiguousarray(matrix[kept], columns.kind))
            for number in np.flatnonzero(row_of < 0).tolist():
                tally.add("missing", "/".join(self._keys[number]))
            if not rows:
                counts = ", ".join(f"{kind}: {n:,}" for kind, n in sorted(tally.counts.items()))
                raise UsageError(
                    f"{path} has no usable vector of a sample ({counts or 'no row'})"
                    f"{self._example()}"
                )
            mapped = np.memmap(store, columns.kind, "r", shape=(rows, length))  # stays when closed
        return Vectors(mapped, np.concatenate(samples), row_of, tally.problems())

    def _example(self) -> str:
        """Return an unknown name beside one that is known, or ""."""
        unknown = self._tally.problems().get("unknown")
        if not unknown or not self._names:
            return ""
        known = "/".join(next(iter(self._names)))
        return f"; a row is called {unknown.examples[0][:80]}, a sample {known}"

    def _usable(self, batch: "pa.RecordBatch", length: int) -> "tuple[Numbers, Matrix]":
        """Return the rows with a usable vector, and their vectors divided by their lengths."""
        import pyarrow.compute as pc

        columns, tally = self._columns, self._tally
        vectors = batch[columns.vector]
        has_length = np.asarray(
            pc.fill_null(pc.equal(pc.list_value_length(vectors), length), False)
        )
        fits = has_length if length else np.zeros(len(has_length), np.bool_)
        for row in np.flatnonzero(~fits):
            tally.add("length", row_name(batch, columns, int(row)))
        numbers = np.flatnonzero(fits)
        if not len(numbers):
            return numbers, np.zeros((0, max(length, 1)), np.float32)
        values = vectors.take(numbers).flatten().to_numpy(zero_copy_only=False)
        with np.errstate(over="ignore"):
            matrix = values.reshape(len(numbers), length).astype(np.float32)
        peaks = np.abs(matrix).max(axis=1)
        is_number, is_zero = np.isfinite(peaks), peaks == 0
        for row in np.flatnonzero(~is_number):
            tally.add("not-a-number", row_name(batch, columns, int(numbers[row])))
        for row in np.flatnonzero(is_zero):
            tally.add("zero", row_name(batch, columns, int(numbers[row])))
        good = is_number & ~is_zero
        matrix = (
            matrix[good] / peaks[good, np.newaxis]
        )  # squares of large numbers would be infinite
        matrix /= np.sqrt(np.square(matrix).sum(axis=1, keepdims=True))
        return numbers[good], matrix

    def _matched(self, batch: "pa.RecordBatch", numbers: "Numbers") -> "tuple[list[int], Numbers]":
        """Return which of some rows belong to a sample that has no row yet, and their samples."""
        kept: list[int] = []
        found: dict[int, None] = {}
        for place, name in enumerate(row_names(batch, self._columns, numbers)):
            sample = self._sample_of(name)
            if sample is None or sample < 0:
                kind = "unknown" if sample is None else "ambiguous"
            elif self._row_of[sample] >= 0 or sample in found:
                kind = "duplicate"
            else:
                kept.append(place)
                found[sample] = None
                continue
            self._tally.add(kind, "/".join(map(str, name)))
        return kept, np.fromiter(found, np.int64, len(found))

    def _sample_of(self, name: tuple[Any, ...]) -> int | None:
        """Return the number of the sample that a row names; its stem may have a suffix."""
        found = tuple(composed(part) if isinstance(part, str) else part for part in name)
        if found in self._names:
            return self._names[found]
        *folders, stem = found
        if isinstance(stem, str) and stem.lower().endswith(_SUFFIXES):
            return self._names.get((*folders, stem.rpartition(".")[0]))
        return None


def _write(store: Any, matrix: "Matrix") -> None:
    try:
        store.write(matrix.tobytes())
        store.flush()
    except OSError as error:
        folder = tempfile.gettempdir()
        raise UsageError(
            f"{folder}: no room for the vectors ({error.strerror}); set TMPDIR to another folder"
        ) from None


def _names_of(keys: Sequence[Key], columns: Columns) -> dict[tuple[str, ...], int]:
    """Return the number of the sample that each name means; -1 if it means several."""
    places = [{"subset": 0, "phase": 1}.get(name, 2) for name in columns.keys]
    found: dict[tuple[str, ...], int] = {}
    for number, key in enumerate(keys):
        name = tuple(composed(key[place]) for place in places)
        found[name] = -1 if name in found else number
    return found
