"""Draw the thumbnails and outlines that a store does not have yet.

The pictures are drawn in threads; the decoders release Python's lock. Memory holds one batch.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import NamedTuple, Protocol

from sceneset.errors import BlobError, FindingsError, UndecodableError
from sceneset.imaging.decode import decode_mask
from sceneset.imaging.outline import outline_of
from sceneset.imaging.pillow_warnings import no_warnings
from sceneset.imaging.thumbnail import small_picture
from sceneset.progress import Progress, no_progress
from sceneset.reporting.contact_sheet import reason_of
from sceneset.schemas.params import Limits
from sceneset.storage.picture_store import Outline, OutlineKey, Thumb

SIDE = 192
"""Longer side of a thumbnail in pixels."""
_QUALITY = 82
_BATCH = 64

Read = Callable[[str, str], bytes]
"""Returns the bytes of a file from its path below the data root and its hash."""


class PictureFiles(NamedTuple):
    """The files of a sample whose pictures are drawn."""

    image: str
    """Path below the data root."""
    image_md5: str
    mask: str
    mask_md5: str
    orientation: int
    """EXIF orientation of the image, 1 to 8."""

    @property
    def suffix(self) -> str:
        """Of the image, ".jpg" or ".png"."""
        return self.image[self.image.rindex(".") :]

    @property
    def outline(self) -> OutlineKey:
        """What identifies the outline of the mask."""
        return OutlineKey(self.mask_md5, self.orientation)


class PictureSink(Protocol):
    """Takes drawn pictures, as a ``PictureStore`` does."""

    def missing(
        self, images: Iterable[str], masks: Iterable[OutlineKey]
    ) -> tuple[set[str], set[OutlineKey]]:
        """Return those pictures that must be drawn."""

    def add(
        self,
        thumbs: Iterable[tuple[str, Thumb]],
        outlines: Iterable[tuple[OutlineKey, Outline]],
    ) -> None:
        """Take pictures."""


def draw_pictures(
    store: PictureSink,
    samples: Iterable[PictureFiles],
    read: Read,
    limits: Limits,
    *,
    total: int,
    progress: Progress = no_progress,
) -> dict[str, str]:
    """Draw what the store does not have, and return why files are not drawn, by their hash.

    Args:
        store: Takes the pictures.
        samples: The samples.
        read: Reads a file; raises BlobError or FindingsError.
        limits: Largest and smallest sizes accepted.
        total: Number of samples.
        progress: Called with the samples.
    """
    drawer = _Drawer(store, read, limits)

    def draw() -> Iterator[None]:
        remaining = iter(samples)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            while batch := list(islice(remaining, _BATCH)):
                drawer.draw(batch, pool)
                yield from (None for _ in batch)

    with no_warnings():
        for _ in progress(draw(), total, "draw"):
            pass
    return drawer.problems


class _Drawer:
    """Draws batches of samples."""

    def __init__(self, store: PictureSink, read: Read, limits: Limits) -> None:
        self._store, self._read, self._limits = store, read, limits
        self.problems: dict[str, str] = {}
        """Why files are not drawn, by their hash."""

    def draw(self, batch: Sequence[PictureFiles], pool: ThreadPoolExecutor) -> None:
        """Draw what the store does not have."""
        images, masks = self._store.missing(
            (sample.image_md5 for sample in batch), (sample.outline for sample in batch)
        )
        known = self.problems.keys()
        by_image = {s.image_md5: s for s in batch if s.image_md5 in images - known}
        by_mask = {s.outline: s for s in batch if s.outline in masks and s.mask_md5 not in known}
        thumbs = dict(zip(by_image, pool.map(self._thumb, by_image.values()), strict=True))
        outlines = dict(zip(by_mask, pool.map(self._outline, by_mask.values()), strict=True))
        self.problems |= {md5: why for md5, why in thumbs.items() if isinstance(why, str)}
        self.problems |= {key.md5: why for key, why in outlines.items() if isinstance(why, str)}
        self._store.add(
            [(md5, drawn) for md5, drawn in thumbs.items() if isinstance(drawn, Thumb)],
            [(key, drawn) for key, drawn in outlines.items() if isinstance(drawn, Outline)],
        )

    def _thumb(self, sample: PictureFiles) -> Thumb | str:
        """Return a thumbnail, or why there is none."""
        try:
            data = self._read(sample.image, sample.image_md5)
            small = small_picture(data, sample.suffix, SIDE, self._limits, quality=_QUALITY)
            return Thumb(*small)
        except (BlobError, FindingsError, UndecodableError) as error:
            return reason_of(error)

    def _outline(self, sample: PictureFiles) -> Outline | str:
        """Return the outline of a mask, or why there is none."""
        try:
            values = decode_mask(self._read(sample.mask, sample.mask_md5), self._limits)
        except (BlobError, FindingsError, UndecodableError) as error:
            return reason_of(error)
        return outline_of(values, sample.orientation)
