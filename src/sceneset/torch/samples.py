"""The list of samples to train on, packed: workers share it without copying Python objects."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np

_FIELDS = 6
_HASH = 16  # bytes


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample."""

    subset: str
    phase: str
    stem: str
    image: str
    """File name of the image."""
    scenes: tuple[str, ...] = ()
    persons: str = ""
    """single, multi, mixed, or "" if it is unknown."""
    image_md5: str = ""
    """"" for files of a folder."""
    mask_md5: str = ""
    weight: float = 1.0

    @property
    def key(self) -> str:
        """<subset>/<phase>/<stem>, which identifies the sample."""
        return f"{self.subset}/{self.phase}/{self.stem}"

    @property
    def image_path(self) -> str:
        """Path of the image below the data root or a pulled folder."""
        return f"{self.subset}/img_dir/{self.phase}/{self.image}"

    @property
    def mask_path(self) -> str:
        """Path of the mask, likewise."""
        return f"{self.subset}/ann_dir/{self.phase}/{self.stem}.png"


class Samples(Sequence[Sample]):
    """A sequence of samples in four buffers, whatever their number.

    A list of a million objects would be copied into each worker by and by, because reading an
    object writes its reference count.
    """

    def __init__(self, samples: Iterable[Sample]) -> None:
        """Pack samples, in their order."""
        texts: list[bytes] = []
        hashes = bytearray()
        weights: list[float] = []
        for s in samples:
            fields = (s.subset, s.phase, s.stem, s.image, ";".join(s.scenes), s.persons)
            texts.append("\n".join(fields).encode())
            for md5 in (s.image_md5, s.mask_md5):
                hashes += bytes.fromhex(md5) or bytes(_HASH)
            weights.append(s.weight)
        self._text = b"".join(texts)
        self._ends = np.cumsum([0, *map(len, texts)], dtype=np.int64)
        self._hashes = np.frombuffer(bytes(hashes), np.uint8).reshape(-1, 2, _HASH)
        self.weights = np.asarray(weights, np.float64)
        """The weight of each sample."""

    def __len__(self) -> int:
        return len(self.weights)

    @overload
    def __getitem__(self, index: int) -> Sample: ...
    @overload
    def __getitem__(self, index: slice) -> list[Sample]: ...
    def __getitem__(self, index: int | slice) -> Sample | list[Sample]:
        """Return the sample at a position."""
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        index = range(len(self))[index]
        text = self._text[self._ends[index] : self._ends[index + 1]].decode()
        subset, phase, stem, image, scenes, persons = text.split("\n", _FIELDS - 1)
        image_md5, mask_md5 = (row.tobytes().hex() for row in self._hashes[index])
        return Sample(
            subset,
            phase,
            stem,
            image,
            tuple(filter(None, scenes.split(";"))),
            persons,
            image_md5,
            mask_md5,
            float(self.weights[index]),
        )
