"""Similar samples of the live catalogue, by vectors from outside."""

from collections import OrderedDict
from pathlib import Path
from threading import Lock
from typing import NamedTuple

import numpy as np

from sceneset.catalog.reader import Catalog
from sceneset.exports.types import Key
from sceneset.progress import Progress, no_progress
from sceneset.suggestions.neighbours import nearest
from sceneset.suggestions.vector_file import Problem, Vectors, read_vectors

MOST = 100
"""Similar samples of one answer."""
_SPARE = 100  # further ones, in place of those that were withdrawn or removed meanwhile
_KEPT = 256  # answers


class SimilarSample(NamedTuple):
    """A sample that is similar to another one."""

    key: Key
    similarity: float


class SimilarSamples:
    """The vectors of all samples as they were when the server started. Thread-safe.

    Callers leave out samples that were withdrawn or removed since.
    """

    def __init__(self, vectors: Vectors, keys: list[Key]) -> None:
        self._vectors, self._keys = vectors, keys
        self._number_of = {key: number for number, key in enumerate(keys)}
        self._answers: OrderedDict[int, list[SimilarSample]] = OrderedDict()
        self._lock = Lock()

    @classmethod
    def read(
        cls, path: Path, catalog: Catalog, *, progress: Progress = no_progress
    ) -> "SimilarSamples":
        """Read the vectors of a registry's samples.

        Raises:
            UsageError: The file can't be used.
            FindingsError: A file of the registry can't be read.
        """
        keys = [
            (name, str(tag.phase), tag.stem)
            for name in sorted(catalog.names)
            for tag in catalog.tags(name, cache=False)
        ]
        return cls(read_vectors(path, keys, progress=progress), keys)

    def __len__(self) -> int:
        return len(self._vectors.samples)

    @property
    def problems(self) -> dict[str, Problem]:
        """What is left out, by kind."""
        return self._vectors.problems

    def of(self, key: Key) -> list[SimilarSample]:
        """Return the samples that are most similar to one, the most similar first.

        There are none if the sample has no vector.
        """
        number = self._number_of.get(key, -1)
        if number < 0 or self._vectors.row_of[number] < 0:
            return []
        with self._lock:  # one search at a time uses all cores
            if number in self._answers:
                self._answers.move_to_end(number)
                return self._answers[number]
            near = nearest(self._vectors, np.array([number], np.int64), MOST + _SPARE)
            found = [
                SimilarSample(self._keys[other], round(float(similarity), 4))
                for other, similarity in zip(near.samples[0], near.similarities[0], strict=True)
                if other >= 0
            ]
            self._answers[number] = found
            if len(self._answers) > _KEPT:
                self._answers.popitem(last=False)
        return found
