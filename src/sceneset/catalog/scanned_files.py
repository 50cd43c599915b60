"""The files of each sample with their hashes and sizes, as the subset's scan records them."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from sceneset.catalog.reader import Catalog
from sceneset.catalog.shared_reads import Hashes
from sceneset.counts import counted
from sceneset.errors import fail


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
    picture: str = ""
    """Digest of the sample's image as shown; "" if the scan has none."""

    @property
    def path(self) -> str:
        """The file's path relative to the data root."""
        return f"{self.subset}/{self.folder}/{self.phase}/{self.file}"


def scanned_files(catalog: Catalog, subset: str) -> Iterator[tuple[ScannedFile, ScannedFile]]:
    """Yield the image and the mask of every sample of a subset, sorted by phase and stem."""
    columns = []
    for folder, kind in (("img_dir", "image"), ("ann_dir", "mask")):
        names = ("phase", "stem", kind, f"{kind}_md5", f"{kind}_bytes", "picture")
        table = catalog.scan(subset, names)
        rows = zip(*(table[name].to_pylist() for name in names), strict=True)
        columns.append(
            [
                ScannedFile(subset, folder, phase, stem, file, md5.hex(), size, _hex(picture))
                for phase, stem, file, md5, size, picture in rows
            ]
        )
    yield from zip(*columns, strict=True)


def _hex(digest: bytes | None) -> str:
    return digest.hex() if digest else ""


def content_hashes(catalog: Catalog, subset: str) -> Hashes:
    """Return the md5 of image and mask of every sample of a subset, by phase and stem."""
    return catalog.hashes(subset, lambda: _read_hashes(catalog, subset))


def _read_hashes(catalog: Catalog, subset: str) -> Hashes:
    names = ("phase", "stem", "image_md5", "mask_md5")
    table = catalog.scan(subset, names)
    columns = (table[name].to_pylist() for name in names)
    return {
        (phase, stem): (image.hex(), mask.hex())
        for phase, stem, image, mask in zip(*columns, strict=True)
    }


def refuse_unscanned(catalog: Catalog, subset: str, missing: Sequence[tuple[str, str]]) -> None:
    """Refuse to go on without samples of a subset.

    Args:
        catalog: The registry.
        subset: The name of the subset.
        missing: Phase and stem of the samples that are in the tags and not in the scan.

    Raises:
        FindingsError: There are such samples.
    """
    if missing:
        fail(
            "scan-incomplete",
            f"{counted(len(missing), 'sample is', 'samples are')} in the tags and not in the scan "
            f"(first: {'/'.join(missing[0])})",
            subset=subset,
            file=catalog.paths.relative(catalog.paths.scan(subset)),
            hint="run `sceneset check` to list the differences",
        )


def withdrawn_samples(
    catalog: Catalog, subsets: Iterable[str] | None = None
) -> set[tuple[str, str, str]]:
    """Return the withdrawn samples of a revision, as subset, phase and stem.

    Samples of the working tree are not searched: `sceneset check` reports those.

    Args:
        catalog: The registry.
        subsets: The listed subsets to search; None means all.

    Raises:
        FindingsError: A scan or a file of tombstones can't be read.
        GitError: The withdrawals of the repository can't be read.
    """
    if catalog.origin is None or not catalog.withdrawn.files:
        return set()
    names = catalog.names if subsets is None else sorted(set(subsets))
    columns = ("phase", "stem", "image_md5", "picture")
    return {
        (name, row["phase"], row["stem"])
        for name, scan in catalog.each(lambda name: (name, catalog.scan(name, columns)), names)
        for row, _ in catalog.withdrawn.rows_of(scan)
    }
