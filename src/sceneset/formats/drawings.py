"""Drawings of a delivery, kept in a file while its samples are read.

The shapes of a large delivery take more memory than all else that is known of its samples. They are
needed once, in the order in which they were read.
"""

import pickle
import tempfile
from pathlib import Path
from typing import Self

from sceneset.imaging.shapes import Drawing


class StoredDrawings:
    """A file of drawings, which has no name and is gone when it is closed."""

    def __init__(self, work: Path) -> None:
        """Create the file in the folder ``work``."""
        self._file = tempfile.TemporaryFile(dir=work)  # noqa: SIM115 - closed in __exit__
        self._end = self._at = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, drawing: Drawing) -> int:
        """Write a drawing at the end; return its place. All are added before the first is read."""
        place = self._end
        self._end += self._file.write(pickle.dumps(drawing, pickle.HIGHEST_PROTOCOL))
        self._at = self._end
        return place

    def read(self, place: int) -> Drawing:
        """Return the drawing at a place; those that follow each other are read the fastest."""
        if place != self._at:
            self._file.seek(place)
        # Nobody else can have written to this file: it never had a name.
        drawing: Drawing = pickle.load(self._file)  # noqa: S301
        self._at = self._file.tell()
        return drawing
