"""Find training images that were test images in a released version.

A test image is recognized by its file, by its pixels as shown, and by the lineage that `fix` leaves
when it replaces the file. So it stays a test image after its metadata was removed.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import reduce
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from sceneset.catalog.lineage import lineage_components, read_all_lineages
from sceneset.catalog.reader import Catalog
from sceneset.paths import DATA_ROOT
from sceneset.quality.sample_table import EXACT_COLUMNS
from sceneset.schemas.finding import Finding, finding
from sceneset.schemas.lineage import LineageRow
from sceneset.schemas.terms import Phase

if TYPE_CHECKING:
    import pyarrow as pa

TESTED_COLUMNS = ("phase", "image_md5", "picture", *EXACT_COLUMNS)
"""The columns of a version's scan that ``ReleasedTestImages.add`` reads."""

Exact = tuple[int, ...]
"""Sizes, colour sums and perceptual hash of an image as stored: the values of EXACT_COLUMNS."""


class NewTestImages(NamedTuple):
    """The test images of one version that no earlier version has."""

    files: list[bytes]
    """MD5 hashes of files."""
    pictures: list[bytes]
    """Digests of the pixels as shown."""
    exact: list[Exact]
    """Of images of scans that have no pictures."""


@dataclass
class ReleasedTestImages:
    """The test images of all released versions, each with the first version that has it."""

    files: dict[bytes, str] = field(default_factory=dict)
    """By the MD5 hash of the file."""
    pictures: dict[bytes, str] = field(default_factory=dict)
    """By the digest of the pixels as shown."""
    exact: dict[Exact, str] = field(default_factory=dict)
    """By size, sums and perceptual hash: only images of scans that have no pictures."""
    unread: tuple[str, ...] = ()
    """Versions that can't be read, each with the reason."""

    def add(self, scan: "pa.Table", versions: Iterable[str]) -> None:
        """Add the test images of a scan that has TESTED_COLUMNS."""
        import pyarrow.compute as pc

        version = next(iter(versions), "")
        if not version:
            return
        test = scan.filter(pc.equal(scan["phase"], Phase.TEST.value))
        images = NewTestImages(
            test["image_md5"].to_pylist(),
            test["picture"].drop_null().to_pylist(),
            list(_exact(test.filter(test["picture"].is_null()))),
        )
        self.add_images(images, version)

    def add_images(self, images: NewTestImages, version: str) -> None:
        """Add test images of a version."""
        for md5 in images.files:
            self.files.setdefault(md5, version)
        for picture in images.pictures:
            self.pictures.setdefault(picture, version)
        for values in images.exact:
            self.exact.setdefault(values, version)

    @property
    def sizes(self) -> tuple[int, int, int]:
        """The number of files, pictures and exact values."""
        return len(self.files), len(self.pictures), len(self.exact)

    def added_since(self, sizes: tuple[int, int, int]) -> NewTestImages:
        """Return the test images that were added since there were so many."""
        files, pictures, exact = sizes
        return NewTestImages(
            list(islice(self.files, files, None)),
            list(islice(self.pictures, pictures, None)),
            list(islice(self.exact, exact, None)),
        )

    def add_lineage(self, rows: Iterable[LineageRow]) -> None:
        """Add the files that replaced a test image, or that it replaced."""
        samples = {bytes.fromhex(md5): one for md5, one in lineage_components(rows).items()}
        versions: dict[str, str] = {}
        for md5, sample in samples.items():
            if version := self.files.get(md5):
                versions.setdefault(sample, version)
        for md5, sample in samples.items():
            if sample in versions:
                self.files.setdefault(md5, versions[sample])


def _exact(scan: "pa.Table") -> Iterator[Exact]:
    yield from zip(*(scan[name].to_pylist() for name in EXACT_COLUMNS), strict=True)


def tested_image_findings(catalog: Catalog, tested: ReleasedTestImages) -> list[Finding]:
    """Return training images that are test images of a version, whose results they invalidate."""
    unread = [
        finding(
            "version-unread",
            reason,
            file="registry/versions",
            hint="the test images of this version were not compared with the training images",
        )
        for reason in tested.unread
    ]
    if not tested.files:
        return unread
    tested.add_lineage(read_all_lineages(catalog.paths))
    values = _Values.of(tested)
    found = catalog.each(
        lambda name: list(_findings_in(catalog, name, tested, values)), what="check subsets"
    )
    return [*unread, *(finding for findings in found for finding in findings)]


class _Values(NamedTuple):
    """What to look for in the columns of a scan."""

    image_md5: "pa.Array"
    picture: "pa.Array"
    phash: "pa.Array"
    """Of images without a picture; rows that have one are then compared exactly."""

    @classmethod
    def of(cls, tested: ReleasedTestImages) -> "_Values":
        import pyarrow as pa

        return cls(
            pa.array(list(tested.files), pa.binary(16)),
            pa.array(list(tested.pictures), pa.binary(16)),
            pa.array([values[-1] for values in tested.exact], pa.uint64()),
        )


def tested_samples(
    catalog: Catalog, tested: ReleasedTestImages, names: Iterable[str]
) -> set[tuple[str, str, str]]:
    """Return samples of any phase that are test images of a version, as subset, phase and stem.

    Args:
        catalog: The registry.
        tested: The test images of all versions.
        names: The subsets to search.
    """
    if not tested.files:
        return set()
    tested.add_lineage(read_all_lineages(catalog.paths))
    values = _Values.of(tested)
    return {
        (name, row["phase"], row["stem"])
        for name in names
        for row, _ in _rows_in(catalog, name, tested, values, tuple(Phase))
    }


def _findings_in(
    catalog: Catalog, name: str, tested: ReleasedTestImages, values: _Values
) -> Iterator[Finding]:
    for row, message in _rows_in(catalog, name, tested, values, (Phase.TRAIN,)):
        yield finding(
            "leak-tested",
            message,
            subset=name,
            phase=row["phase"],
            stem=row["stem"],
            file=f"{DATA_ROOT}/{name}/img_dir/{row['phase']}/{row['image']}",
            hint="move it back to test, or remove it",
        )


def _rows_in(
    catalog: Catalog,
    name: str,
    tested: ReleasedTestImages,
    values: _Values,
    phases: tuple[Phase, ...],
) -> Iterator[tuple[dict[str, Any], str]]:
    """Yield the rows of a scan that are test images of a version, each with the message."""
    import pyarrow as pa
    import pyarrow.compute as pc

    scan = catalog.scan(name, ("stem", "image", *TESTED_COLUMNS))
    is_known = reduce(
        pc.or_,
        (pc.is_in(scan[column], known) for column, known in values._asdict().items()),
    )
    is_in_phase = pc.is_in(scan["phase"].cast(pa.string()), pa.array([p.value for p in phases]))
    scan = scan.filter(pc.and_(is_known, is_in_phase))
    for row, exact in zip(scan.to_pylist(), _exact(scan), strict=True):
        if version := tested.files.get(row["image_md5"]):
            yield row, f"was a test image of version {version}"
        elif version := tested.pictures.get(row["picture"]) or tested.exact.get(exact):
            yield row, f"was a test image of version {version}: another file with the same pixels"
