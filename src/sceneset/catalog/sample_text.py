"""Compare the texts of samples in English and Chinese, and search them.

Chinese has no blanks between words, and most names of scenes have two characters. The index of
SQLite therefore gets the pairs of neighbouring characters of each Chinese word; the search here
finds any part of a text, whatever its length.
"""

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Mask = npt.NDArray[np.bool_]

_RUNS = re.compile(r"[㐀-鿿豈-﫿぀-ヿ가-힯]+|[^\W_]+")
_FIRST_LETTER_OF_RUNS = "぀"
"""The first character of the scripts that are written without blanks."""
_MOST_HITS = 0.02
"""Above this number of hits per line, comparing whole arrays is faster than looking for each."""
_KEPT = 64
"""Words whose result is kept, for the next pages and facets."""


def fold_text(text: str) -> str:
    """Return a text in the form in which texts are compared: any case and width, on one line."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(folded.splitlines()) if not folded.isprintable() else folded


def index_words(text: str) -> str:
    """Return the words of a text for the index of SQLite, separated by blanks.

    A Chinese word gives all its pairs of neighbouring characters: 滑雪场 gives 滑雪 and 雪场.
    """
    words: list[str] = []
    for run in _RUNS.findall(fold_text(text)):
        if run[0] < _FIRST_LETTER_OF_RUNS or len(run) < 2:
            words.append(run)
        else:
            words += (run[place : place + 2] for place in range(len(run) - 1))
    return " ".join(words)


class Lines:
    """Many short texts, one per line, and the search for those that contain a word."""

    def __init__(self, data: bytes) -> None:
        """Take lines in UTF-8, folded by ``fold_text``, each with LF at its end."""
        import numpy as np

        self._data = data
        self._bytes = np.frombuffer(data, np.uint8)
        self._ends = np.flatnonzero(self._bytes == ord("\n"))
        self.containing = lru_cache(_KEPT)(self._containing)

    def __len__(self) -> int:
        return len(self._ends)

    def _containing(self, word: str) -> "Mask":
        """Return for each line whether it contains a folded word."""
        import numpy as np

        found = np.zeros(len(self), np.bool_)
        wanted = word.encode("utf-8", "replace")
        if not wanted or b"\n" in wanted:
            return found
        hits: list[int] = []
        start = self._data.find(wanted)
        while start >= 0 and len(hits) <= _MOST_HITS * len(self):
            hits.append(start)
            start = self._data.find(wanted, start + 1)
        if start < 0:
            found[np.searchsorted(self._ends, hits)] = True
            return found
        return self._containing_by_arrays(wanted)

    def _containing_by_arrays(self, wanted: bytes) -> "Mask":
        import numpy as np

        count = len(self._bytes) - len(wanted) + 1
        is_hit = np.zeros(len(self._bytes), np.bool_)
        is_start = is_hit[:count]
        is_start |= self._bytes[:count] == wanted[0]
        for offset, value in enumerate(wanted[1:], 1):
            is_start &= self._bytes[offset : offset + count] == value
        starts = np.concatenate(([0], self._ends[:-1] + 1))
        found: Mask = np.maximum.reduceat(is_hit.view(np.uint8), starts).view(np.bool_)
        return found
