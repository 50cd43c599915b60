"""All samples of a registry in one table, with what shows relations between them."""

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from sceneset.catalog.reader import Catalog
from sceneset.catalog.tag_columns import TagColumns, tag_columns
from sceneset.paths import DATA_ROOT
from sceneset.progress import Progress, no_progress
from sceneset.schemas.finding import Finding, finding
from sceneset.schemas.terms import Phase

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    from sceneset.quality.hamming_search import Hashes

    Rows = npt.NDArray[np.int64]

EXACT_COLUMNS = (
    "width", "height", "sum_r", "sum_g", "sum_b", "sq_r", "sq_g", "sq_b", "phash",
)  # fmt: skip
"""Columns of a scan that are only equal together if the stored pixels are the same."""

_SCAN_COLUMNS = (
    *("phase", "stem", "image", "image_md5", "mask_md5", "picture", "orientation"),
    *("phash", "phash_mirror", "phash_turned", "pdq"),
)
_TURNED_ROWS, _CROPS = 6, 8  # places in ``_SubsetColumns.numbers``
_TURNED = 6  # perceptual hashes in the column phash_turned: of the orientations 3 to 8


@dataclass
class SampleTable:
    """All samples of the listed subsets, column by column."""

    subset: list[str]
    phase: list[str]
    stem: list[str]
    file: list[str]
    """File names of the images."""
    source: list[str]
    """Declared sources (videos, sessions, original images); "" if there is none."""
    image_id: "Rows"
    """One number for each distinct content of an image file."""
    mask_id: "Rows"
    """One number for each distinct content of a mask file."""
    pixels_id: "Rows"
    """One number for each distinct picture: the same decoded pixels as shown. For scans without
    pictures, the same size, colour sums and perceptual hash, which only happens if the stored
    pixels are the same."""
    orientation: "Rows"
    """EXIF orientations of the images, 1 to 8."""
    hashes: "Hashes"
    """Samples x 2: the 64-bit perceptual hash of the image and of its mirror image."""
    pdq: "Hashes"
    """Samples x 4: the 256-bit PDQ hash, a second opinion."""
    turned_rows: "Rows"
    """The held-out samples (see ``read_sample_table``) whose scans have hashes of the turned image,
    in ascending order."""
    turned: "Hashes"
    """``turned_rows`` x 6: the 64-bit perceptual hash of the image as the EXIF orientations 3 to 8
    show it. Only held-out images are turned, so that a million training images need no memory."""
    crops: "Rows"
    """The rows of crops: samples with an origin."""
    progress: Progress = no_progress
    """Called by searches for similar images."""

    def image_path(self, row: int) -> str:
        """Return the path of an image, relative to the registry's root."""
        return f"{DATA_ROOT}/{self.subset[row]}/img_dir/{self.phase[row]}/{self.file[row]}"

    def finding_on(self, row: int, code: str, message: str, hint: str) -> Finding:
        """Return a finding about the sample in a row."""
        return finding(
            code,
            message,
            subset=self.subset[row],
            phase=self.phase[row],
            stem=self.stem[row],
            file=self.image_path(row),
            hint=hint,
        )

    def pdq_distance(self, rows: "Rows", others: "Rows") -> "Rows":
        """Return the Hamming distances (0 to 256 bits) between the PDQ hashes of pairs of rows."""
        import numpy as np

        bits = np.bitwise_count(self.pdq[rows] ^ self.pdq[others])
        total: Rows = bits.sum(axis=1, dtype=np.int64)
        return total


def read_sample_table(catalog: Catalog, *, turned: "Collection[str]" = ()) -> SampleTable:
    """Read the columns that show relations between samples.

    Args:
        catalog: The registry.
        turned: Subsets whose training images may become held-out ones, so that they are turned too.

    Raises:
        FindingsError: Scans or tags can't be read.
    """
    import numpy as np

    texts: list[list[str]] = [[], [], [], [], []]
    widths = (2, 2, 2, 1, 2, 4, 1, _TURNED, 1)
    numbers = [[np.empty((0, width), np.uint64)] for width in widths]
    has_picture = [np.empty(0, bool)]
    parts = catalog.each(
        lambda name: _columns(catalog, name, turn_all=name in turned), what="read samples"
    )
    for part in parts:
        before = len(texts[0])
        for column, values in zip(texts, part.texts, strict=True):
            column.extend(values)
        for place in (_TURNED_ROWS, _CROPS):
            part.numbers[place] += np.uint64(before)
        for blocks, block in zip(numbers, part.numbers, strict=True):
            blocks.append(block)
        has_picture.append(part.has_picture)
    subset, phase, stem, file, source = texts

    def joined() -> "Hashes":
        """Return the next column; its parts are dropped, because a column takes much memory."""
        return np.concatenate(numbers.pop(0))

    return SampleTable(  # in the order of the columns
        *(subset, phase, stem, file, source),
        image_id=row_ids(joined()),
        mask_id=row_ids(joined()),
        pixels_id=_pixels_id(catalog, joined(), np.concatenate(has_picture)),
        orientation=joined()[:, 0].astype(np.int64),
        hashes=joined(),
        pdq=joined(),
        turned_rows=joined()[:, 0].astype(np.int64),
        turned=joined(),
        crops=joined()[:, 0].astype(np.int64),
        progress=catalog.progress,
    )


class _SubsetColumns(NamedTuple):
    """The columns of one subset, in the order in which `read_sample_table` needs them."""

    texts: list[list[str]]
    numbers: "list[Hashes]"
    has_picture: "npt.NDArray[np.bool_]"


def _columns(catalog: Catalog, name: str, *, turn_all: bool) -> _SubsetColumns:
    import numpy as np

    scan = catalog.scan(name, _SCAN_COLUMNS)
    phases: list[Any] = list(map(sys.intern, scan["phase"].to_pylist()))  # one object for each
    stems = scan["stem"].to_pylist()
    source, is_crop = _sources(tag_columns(catalog, name, scan), phases, stems)
    texts = [[name] * len(stems), phases, stems, scan["image"].to_pylist(), source]
    image_md5, mask_md5, picture, pdq = (
        _words(scan[column], width)
        for column, width in (("image_md5", 2), ("mask_md5", 2), ("picture", 2), ("pdq", 4))
    )
    has_turned = scan["phash_turned"].is_valid().to_numpy()
    is_turned = np.array([turn_all or phase != Phase.TRAIN for phase in phases], bool)
    turned_rows = np.flatnonzero(is_turned & has_turned)
    numbers = [
        *(image_md5, mask_md5, picture, _integers(scan, ("orientation",))),
        *(_integers(scan, ("phash", "phash_mirror")), pdq),
        turned_rows.astype(np.uint64)[:, None],
        _words(scan["phash_turned"].take(turned_rows), _TURNED),
        np.flatnonzero(is_crop).astype(np.uint64)[:, None],
    ]
    return _SubsetColumns(texts, numbers, scan["picture"].is_valid().to_numpy())


def _sources(
    tags: TagColumns, phases: "Sequence[str]", stems: "Sequence[str]"
) -> tuple[list[str], list[bool]]:
    """Return the source of each row of a scan, and whether it is a crop; "" and False untagged."""
    sources = [*tags.sources, ""]  # the last one is that of samples without a source, -1
    values = [
        *zip((sources[place] for place in tags.source.tolist()), tags.is_crop.tolist(), strict=True)
    ]
    names = [tags.phase.to_pylist(), tags.stem.to_pylist()]
    if names != [phases, stems]:
        known = dict(zip(zip(*names, strict=True), values, strict=True))
        values = [known.get(key, ("", False)) for key in zip(phases, stems, strict=True)]
    return [source for source, _ in values], [is_crop for _, is_crop in values]


def _words(column: "pa.ChunkedArray", width: int) -> "Hashes":
    """Return a column of binary values as rows of 64-bit words; zeros for null."""
    import numpy as np

    empty = bytes(8 * width)
    values = [empty if value is None else value for value in column.to_pylist()]
    return np.frombuffer(b"".join(values), ">u8").reshape(-1, width).astype(np.uint64)


def _integers(scan: "pa.Table", columns: "Sequence[str]") -> "Hashes":
    import numpy as np

    return np.stack([scan[column].to_numpy().astype(np.uint64) for column in columns], axis=1)


def _pixels_id(catalog: Catalog, picture: "Hashes", has_picture: "npt.NDArray[np.bool_]") -> "Rows":
    """Return a number for each distinct picture.

    Rows of older scans have no picture. Such a row has the number of a row with equal sizes, sums
    and hash.
    """
    import numpy as np

    ids = row_ids(picture)
    if has_picture.all():
        return ids
    exact = catalog.each(lambda name: _integers(catalog.scan(name, EXACT_COLUMNS), EXACT_COLUMNS))
    same = row_ids(np.concatenate(list(exact)))
    known = np.flatnonzero(has_picture)
    picture_of = np.full(same.max(initial=-1) + 1, -1)
    picture_of[same[known]] = ids[known]
    fallback = np.where(picture_of[same] >= 0, picture_of[same], len(ids) + same)
    return np.where(has_picture, ids, fallback)


def row_ids(rows: "Hashes") -> "Rows":
    """Return a number for each row: equal rows have the same number, different rows never do."""
    import numpy as np

    # Sorting one mixed number per row takes a tenth of the time of sorting whole rows.
    odd = np.random.default_rng(0).integers(1 << 63, size=rows.shape[1], dtype=np.uint64) * 2 + 1
    _, first, ids = np.unique((rows * odd).sum(axis=1), return_index=True, return_inverse=True)
    if (rows[first[ids]] == rows).all():
        return np.asarray(ids, np.int64)
    return np.asarray(np.unique(rows, axis=0, return_inverse=True)[1], np.int64)
