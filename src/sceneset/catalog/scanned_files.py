"""The files of each sample with their hashes and sizes, as the subset's scan records them."""

from collections.abc import Iterator
from typing import NamedTuple

from sceneset.catalog.reader import Catalog


class ScannedFile(NamedTuple):
    """One file of a subset, as the scan records it."""

    subset: str
    folder: str
    """img_dir or ann_dir."""
    phase: str
    stem: str
    file: str
    md5: str
    bytes: int

    @property
    def path(self) -> str:
        """The file's path relative to the data root."""
        return f"{self.subset}/{self.folder}/{self.phase}/{self.file}"


def scanned_files(catalog: Catalog, subset: str) -> Iterator[tuple[ScannedFile, ScannedFile]]:
    """Yield the image and the mask of every sample of a subset, sorted by phase and stem."""
    columns = []
    for folder, kind in (("img_dir", "image"), ("ann_dir", "mask")):
        names = ("phase", "stem", kind, f"{kind}_md5", f"{kind}_bytes")
        table = catalog.scan(subset, names)
        rows = zip(*(table[name].to_pylist() for name in names), strict=True)
        columns.append(
            [
                ScannedFile(subset, folder, phase, stem, file, md5.hex(), size)
                for phase, stem, file, md5, size in rows
            ]
        )
    yield from zip(*columns, strict=True)


def content_hashes(catalog: Catalog, subset: str) -> dict[tuple[str, str], tuple[str, str]]:
    """Return the md5 of image and mask of every sample of a subset, by phase and stem."""
    names = ("phase", "stem", "image_md5", "mask_md5")
    table = catalog.scan(subset, names)
    columns = (table[name].to_pylist() for name in names)
    return {
        (phase, stem): (image.hex(), mask.hex())
        for phase, stem, image, mask in zip(*columns, strict=True)
    }
