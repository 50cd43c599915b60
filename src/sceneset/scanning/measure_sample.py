"""Measuring samples: two files in, one scan row or the findings that keep it from being one."""

import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from sceneset.errors import FindingsError
from sceneset.scanning.known_rows import KnownRows
from sceneset.schemas.finding import Finding, errors_of, finding
from sceneset.schemas.params import Limits
from sceneset.schemas.scan_row import ScanRow
from sceneset.schemas.terms import Phase
from sceneset.storage.files import first_bytes

if TYPE_CHECKING:
    from sceneset.imaging import facts as pixels

_NOTHING: KnownRows = {}
_BATCH = 512  # samples handed to the pool at a time: bounds what waits in memory


class Pair(NamedTuple):
    """The two files of one sample, and the folder that findings name them from."""

    phase: Phase
    stem: str
    image: Path
    mask: Path
    base: Path
    md5: tuple[str, str] | None = None
    """Content hashes of image and mask, where somebody knows them already."""
    thumbnail: bool = False
    """Whether a small copy is wanted: the image is decoded for it even where its row is known."""

    def shown(self, path: Path) -> str:
        """Return ``path`` as findings show it."""
        return str(path).removeprefix(f"{self.base}{os.sep}")


class Content(NamedTuple):
    """The bytes of a file, and their hash where it has been worked out."""

    data: bytes
    md5: str | None = None


Read = Callable[[Pair, Path], Content]
"""Returns one of a pair's files; raises ProblemsFoundError where it can't be had."""


def from_disk(limits: Limits) -> Read:
    """Return a reader of files."""
    # One byte more shows that a file is too large, which its decoder tells as of any.
    return lambda pair, path: Content(first_bytes(path, pair.shown(path), limits.max_bytes + 1))


class Measured(NamedTuple):
    """What came of one pair; ``row`` is None where a finding is an error."""

    pair: Pair
    row: ScanRow | None
    findings: tuple[Finding, ...]
    thumbnail: bytes = b""
    """A JPEG, where it was wanted."""
    is_new: bool = True
    """Whether it was measured; else its row was known."""


class Measure(Protocol):
    """Measures pairs, here or on other machines, in their order."""

    def __call__(
        self, pairs: list[Pair], limits: Limits, *, known: KnownRows
    ) -> Iterable[Measured]:
        """Yield what came of every pair."""


def measure_all(
    pairs: Iterable[Pair],
    limits: Limits,
    *,
    known: KnownRows = _NOTHING,
    workers: int | None = None,
) -> Iterator[Measured]:
    """Measure pairs of files in their order, on ``workers`` threads (as many as there are cores).

    Pairs with a ``known`` row are not read. Memory is bounded by the workers' pictures, not by the
    number of pairs.
    """

    def measured(pair: Pair) -> Measured:
        row = known_row(pair, limits, known)
        return Measured(pair, row, (), is_new=False) if row else measure(pair, limits)

    waiting = iter(pairs)
    with quiet(), ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        while batch := list(islice(waiting, _BATCH)):
            yield from pool.map(measured, batch)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep Pillow from warning of odd metadata on stderr; what counts is a finding of ours."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def measure(pair: Pair, limits: Limits) -> Measured:
    """Read both files once, decode each once, and collect all that is wrong with them."""
    return measure_bytes(pair, loaded(pair, from_disk(limits)), limits)


class Loaded(NamedTuple):
    """The bytes of a pair's files, and why some of them could not be had."""

    data: Mapping[Path, Content]
    findings: Sequence[Finding] = ()


def loaded(pair: Pair, read: Read) -> Loaded:
    """Read both files of a pair."""
    findings: list[Finding] = []
    data: dict[Path, Content] = {}
    for path in (pair.image, pair.mask):
        try:
            data[path] = read(pair, path)
        except FindingsError as found:
            findings.extend(found.findings)
    return Loaded(data, findings)


def measure_bytes(pair: Pair, files: Loaded, limits: Limits) -> Measured:
    """Measure a pair by the bytes of its files."""
    from sceneset.errors import UndecodableError
    from sceneset.imaging import facts as pixels

    image: pixels.ImageFacts | None = None
    mask: pixels.MaskFacts | None = None
    findings = list(files.findings)
    for path, content in files.data.items():
        try:
            if path is pair.image:
                image = pixels.image_facts(
                    content.data, path.suffix, limits, content.md5, thumbnail=pair.thumbnail
                )
            else:
                mask = pixels.mask_facts(content.data, limits, content.md5)
        except UndecodableError as bad:
            findings.append(finding(bad.code, bad.message, file=pair.shown(path), hint=bad.hint))
    if image and mask:
        file = pair.shown(pair.mask)
        wrong = pixels.pair_findings(image, mask)
        findings.extend(p.model_copy(update={"file": file}) for p in wrong)
    findings = [p.model_copy(update={"stem": pair.stem, "phase": pair.phase}) for p in findings]
    row = None
    if image and mask and not errors_of(findings):
        row = _row(pair, image, mask)
    return Measured(pair, row, tuple(findings), image.thumbnail if image else b"")


def known_row(pair: Pair, limits: Limits, known: KnownRows) -> ScanRow | None:
    """Return the row that would come out of a pair whose hashes are known, if it is."""
    if not known or not pair.md5 or pair.thumbnail:
        return None
    row = known.get((*pair.md5, pair.image.suffix))
    if row is None or not _within(row, limits):
        return None
    names = {"phase": pair.phase, "stem": pair.stem}
    return row.model_copy(update=names | {"image": pair.image.name, "mask": pair.mask.name})


def _within(row: ScanRow, limits: Limits) -> bool:
    """Whether a picture that was measured once would be measured still."""
    return (
        row.width * row.height <= limits.max_pixels
        and min(row.width, row.height) >= limits.min_side
        and max(row.image_bytes, row.mask_bytes) <= limits.max_bytes
    )


def _row(pair: Pair, image: "pixels.ImageFacts", mask: "pixels.MaskFacts") -> ScanRow:
    from sceneset.imaging import facts as pixels

    return ScanRow(
        phase=pair.phase,
        stem=pair.stem,
        image=pair.image.name,
        mask=pair.mask.name,
        image_md5=image.md5,
        mask_md5=mask.md5,
        image_bytes=image.size,
        mask_bytes=mask.size,
        width=image.width,
        height=image.height,
        mode=image.mode,
        traits=image.traits,
        orientation=image.orientation,
        sum_r=image.sums[0],
        sum_g=image.sums[1],
        sum_b=image.sums[2],
        sq_r=image.squares[0],
        sq_g=image.squares[1],
        sq_b=image.squares[2],
        phash=f"{image.looks.phash:016x}",
        phash_mirror=f"{image.looks.mirror:016x}",
        pdq=f"{image.looks.pdq:064x}",
        person=mask.person,
        ignore=mask.ignore,
        box=mask.box,
        **mask.outline._asdict(),
        contrast=pixels.contrast(image, mask),
    )
