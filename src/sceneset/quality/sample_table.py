"""All samples of a registry in one table, with what shows relations between them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sceneset.catalog.reader import Catalog
from sceneset.paths import DATA_ROOT
from sceneset.schemas.finding import Finding, finding

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from sceneset.quality.hamming_search import Hashes

    Rows = npt.NDArray[np.int64]

_EXACT = ("width", "height", "sum_r", "sum_g", "sum_b", "sq_r", "sq_g", "sq_b", "phash")
_SCAN_COLUMNS = ("phase", "stem", "image", "image_md5", "mask_md5", "phash_mirror", "pdq", *_EXACT)


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
    """One number for each distinct picture: files with the same number have the same size, colour
    sums and perceptual hash, which only happens if their pixels are the same."""
    hashes: "Hashes"
    """Samples x 2: the 64-bit perceptual hash of the image and of its mirror image."""
    pdq: "Hashes"
    """Samples x 4: the 256-bit PDQ hash, a second opinion."""

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


def read_sample_table(catalog: Catalog) -> SampleTable:
    """Read the columns that show relations between samples.

    Raises:
        FindingsError: Scans or tags can't be read.
    """
    import numpy as np

    texts: list[list[str]] = [[], [], [], [], []]
    numbers = [[np.empty((0, width), np.uint64)] for width in (2, 2, len(_EXACT), 2, 4)]
    for subset_texts, subset_numbers in catalog.each(lambda name: _columns(catalog, name)):
        for column, values in zip(texts, subset_texts, strict=True):
            column.extend(values)
        for blocks, block in zip(numbers, subset_numbers, strict=True):
            blocks.append(block)
    subset, phase, stem, file, source = texts
    image_md5, mask_md5, exact, hashes, pdq = (np.concatenate(blocks) for blocks in numbers)
    return SampleTable(
        *(subset, phase, stem, file, source),
        *(row_ids(image_md5), row_ids(mask_md5), row_ids(exact)),
        hashes,
        pdq,
    )


def _columns(catalog: Catalog, name: str) -> "tuple[list[list[str]], list[Hashes]]":
    """Return the text columns and the number columns of one subset, in the order of the table."""
    import numpy as np

    scan = catalog.scan(name, _SCAN_COLUMNS)
    sources = {tag.key: tag.source for tag in catalog.tags(name, cache=False) if tag.source}
    phases, stems = scan["phase"].to_pylist(), scan["stem"].to_pylist()
    source = [sources.get(key, "") for key in zip(phases, stems, strict=True)]
    texts = [[name] * len(stems), phases, stems, scan["image"].to_pylist(), source]
    image_md5, mask_md5, pdq = (
        np.frombuffer(b"".join(scan[column].to_pylist()), ">u8").reshape(-1, width)
        for column, width in (("image_md5", 2), ("mask_md5", 2), ("pdq", 4))
    )
    exact, hashes = (
        np.stack([scan[column].to_numpy().astype(np.uint64) for column in columns], axis=1)
        for columns in (_EXACT, ("phash", "phash_mirror"))
    )
    image_md5, mask_md5, pdq = (block.astype(np.uint64) for block in (image_md5, mask_md5, pdq))
    return texts, [image_md5, mask_md5, exact, hashes, pdq]


def row_ids(rows: "Hashes") -> "Rows":
    """Return a number for each row: equal rows have the same number, different rows never do."""
    import numpy as np

    # Sorting one mixed number per row takes a tenth of the time of sorting whole rows.
    odd = np.random.default_rng(0).integers(1 << 63, size=rows.shape[1], dtype=np.uint64) * 2 + 1
    _, first, ids = np.unique((rows * odd).sum(axis=1), return_index=True, return_inverse=True)
    if (rows[first[ids]] == rows).all():
        return np.asarray(ids, np.int64)
    return np.asarray(np.unique(rows, axis=0, return_inverse=True)[1], np.int64)
