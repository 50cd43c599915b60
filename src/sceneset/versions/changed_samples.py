"""The samples that differ between two states, and what identifies their pictures.

Unchanged samples are dropped subset by subset, so memory depends on the size of the largest changed
subset and on the number of changes. A subset whose scan and tags are the same bytes is not read.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from sceneset.catalog.reader import Catalog
from sceneset.errors import FindingsError, fail
from sceneset.quality.sample_table import EXACT_COLUMNS
from sceneset.storage.files import md5_of


class Place(NamedTuple):
    """Identifies a sample."""

    subset: str
    phase: str
    stem: str

    def __str__(self) -> str:
        return "/".join(self)


class Sample(NamedTuple):
    """A sample in one state."""

    place: Place
    image: str
    mask: str
    scenes: tuple[str, ...]


class Pixels(NamedTuple):
    """What identifies the picture of an image file."""

    picture: str
    """Digest of the decoded pixels as shown; "" in scans of earlier algorithms."""
    exact: tuple[int, ...]
    """Size, color sums and perceptual hash as stored: equal only if the stored pixels are."""

    def is_same(self, other: "Pixels") -> bool:
        """Return whether two files show the same picture."""
        if self.picture and other.picture:
            return self.picture == other.picture
        return self.exact == other.exact


_Row = tuple[bytes, bytes, tuple[str, ...]]
"""Hashes of image and mask, and the scenes."""


def changed_samples(old: Catalog, new: Catalog) -> tuple[list[Sample], list[Sample]]:
    """Return the samples of the old and of the new state that the other one does not have.

    Raises:
        FindingsError: Scans or tags of a changed subset can't be read; all errors of all subsets.
    """
    before: list[Sample] = []
    after: list[Sample] = []
    findings = []
    in_old, in_new = set(old.names), set(new.names)
    for name in sorted(in_old | in_new):
        try:
            if name in in_old & in_new and _have_same_files(old, new, name):
                continue
            olds = _rows(old, name) if name in in_old else {}
            news = _rows(new, name) if name in in_new else {}
        except FindingsError as error:
            findings += error.findings
            continue
        before += _differing(name, olds, news)
        after += _differing(name, news, olds)
    if findings:
        raise FindingsError(findings)
    return before, after


def _have_same_files(old: Catalog, new: Catalog, name: str) -> bool:
    """Return whether scan and tags of a subset are the same bytes in both states."""
    pairs = (
        (old.paths.scan(name), new.paths.scan(name)),
        (old.paths.tags(name), new.paths.tags(name)),
    )
    try:
        return all(
            first.stat().st_size == second.stat().st_size
            and md5_of(first.read_bytes()) == md5_of(second.read_bytes())
            for first, second in pairs
        )
    except OSError:
        return False  # reading them reports what is wrong


def _rows(catalog: Catalog, name: str) -> dict[tuple[str, str], _Row]:
    """Return the samples of a subset by phase and stem."""
    scan = catalog.scan(name, ("phase", "stem", "image_md5", "mask_md5"))
    columns = (scan[column].to_pylist() for column in scan.column_names)
    hashes = {
        (phase, stem): (image, mask) for phase, stem, image, mask in zip(*columns, strict=True)
    }
    rows: dict[tuple[str, str], _Row] = {}
    for tag in catalog.tags(name, cache=False):
        if tag.key not in hashes:
            fail(
                "scan-incomplete",
                f"the tags list {tag.phase}/{tag.stem}, which was not scanned",
                subset=name,
                phase=tag.phase,
                stem=tag.stem,
                file=catalog.paths.relative(catalog.paths.scan(name)),
                hint=f"run `dvc repro scan@{name}` where its images are, or remove its row from "
                "the tags",
            )
        rows[tag.key] = (*hashes[tag.key], _scenes(tag.memberships))
    return rows


@lru_cache(maxsize=4096)  # even a million tags have few different values
def _scenes(memberships: tuple[tuple[str, str | None], ...]) -> tuple[str, ...]:
    names = (f"{scene}:{persons}" if persons else scene for scene, persons in memberships)
    return tuple(sorted(names))


def _differing(
    subset: str, rows: dict[tuple[str, str], _Row], others: dict[tuple[str, str], _Row]
) -> list[Sample]:
    return [
        Sample(Place(subset, *key), row[0].hex(), row[1].hex(), row[2])
        for key, row in rows.items()
        if others.get(key) != row
    ]


def pixels_of(catalog: Catalog, samples: Iterable[Sample]) -> dict[str, Pixels]:
    """Return what identifies the pictures of some samples, by the content hash of the image."""
    import pyarrow as pa
    import pyarrow.compute as pc

    images: dict[str, set[bytes]] = {}
    for sample in samples:
        images.setdefault(sample.place.subset, set()).add(bytes.fromhex(sample.image))
    found: dict[str, Pixels] = {}
    for subset, hashes in images.items():
        scan = catalog.scan(subset, ("image_md5", "picture", *EXACT_COLUMNS))
        scan = scan.filter(pc.is_in(scan["image_md5"], pa.array(sorted(hashes), pa.binary(16))))
        numbers = zip(*(scan[name].to_pylist() for name in EXACT_COLUMNS), strict=True)
        columns = (scan["image_md5"].to_pylist(), scan["picture"].to_pylist(), numbers)
        for md5, picture, exact in zip(*columns, strict=True):
            found[md5.hex()] = Pixels((picture or b"").hex(), exact)
    return found
