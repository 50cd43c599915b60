"""How far masks that changed agree with what they were, where the blobs can be had."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import NamedTuple

from sceneset.registry.blobs import BlobError, Blobs
from sceneset.registry.catalog import DATA_ROOT, Registry
from sceneset.registry.diff import Change, Kind
from sceneset.registry.files import md5_of
from sceneset.registry.remote import DvcError
from sceneset.schemas.params import Limits

_BATCH = 512

Progress = Callable[[Iterable[float | None], int], Iterable[float | None]]


class Overlap(NamedTuple):
    """A sample whose mask is another one, and how far the two agree."""

    change: Change
    iou: float | None
    """None where a mask can't be had or read, or the two differ in size."""


def overlaps(
    registry: Registry, changes: Iterable[Change], *, fetch: bool, progress: Progress
) -> list[Overlap]:
    """Return every change of a mask with the IoU of the person class, old to new.

    IoU is the number of pixels that are a person in both over that in either, counted where
    neither mask is 255 (ignore); it is 1 where neither shows a person. Masks are taken from the
    local cache or the working tree; with ``fetch`` those that are not there come from the remote.

    Raises:
        DvcError: with ``fetch``, the remote can't be reached.
    """
    changed = [change for change in changes if change.kind is Kind.MASK]
    if not changed:
        return []
    source = _Masks(registry, fetch=fetch)
    if fetch:
        source.reach(changed)
    found = list(progress(source.compare(changed), len(changed)))
    return [Overlap(change, iou) for change, iou in zip(changed, found, strict=True)]


class _Masks:
    def __init__(self, registry: Registry, *, fetch: bool) -> None:
        self.registry, self.fetch = registry, fetch
        self.limits: Limits = registry.params.limits
        try:
            self.blobs: Blobs | None = Blobs(registry.project)
        except DvcError:
            if fetch:
                raise
            self.blobs = None  # no project: the working tree may still have them

    def reach(self, changed: Sequence[Change]) -> None:
        if self.blobs:
            pairs = ((change.old, change.new) for change in changed)
            hashes = (sample.mask for pair in pairs for sample in pair if sample)
            self.blobs.reach(md5 for md5 in hashes if not self.blobs.path(md5).exists())

    def compare(self, changed: Iterable[Change]) -> Iterator[float | None]:
        waiting = iter(changed)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            while batch := list(islice(waiting, _BATCH)):
                yield from pool.map(self._iou, batch)

    def _iou(self, change: Change) -> float | None:
        old, new = (
            self._data(sample.mask, [s.place for s in (change.old, change.new) if s])
            for sample in (change.old, change.new)
            if sample
        )
        return None if old is None or new is None else iou(old, new, self.limits)

    def _data(self, md5: str, places: Sequence[tuple[str, str, str]]) -> bytes | None:
        data = self.blobs.cached(md5) if self.blobs else None
        for subset, phase, stem in places if data is None else ():
            path = self.registry.project / DATA_ROOT / subset / "ann_dir" / phase / f"{stem}.png"
            try:
                found = path.read_bytes()
            except OSError:
                continue
            if md5_of(found) == md5:
                return found
        if data is None and self.fetch and self.blobs:
            try:
                return self.blobs.fetch(md5)
            except BlobError:
                return None
        return data


def iou(old: bytes, new: bytes, limits: Limits) -> float | None:
    """Return the IoU of the person class of two masks, or None where one can't be read."""
    from sceneset.registry.pixels import BadPixelsError, mask_pixels

    try:
        one, two = mask_pixels(old, limits), mask_pixels(new, limits)
    except BadPixelsError:
        return None
    if one.shape != two.shape:
        return None
    told = (one != 255) & (two != 255)
    both = int(((one == 1) & (two == 1) & told).sum())
    either = int((((one == 1) | (two == 1)) & told).sum())
    return both / either if either else 1.0
