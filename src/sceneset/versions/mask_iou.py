"""How far masks that changed agree with what they were, where the blobs can be had."""

import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import NamedTuple, TypeVar

from sceneset.catalog.reader import Catalog
from sceneset.errors import BlobError, DvcError, FindingsError
from sceneset.paths import DATA_ROOT
from sceneset.progress import Progress
from sceneset.schemas.params import Limits
from sceneset.storage.blobs import Blobs
from sceneset.storage.files import md5_of, read_bytes
from sceneset.storage.object_store import WORKERS
from sceneset.versions.diff import Change, Kind, Sample

_BATCH = 512  # what is handed to the pool at a time

S = TypeVar("S")
T = TypeVar("T")


class Overlap(NamedTuple):
    """A sample whose mask is another one, and how far the two agree."""

    change: Change
    iou: float | None
    """None where a mask can't be had or read, or the two differ in size."""
    unfetched: str = ""
    """Why a mask could not be fetched, where that is what keeps them from being compared."""


def overlaps(
    catalog: Catalog, changes: Iterable[Change], *, fetch: bool, progress: Progress
) -> list[Overlap]:
    """Return every change of a mask with the IoU of the person class, old to new.

    IoU is the number of pixels that are a person in both over that in either, counted where
    neither mask is 255 (ignore); it is 1 where neither shows a person. Masks are taken from the
    local cache or the working tree; with ``fetch`` those that are not there come from the remote
    first. Without it nothing is written, and no project and no remote is needed.

    Raises:
        DvcError: with ``fetch``, the remote can't be reached.
    """
    changed = [change for change in changes if change.kind is Kind.MASK]
    if not changed:
        return []  # before DVC is imported: that takes half a second
    masks = _Masks(catalog, fetch=fetch)
    why = masks.fetch(changed, progress) if fetch else {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, of large masks: the limits are ours
        compared = progress(_in_threads(masks.compare, changed), len(changed), "compare masks")
        found = list(compared)
    return [
        Overlap(change, iou, _reason(change, why) if iou is None else "")
        for change, iou in zip(changed, found, strict=True)
    ]


def _reason(change: Change, why: dict[str, str]) -> str:
    return next((why[sample.mask] for sample in _sides(change) if sample.mask in why), "")


def _sides(change: Change) -> list[Sample]:
    return [sample for sample in (change.old, change.new) if sample]


class _Masks:
    def __init__(self, catalog: Catalog, *, fetch: bool) -> None:
        self.project, self.limits = catalog.project, catalog.params.limits
        try:
            self.blobs: Blobs | None = Blobs(catalog.project)
        except DvcError:
            if fetch:
                raise
            self.blobs = None  # no project: the working tree may still have them

    def fetch(self, changed: Sequence[Change], progress: Progress) -> dict[str, str]:
        """Fetch the masks that are not here; return why some could not be, by hash."""
        looked = progress(_in_threads(self._lacking, changed), len(changed), "look for masks")
        # Each once: samples share masks, and two threads must not put one blob into the cache.
        lacking = sorted({md5 for hashes in looked for md5 in hashes})
        if self.blobs:
            self.blobs.reach(lacking)  # a remote that is away is told once
        said = _in_threads(self._fetched, lacking, WORKERS)
        reasons = progress(said, len(lacking), "fetch masks")
        return {md5: why for md5, why in zip(lacking, reasons, strict=True) if why}

    def _lacking(self, change: Change) -> list[str]:
        hashes = (sample.mask for sample in _sides(change))
        return [md5 for md5 in hashes if self._here(md5, change) is None]

    def _fetched(self, md5: str) -> str:
        assert self.blobs, "who fetches has a project"
        try:
            if self.blobs.cached(md5) is None:  # else it is the one that the remote answered with
                self.blobs.fetch(md5)
        except BlobError as error:
            return str(error)
        return ""

    def compare(self, change: Change) -> float | None:
        """Return the IoU of the two masks of a change, if both are here."""
        old, new = (self._here(sample.mask, change) for sample in _sides(change))
        return None if old is None or new is None else iou(old, new, self.limits)

    def _here(self, md5: str, change: Change) -> bytes | None:
        """Return a mask that is on this machine, verified; what is not it is left as it is."""
        paths = [self.blobs.path(md5)] if self.blobs else []
        for subset, phase, stem in {sample.place for sample in _sides(change)}:
            paths.append(self.project / DATA_ROOT / subset / "ann_dir" / phase / f"{stem}.png")
        for path in paths:
            try:
                data = read_bytes(path, str(path), limit=self.limits.max_bytes)
            except FindingsError:
                continue
            if md5_of(data) == md5:
                return data
        return None


def _in_threads(
    call: Callable[[S], T], items: Iterable[S], workers: int | None = None
) -> Iterator[T]:
    """Yield ``call`` of every item, in their order; memory is bounded by the batch."""
    waiting = iter(items)
    with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        while batch := list(islice(waiting, _BATCH)):
            yield from pool.map(call, batch)


def iou(old: bytes, new: bytes, limits: Limits) -> float | None:
    """Return the IoU of the person class of two masks, or None where one can't be read."""
    from sceneset.errors import UndecodableError
    from sceneset.imaging.decode import decoded_mask

    try:
        one, two = decoded_mask(old, limits), decoded_mask(new, limits)
    except UndecodableError:
        return None
    if one.shape != two.shape:
        return None
    told = (one != 255) & (two != 255)
    both = int(((one == 1) & (two == 1) & told).sum())
    either = int((((one == 1) | (two == 1)) & told).sum())
    return both / either if either else 1.0
