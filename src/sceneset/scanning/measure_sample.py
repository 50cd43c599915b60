"""Measure samples: decode an image and its mask into one scan row, or report why that fails."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from sceneset.errors import FindingsError, UndecodableError
from sceneset.imaging.pillow_warnings import no_warnings
from sceneset.scanning.known_rows import KnownRows
from sceneset.schemas.finding import Finding, errors_of, finding
from sceneset.schemas.params import Limits
from sceneset.schemas.scan_row import ScanRow
from sceneset.schemas.terms import Phase
from sceneset.storage.files import first_bytes
from sceneset.threads import map_in_threads

if TYPE_CHECKING:
    from sceneset.imaging import facts

_NO_ROWS: KnownRows = {}


class Pair(NamedTuple):
    """The image and the mask of one sample."""

    phase: Phase
    stem: str
    image: Path
    mask: Path
    base: Path
    """Findings show paths relative to this folder."""
    md5: tuple[str, str] | None = None
    """Content hashes of image and mask, if they are known without reading the files."""
    thumbnail: bool = False
    """Whether to make a thumbnail; the image is then decoded even if its row is known."""

    def relative(self, path: Path) -> str:
        """Return ``path`` relative to ``base``, as findings show it."""
        return str(path).removeprefix(f"{self.base}{os.sep}")


class Content(NamedTuple):
    """The bytes of a file, and their MD5 hash if it was computed already."""

    data: bytes
    md5: str | None = None


Read = Callable[[Pair, Path], Content]
"""Returns the content of one of a pair's two files; raises FindingsError if it can't be read."""


def disk_reader(limits: Limits) -> Read:
    """Return a function that reads files from disk."""
    # Read one byte beyond the limit: the decoder then reports that the file is too large.
    return lambda pair, path: Content(first_bytes(path, pair.relative(path), limits.max_bytes + 1))


class Measured(NamedTuple):
    """The result for one pair."""

    pair: Pair
    row: ScanRow | None
    """None if a finding is an error."""
    findings: tuple[Finding, ...]
    thumbnail: bytes = b""
    """A JPEG, if the pair asks for a thumbnail."""
    is_new: bool = True
    """Whether the files were decoded. False if the row was known."""
    uses_1: bool = False
    """Whether the mask has pixels of value 1, as a class and not as a level of gray."""
    uses_classes: bool = False
    """Whether the mask has class numbers besides 0 and 255."""
    void_row: ScanRow | None = None
    """The row, if the only error is that the mask holds 0 and 255 alone. Where other masks use 1,
    such a mask says that nobody is there; see ``void_masks.py``."""


class Measure(Protocol):
    """A function that measures pairs, on this machine or on others."""

    def __call__(
        self, pairs: list[Pair], limits: Limits, *, known: KnownRows
    ) -> Iterable[Measured]:
        """Yield one result for each pair, in the order of ``pairs``."""


def measure_in_threads(
    pairs: Iterable[Pair],
    limits: Limits,
    *,
    known: KnownRows = _NO_ROWS,
    workers: int | None = None,
) -> Iterator[Measured]:
    """Measure pairs of files with threads and yield the results in the order of ``pairs``.

    Memory depends on the number of threads and not on the number of pairs.

    Args:
        pairs: The files to measure.
        limits: The largest sizes to decode.
        known: Rows of an earlier scan. The files of their pairs are not read.
        workers: Number of threads; by default the number of cores.
    """

    def measured(pair: Pair) -> Measured:
        row = known_row(pair, limits, known)
        return Measured(pair, row, (), is_new=False) if row else measure_pair(pair, limits)

    with no_warnings():
        yield from map_in_threads(measured, pairs, workers)


def measure_pair(pair: Pair, limits: Limits) -> Measured:
    """Read and decode both files of a pair, each once, and collect all findings about them."""
    return measure_loaded(pair, load_pair(pair, disk_reader(limits)), limits)


class LoadedPair(NamedTuple):
    """The contents of a pair's files, and findings about those that could not be read."""

    contents: Mapping[Path, Content]
    findings: Sequence[Finding] = ()


def load_pair(pair: Pair, read: Read) -> LoadedPair:
    """Read both files of a pair."""
    findings: list[Finding] = []
    contents: dict[Path, Content] = {}
    for path in (pair.image, pair.mask):
        try:
            contents[path] = read(pair, path)
        except FindingsError as error:
            findings.extend(error.findings)
    return LoadedPair(contents, findings)


def measure_loaded(pair: Pair, files: LoadedPair, limits: Limits) -> Measured:
    """Measure a pair whose files are in memory."""
    from sceneset.imaging import facts
    from sceneset.imaging.mask_values import uses_1, uses_classes, values_of_file

    person, other = 0, frozenset[int]()
    image: facts.ImageFacts | None = None
    mask: facts.MaskFacts | None = None
    findings = list(files.findings)
    for path, content in files.contents.items():
        try:
            if path is pair.image:
                image = facts.measure_image(
                    content.data, path.suffix, limits, content.md5, thumbnail=pair.thumbnail
                )
            else:
                mask = facts.measure_mask(content.data, limits, content.md5)
                person, other = mask.person, frozenset(mask.other)
        except UndecodableError as error:
            if error.code == "mask-mode":
                person, other = values_of_file(content.data)
            findings.append(
                finding(error.code, error.message, file=pair.relative(path), hint=error.hint)
            )
    if image and mask:
        file = pair.relative(pair.mask)
        mismatches = facts.pair_findings(image, mask)
        findings.extend(found.model_copy(update={"file": file}) for found in mismatches)
    sample = {"stem": pair.stem, "phase": pair.phase}
    findings = [found.model_copy(update=sample) for found in findings]
    row = void_row = None
    errors = {found.code for found in errors_of(findings)}
    if image and mask and not errors:
        row = _row(pair, image, mask)
    elif image and mask and errors == {"mask-0-255"}:
        void_row = _row(pair, image, mask)
    return Measured(
        pair,
        row,
        tuple(findings),
        image.thumbnail if image else b"",
        uses_1=uses_1(person, other),
        uses_classes=uses_classes(person, other),
        void_row=void_row,
    )


def known_row(pair: Pair, limits: Limits, known: KnownRows) -> ScanRow | None:
    """Return the row that measuring the pair would give, if it is known; None otherwise.

    It needs the hashes of both files. A pair that asks for a thumbnail has no known row, because
    its image must be decoded.
    """
    if not known or not pair.md5 or pair.thumbnail:
        return None
    row = known.get((*pair.md5, pair.image.suffix))
    if row is None or not _is_within(row, limits):
        return None
    names = {"phase": pair.phase, "stem": pair.stem}
    return row.model_copy(update=names | {"image": pair.image.name, "mask": pair.mask.name})


def _is_within(row: ScanRow, limits: Limits) -> bool:
    """Return whether a row of an earlier scan is within the present limits."""
    return (
        row.width * row.height <= limits.max_pixels
        and min(row.width, row.height) >= limits.min_side
        and max(row.image_bytes, row.mask_bytes) <= limits.max_bytes
    )


def _row(pair: Pair, image: "facts.ImageFacts", mask: "facts.MaskFacts") -> ScanRow:
    from sceneset.imaging import facts

    return ScanRow(
        phase=pair.phase,
        stem=pair.stem,
        image=pair.image.name,
        mask=pair.mask.name,
        image_md5=image.md5,
        mask_md5=mask.md5,
        picture=image.picture,
        image_bytes=image.size,
        mask_bytes=mask.size,
        width=image.width,
        height=image.height,
        mode=image.mode,
        traits=image.traits,
        mask_traits=mask.traits,
        orientation=image.orientation,
        sum_r=image.sums[0],
        sum_g=image.sums[1],
        sum_b=image.sums[2],
        sq_r=image.squares[0],
        sq_g=image.squares[1],
        sq_b=image.squares[2],
        phash=f"{image.hashes.phash:016x}",
        phash_mirror=f"{image.hashes.mirror:016x}",
        phash_turned="".join(f"{phash:016x}" for phash in image.hashes.turned),
        pdq=f"{image.hashes.pdq:064x}",
        person=mask.person,
        ignore=mask.ignore,
        box=mask.box,
        **mask.outline._asdict(),
        contrast=facts.contrast(image, mask),
        **mask.detail._asdict(),
        outline_edge=facts.outline_edge(image, mask),
    )
