"""The IoU of changed masks between two states, where both masks are available."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeVar

from sceneset.catalog.reader import Catalog
from sceneset.errors import BlobError, DvcError, FindingsError, UndecodableError
from sceneset.imaging.pillow_warnings import no_warnings
from sceneset.paths import DATA_ROOT
from sceneset.progress import Progress
from sceneset.schemas.params import Limits
from sceneset.storage.blobs import Blobs
from sceneset.storage.files import md5_of, read_bytes
from sceneset.storage.object_store import WORKERS
from sceneset.threads import map_in_threads
from sceneset.versions.changed_samples import Sample
from sceneset.versions.diff import Change, ChangeKind
from sceneset.versions.foreign import blobs_of

S = TypeVar("S")
T = TypeVar("T")


class Overlap(NamedTuple):
    """A changed mask and its overlap with the old one."""

    change: Change
    iou: float | None
    """None if a mask is unavailable or unreadable, or if the two differ in size."""
    fetch_error: str = ""
    """Why a mask could not be fetched, if that is why ``iou`` is None."""
    is_missing: bool = False
    """Whether ``iou`` is None because a mask is not on this machine."""


def compare_masks(
    catalog: Catalog, changes: Iterable[Change], *, fetch: bool, progress: Progress
) -> list[Overlap]:
    """Return the IoU of the person class, old to new, for every change of a mask.

    Args:
        catalog: The registry whose cache, working tree and remote have the masks.
        changes: Changes of any kind; those of other kinds are ignored.
        fetch: Download masks that are neither in the local cache nor in the working tree.
            Otherwise nothing is written, and neither a DVC project nor a remote is needed.
        progress: Called with the masks.

    Raises:
        DvcError: ``fetch`` is set and the remote can't be reached.
    """
    changed = [change for change in changes if change.kind is ChangeKind.MASK]
    if not changed:
        return []  # return before `Blobs` imports DVC, which takes half a second
    masks = _Masks(catalog, fetch=fetch)
    errors = masks.fetch(changed, progress) if fetch else {}
    with no_warnings():
        results = map_in_threads(masks.compare, changed)
        overlaps = list(progress(results, len(changed), "compare masks"))
    return [
        overlap._replace(fetch_error=_fetch_error(overlap.change, errors))
        if overlap.iou is None
        else overlap
        for overlap in overlaps
    ]


def _fetch_error(change: Change, errors: dict[str, str]) -> str:
    return next((errors[sample.mask] for sample in _sides(change) if sample.mask in errors), "")


def _sides(change: Change) -> list[Sample]:
    """Return the old and the new sample of a change."""
    return [sample for sample in (change.old, change.new) if sample]


class _Masks:
    """The masks of old and new samples, found in the cache or the working tree."""

    def __init__(self, catalog: Catalog, *, fetch: bool) -> None:
        self.project, self.limits = catalog.project, catalog.params.limits
        try:
            self.blobs: Blobs | None = blobs_of(catalog)
        except DvcError:
            if fetch:
                raise
            self.blobs = None  # without a DVC project, masks can still be in the working tree

    def fetch(self, changed: Sequence[Change], progress: Progress) -> dict[str, str]:
        """Download the masks that are missing here; return the errors, by hash."""
        searched = map_in_threads(self._missing, changed)
        missing_of_each = progress(searched, len(changed), "look for masks")
        # Samples may share a mask, and two threads must not write the same blob to the cache.
        missing = sorted({md5 for hashes in missing_of_each for md5 in hashes})
        if self.blobs:
            self.blobs.probe(missing)  # raises once if the remote can't be reached
        errors = progress(
            map_in_threads(self._fetch_one, missing, WORKERS), len(missing), "fetch masks"
        )
        return {md5: error for md5, error in zip(missing, errors, strict=True) if error}

    def _missing(self, change: Change) -> list[str]:
        hashes = (sample.mask for sample in _sides(change))
        return [md5 for md5 in hashes if self._read(md5, change) is None]

    def _fetch_one(self, md5: str) -> str:
        """Download a mask; return the error message, or ""."""
        assert self.blobs, "fetching requires a DVC project"
        try:
            if self.blobs.cached(md5) is None:  # `probe` has fetched one of them already
                self.blobs.fetch(md5)
        except BlobError as error:
            return str(error)
        return ""

    def compare(self, change: Change) -> Overlap:
        """Return the overlap of the two masks of a change."""
        old, new = (self._read(sample.mask, change) for sample in _sides(change))
        if old is None or new is None:
            return Overlap(change, None, is_missing=True)
        return Overlap(change, iou(old, new, self.limits))

    def _read(self, md5: str, change: Change) -> bytes | None:
        """Return a mask from this machine, verified by its hash; damaged files are not deleted."""
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


def iou(old: bytes, new: bytes, limits: Limits) -> float | None:
    """Return the intersection over union of the person class (value 1) of two PNG masks.

    Pixels that are 255 (ignore) in either mask are not counted. Two masks without a person have
    IoU 1.

    Returns:
        A number from 0 to 1, or None if a mask can't be decoded or the sizes differ.
    """
    from sceneset.imaging.decode import decode_mask

    try:
        first, second = decode_mask(old, limits), decode_mask(new, limits)
    except UndecodableError:
        return None
    if first.shape != second.shape:
        return None
    is_counted = (first != 255) & (second != 255)
    intersection = int(((first == 1) & (second == 1) & is_counted).sum())
    union = int((((first == 1) | (second == 1)) & is_counted).sum())
    return intersection / union if union else 1.0
