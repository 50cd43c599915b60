"""Write thumbnails of images while a scan decodes them, in files named by content hash."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from sceneset.scanning.known_rows import KnownRows
from sceneset.scanning.measure_sample import Measure, Measured, Pair
from sceneset.schemas.params import Limits
from sceneset.storage.files import atomic_write


def with_thumbnails(measure: Measure, folder: Path) -> Measure:
    """Return ``measure`` extended to write the thumbnails that ``folder`` does not have yet.

    The files are named <md5>.jpg.
    """

    def measure_and_write(
        pairs: list[Pair], limits: Limits, *, known: KnownRows
    ) -> Iterator[Measured]:
        folder.mkdir(parents=True, exist_ok=True)
        pairs = [pair._replace(thumbnail=not _has_thumbnail(folder, pair)) for pair in pairs]
        return _write(measure(pairs, limits, known=known), folder)

    return measure_and_write


def _write(measured: Iterable[Measured], folder: Path) -> Iterator[Measured]:
    """Write the thumbnail of each result, and yield the results without thumbnails."""
    for result in measured:
        row = result.row or result.void_row  # a mask of 0 and 255 alone changes nothing here
        if row and result.thumbnail:
            path = _path(folder, row.image_md5)
            with atomic_write(path, fsync=False, temporary=path.with_suffix(".part")) as part:
                part.write_bytes(result.thumbnail)
        yield result._replace(thumbnail=b"")


def _path(folder: Path, md5: str) -> Path:
    return folder / f"{md5}.jpg"


def _has_thumbnail(folder: Path, pair: Pair) -> bool:
    """Return whether the thumbnail of an image exists.

    Thumbnails are written without fsync, so a power failure can leave an empty file; an empty
    file counts as missing.
    """
    if not pair.md5:
        return False
    try:
        return _path(folder, pair.md5[0]).stat().st_size > 0
    except FileNotFoundError:
        return False
