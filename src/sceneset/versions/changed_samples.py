"""The samples that differ between two states, and what identifies their pictures.

Unchanged samples are dropped subset by subset, so memory depends on the size of the largest changed
subset and on the number of changes. A subset whose scan and tags are the same bytes is not read.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

from sceneset.catalog.reader import Catalog
from sceneset.catalog.scan_table import arrow_schema
from sceneset.errors import FindingsError, fail
from sceneset.quality.sample_table import EXACT_COLUMNS
from sceneset.schemas.tag import Tag
from sceneset.storage.files import md5_of

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa


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


_HASH_COLUMNS = ("phase", "stem", "image_md5", "mask_md5")
_BATCH = 1 << 13  # samples that are converted to Python objects at a time


class _Rows(NamedTuple):
    """The samples of a subset in columns: an object for each would take ten times the memory."""

    scan: "pa.Table"
    """Phases, stems and hashes."""
    scenes: Sequence[tuple[str, ...]]
    """The scenes of each sample; equal ones are one object."""
    digests: "npt.NDArray[np.bytes_]"
    """Digests of 16 bytes: two samples are equal only if their digests are."""

    @classmethod
    def of(cls, scan: "pa.Table", scenes: Sequence[tuple[str, ...]]) -> Self:
        """Return the rows of a scan with the columns above."""
        import numpy as np

        return cls(scan, scenes, np.fromiter(_digests(scan, scenes), "S16", len(scenes)))


def _digests(scan: "pa.Table", scenes: Sequence[tuple[str, ...]]) -> Iterator[bytes]:
    remaining = iter(scenes)
    for batch in scan.to_batches(max_chunksize=_BATCH):
        columns = (batch[name].to_pylist() for name in _HASH_COLUMNS)
        for (phase, stem, image, mask), names in zip(
            zip(*columns, strict=True), remaining, strict=False
        ):
            text = "\0".join((phase, stem, *names))  # no name contains this character
            yield blake2b(image + mask + text.encode(), digest_size=16).digest()


def _no_rows() -> _Rows:
    return _Rows.of(arrow_schema().empty_table().select(_HASH_COLUMNS), ())


def changed_samples(old: Catalog, new: Catalog) -> tuple[list[Sample], list[Sample]]:
    """Return the samples of the old and of the new state that the other one does not have.

    Raises:
        FindingsError: Scans or tags of a changed subset can't be read; all errors of all subsets.
    """
    before: list[Sample] = []
    after: list[Sample] = []
    findings = []
    in_old, in_new = set(old.names), set(new.names)
    names = sorted(in_old | in_new)
    for name in new.progress(names, len(names), "compare subsets"):
        try:
            if name in in_old & in_new and _have_same_files(old, new, name):
                continue
            olds = _rows(old, name) if name in in_old else _no_rows()
            news = _rows(new, name) if name in in_new else _no_rows()
        except FindingsError as error:
            findings += error.findings
            continue
        before += _differing(name, olds, news)
        after += _differing(name, news, olds)
    if findings:
        raise FindingsError(findings)
    return before, after


def check_samples(catalog: Catalog) -> None:
    """Read the samples of all subsets as a comparison with another state would.

    Raises:
        FindingsError: Scans or tags can't be read.
    """
    for name in catalog.names:
        _rows(catalog, name)


def _have_same_files(old: Catalog, new: Catalog, name: str) -> bool:
    """Return whether scan and tags of a subset are the same bytes in both states."""
    return have_same_bytes(old.paths.scan(name), new.paths.scan(name)) and have_same_bytes(
        old.paths.tags(name), new.paths.tags(name)
    )


def have_same_bytes(first: Path, second: Path) -> bool:
    """Return whether two files have the same bytes; False if one can't be read."""
    try:
        return first.stat().st_size == second.stat().st_size and md5_of(
            first.read_bytes()
        ) == md5_of(second.read_bytes())
    except OSError:
        return False  # reading them reports what is wrong


def _rows(catalog: Catalog, name: str) -> _Rows:
    """Return the samples of a subset, in the order of its tags."""
    scan = catalog.scan(name, ("phase", "stem", "image_md5", "mask_md5"))
    tags = catalog.tags(name, cache=False)
    if not _has_order_of(scan, tags):
        keys = zip(scan["phase"].to_pylist(), scan["stem"].to_pylist(), strict=True)
        number_of = {key: number for number, key in enumerate(keys)}
        for tag in tags:
            if tag.key not in number_of:
                fail(
                    "scan-incomplete",
                    f"the tags list {tag.phase}/{tag.stem}, which was not scanned",
                    subset=name,
                    phase=tag.phase,
                    stem=tag.stem,
                    file=catalog.paths.relative(catalog.paths.scan(name)),
                    hint=f"run `dvc repro scan@{name}` where its images are, or remove its row "
                    "from the tags",
                )
        import pyarrow as pa

        scan = scan.take(pa.array([number_of[tag.key] for tag in tags], pa.int64()))
    return _Rows.of(scan, [_scenes(tag.memberships) for tag in tags])


def _has_order_of(scan: "pa.Table", tags: Sequence[Tag]) -> bool:
    """Return whether a scan has the samples of the tags in the same order, as it should."""
    if len(scan) != len(tags):
        return False
    remaining = iter(tags)
    return all(
        tag.phase == phase and tag.stem == stem
        for batch in scan.to_batches(max_chunksize=_BATCH)
        for phase, stem, tag in zip(
            batch["phase"].to_pylist(), batch["stem"].to_pylist(), remaining, strict=False
        )
    )


@lru_cache(maxsize=4096)  # even a million tags have few different values
def _scenes(memberships: tuple[tuple[str, str | None], ...]) -> tuple[str, ...]:
    names = (f"{scene}:{persons}" if persons else scene for scene, persons in memberships)
    return tuple(sorted(names))


def _differing(subset: str, rows: _Rows, others: _Rows) -> list[Sample]:
    """Return the samples that the other state does not have in the same way."""
    import numpy as np

    numbers = np.flatnonzero(~np.isin(rows.digests, others.digests))
    columns = (rows.scan[name].take(numbers).to_pylist() for name in _HASH_COLUMNS)
    return [
        Sample(Place(subset, phase, stem), image.hex(), mask.hex(), rows.scenes[number])
        for number, phase, stem, image, mask in zip(numbers.tolist(), *columns, strict=True)
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
