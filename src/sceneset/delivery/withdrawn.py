"""Detect delivered images that were withdrawn from the registry."""

from collections.abc import Iterable, Iterator, Sequence

from sceneset.catalog.tombstones import MAX_COPY_DISTANCE, Tombstones, Withdrawn
from sceneset.schemas.crop import CropRow
from sceneset.schemas.finding import Finding, finding
from sceneset.schemas.scan_row import ScanRow
from sceneset.schemas.tombstone import Tombstone


def withdrawn_findings(rows: Iterable[ScanRow], tombstones: Tombstones) -> Iterator[Finding]:
    """Yield images that were withdrawn, and images that look like a withdrawn one.

    Looks are compared in all eight orientations, because a copy of a portrait may be turned by its
    EXIF orientation or by its pixels.
    """
    if not tombstones:
        return
    looks, withdrawn = _Looks(list(tombstones.values())), Withdrawn(tombstones)
    for row in rows:
        if tombstone := withdrawn.tombstone_of(row.image_md5, row.picture):
            yield _finding(
                row,
                "forgotten",
                f"was withdrawn: {tombstone.reason}",
                "remove it from the delivery",
            )
        elif similar := looks.first_similar(row.hashes):
            yield _finding(
                row,
                "forgotten-near",
                f"looks like {similar.image}, which was withdrawn",
                "look at the image; if it shows the same, remove it from the delivery",
            )


def withdrawn_originals(crops: Iterable[CropRow], tombstones: Tombstones) -> Iterator[Finding]:
    """Yield crops whose original was withdrawn, perhaps after they were cut."""
    for row in crops:
        if tombstone := tombstones.get(row.original_md5):
            yield finding(
                "forgotten",
                f"was cut out of an image that was withdrawn: {tombstone.reason}",
                file=f"img_dir/{row.phase}/{row.stem}",
                phase=row.phase,
                stem=row.stem,
                hint="remove it from the delivery",
            )


class _Looks:
    """The perceptual hashes of withdrawn images as an array: a delivery has thousands of rows."""

    def __init__(self, tombstones: Sequence[Tombstone]) -> None:
        import numpy as np

        self._tombstones = tombstones
        hashes = [
            (int(tombstone.phash, 16), int(tombstone.phash_mirror, 16)) for tombstone in tombstones
        ]
        self._hashes = np.array(hashes, np.uint64)

    def first_similar(self, hashes: Sequence[int]) -> Tombstone | None:
        """Return the first withdrawn image that looks like an image in one of its orientations."""
        import numpy as np

        # One orientation of one of the two is enough, but the hash of the mirrored image is not
        # exact, so both are compared with all.
        differing = np.bitwise_count(self._hashes[..., None] ^ np.array(hashes, np.uint64))
        similar = np.flatnonzero((differing <= MAX_COPY_DISTANCE).any(axis=(1, 2)))
        return self._tombstones[similar[0]] if len(similar) else None


def _finding(row: ScanRow, code: str, message: str, hint: str) -> Finding:
    return finding(
        code,
        message,
        file=f"img_dir/{row.phase}/{row.image}",
        phase=row.phase,
        stem=row.stem,
        hint=hint,
    )
