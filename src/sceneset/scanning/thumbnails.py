"""Small copies of images, made of pixels that are decoded anyway, and named by content hash."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from sceneset.scanning.known_rows import KnownRows
from sceneset.scanning.measure_sample import Measure, Measured, Pair
from sceneset.schemas.params import Limits


def with_thumbnails(measure: Measure, folder: Path) -> Measure:
    """Return a measurer that also writes the thumbnails which ``folder`` lacks: <md5>.jpg each."""

    def measured(pairs: list[Pair], limits: Limits, *, known: KnownRows) -> Iterator[Measured]:
        folder.mkdir(parents=True, exist_ok=True)
        lacking = [
            pair._replace(thumbnail=not (pair.md5 and _is_there(_place(folder, pair.md5[0]))))
            for pair in pairs
        ]
        return _kept(measure(lacking, limits, known=known), folder)

    return measured


def _kept(measured: Iterable[Measured], folder: Path) -> Iterator[Measured]:
    """Hand on what was measured; its thumbnails stay behind, each written whole."""
    for found in measured:
        if found.row and found.thumbnail:
            path = _place(folder, found.row.image_md5)
            aside = path.with_suffix(".part")
            aside.write_bytes(found.thumbnail)
            aside.replace(path)
        yield found._replace(thumbnail=b"")


def _place(folder: Path, md5: str) -> Path:
    return folder / f"{md5}.jpg"


def _is_there(path: Path) -> bool:
    """Tell; a file that is empty was left by a power cut: none is waited for to reach the disk."""
    try:
        return path.stat().st_size > 0
    except FileNotFoundError:
        return False
