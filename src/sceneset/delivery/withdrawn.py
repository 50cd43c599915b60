"""Detect delivered images that were withdrawn from the registry."""

from collections.abc import Iterable, Iterator

from sceneset.catalog.tombstones import MAX_COPY_DISTANCE, Tombstones
from sceneset.schemas.finding import Finding, finding
from sceneset.schemas.scan_row import ScanRow
from sceneset.schemas.tombstone import Tombstone


def withdrawn_findings(rows: Iterable[ScanRow], tombstones: Tombstones) -> Iterator[Finding]:
    """Yield images that were withdrawn, and images that look like a withdrawn one."""
    hashes = [
        (int(phash, 16), tombstone)
        for tombstone in tombstones.values()
        for phash in (tombstone.phash, tombstone.phash_mirror)
    ]
    for row in rows if tombstones else ():
        tombstone = tombstones.get(row.image_md5)
        if tombstone:
            yield _finding(
                row,
                "forgotten",
                f"was withdrawn: {tombstone.reason}",
                "remove it from the delivery",
            )
        elif similar := _first_similar(int(row.phash, 16), hashes):
            yield _finding(
                row,
                "forgotten-near",
                f"looks like {similar.image}, which was withdrawn",
                "look at the image; if it shows the same, remove it from the delivery",
            )


def _first_similar(phash: int, hashes: Iterable[tuple[int, Tombstone]]) -> Tombstone | None:
    return next(
        (
            tombstone
            for other, tombstone in hashes
            if (other ^ phash).bit_count() <= MAX_COPY_DISTANCE
        ),
        None,
    )


def _finding(row: ScanRow, code: str, message: str, hint: str) -> Finding:
    return finding(
        code,
        message,
        file=f"img_dir/{row.phase}/{row.image}",
        phase=row.phase,
        stem=row.stem,
        hint=hint,
    )
