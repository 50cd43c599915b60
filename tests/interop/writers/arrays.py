"""The samples that a writer is given: images in a folder, and arrays of instances."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np

IGNORE = 255
FORM, ARRAYS, IMAGES, TO = sys.argv[1], sys.argv[2], Path(sys.argv[3]), Path(sys.argv[4])


class Sample(NamedTuple):
    """An image, and which person each pixel belongs to: 1, 2...; 0 is none, 255 is ignored."""

    stem: str
    image: Path
    instances: np.ndarray

    @property
    def persons(self) -> list[np.ndarray]:
        """Return where each person is."""
        numbers = np.unique(self.instances)
        return [self.instances == n for n in numbers if n not in {0, IGNORE}]

    @property
    def ignored(self) -> np.ndarray:
        """Return the ignored pixels."""
        return self.instances == IGNORE


def samples() -> Iterator[Sample]:
    """Yield the samples, in the order of their names."""
    with np.load(ARRAYS) as arrays:
        for stem in sorted(arrays.files):
            [image] = [path for path in IMAGES.iterdir() if path.stem == stem]
            yield Sample(stem, image, arrays[stem])
