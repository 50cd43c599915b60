"""All samples of a registry side by side, and which of them look alike: from scans and tags."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from sceneset.catalog.reader import Catalog
from sceneset.paths import DATA_ROOT
from sceneset.schemas.finding import Finding, finding

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from sceneset.quality.hamming_search import Hashes

    Rows = npt.NDArray[np.int64]

_EXACT = ("width", "height", "sum_r", "sum_g", "sum_b", "sq_r", "sq_g", "sq_b", "phash")
_NAMES = ("phase", "stem", "image", "image_md5", "mask_md5", "phash_mirror", "pdq", *_EXACT)


@dataclass
class Table:
    """All samples of the listed subsets, column by column."""

    subset: list[str]
    phase: list[str]
    stem: list[str]
    file: list[str]
    source: list[str]
    md5: "Rows"
    """One number for each content of image files."""
    mask: "Rows"
    """The same of mask files."""
    picture: "Rows"
    """One number for each picture: two files have it in common only if their pixels are the same,
    as told by size, colour sums and look."""
    looks: "Hashes"
    """Samples x 2: perceptual hashes, and those of the mirror images."""
    pdq: "Hashes"
    """Samples x 4: 256 bits each."""

    def place(self, n: int) -> str:
        """Return an image's path from the registry's root."""
        return f"{DATA_ROOT}/{self.subset[n]}/img_dir/{self.phase[n]}/{self.file[n]}"

    def found(self, code: str, n: int, message: str, hint: str) -> Finding:
        """Make a finding about a sample."""
        return finding(
            code,
            message,
            subset=self.subset[n],
            phase=self.phase[n],
            stem=self.stem[n],
            file=self.place(n),
            hint=hint,
        )

    def apart(self, one: "Rows", other: "Rows") -> "Rows":
        """Return in how many of 256 bits the second opinions on pairs differ."""
        import numpy as np

        bits = np.bitwise_count(self.pdq[one] ^ self.pdq[other])
        total: Rows = bits.sum(axis=1, dtype=np.int64)
        return total


def table_of(catalog: Catalog) -> Table:
    """Read what the relations of samples are told by."""
    import numpy as np

    texts: list[list[str]] = [[], [], [], [], []]
    numbers = [[np.empty((0, wide), np.uint64)] for wide in (2, 2, len(_EXACT), 2, 4)]
    for said, measured in catalog.each(lambda name: _columns(catalog, name)):
        for column, more in zip(texts, said, strict=True):
            column.extend(more)
        for blocks, block in zip(numbers, measured, strict=True):
            blocks.append(block)
    subset, phase, stem, file, source = texts
    md5, mask, exact, looks, pdq = (np.concatenate(blocks) for blocks in numbers)
    return Table(
        *(subset, phase, stem, file, source),
        *(numbered(md5), numbered(mask), numbered(exact)),
        looks,
        pdq,
    )


def _columns(catalog: Catalog, name: str) -> "tuple[list[list[str]], list[Hashes]]":
    """Return the texts and the numbers of one subset, in the table's order."""
    import numpy as np

    scan, sources = catalog.scan(name, _NAMES), _sources(catalog, name)
    phases, stems = scan["phase"].to_pylist(), scan["stem"].to_pylist()
    source = [sources.get(key, "") for key in zip(phases, stems, strict=True)]
    texts = [[name] * len(stems), phases, stems, scan["image"].to_pylist(), source]
    numbers = [
        np.frombuffer(b"".join(scan[column].to_pylist()), ">u8").reshape(-1, wide)
        for column, wide in (("image_md5", 2), ("mask_md5", 2), ("pdq", 4))
    ]
    exact, looks = (
        np.stack([scan[column].to_numpy().astype(np.uint64) for column in columns], axis=1)
        for columns in (_EXACT, ("phash", "phash_mirror"))
    )
    md5, mask, pdq = (block.astype(np.uint64) for block in numbers)
    return texts, [md5, mask, exact, looks, pdq]


def numbered(rows: "Hashes") -> "Rows":
    """Return a number for each row: equal rows have one, and other rows another."""
    import numpy as np

    # Mixed to one number each, rows are sorted in a tenth of the time.
    odd = np.random.default_rng(0).integers(1 << 63, size=rows.shape[1], dtype=np.uint64) * 2 + 1
    _, first, number = np.unique((rows * odd).sum(axis=1), return_index=True, return_inverse=True)
    if (rows[first[number]] == rows).all():
        return np.asarray(number, np.int64)
    return np.asarray(np.unique(rows, axis=0, return_inverse=True)[1], np.int64)


def _sources(catalog: Catalog, name: str) -> dict[tuple[str, str], str]:
    return {tag.key: tag.source for tag in catalog.tags(name, keep=False) if tag.source}


class Alike(NamedTuple):
    """The nearest look-alike of one image."""

    one: int
    other: int
    apart: int
    """Bits in which their perceptual hashes differ."""
    mirrored: bool
    many: int
    """How many others are within the distance that was asked for."""


class Reach(NamedTuple):
    """How far two pictures may be apart and still be taken for related."""

    near: int
    """Bits of their perceptual hashes, without a second opinion."""
    review: int
    """The same, where the second opinion agrees."""
    second: int
    """Bits of the second opinion."""


def nearest(table: Table, ones: "Rows", others: "Rows", reach: Reach) -> Iterator[Alike]:
    """Yield, of all ``ones`` that have look-alikes among ``others``, the nearest of them."""
    best: dict[int, Alike] = {}
    # A hash and that of a mirror image are apart by other bits from one end than from the other.
    for sides in ((0, 0), (1, 0), (0, 1)):
        for found in _of_hashes(table, ones, others, reach, sides):
            known = best.get(found.one)
            if known is None or (found.apart, found.other) < (known.apart, known.other):
                best[found.one] = found
    yield from best.values()


def _of_hashes(
    table: Table, ones: "Rows", others: "Rows", reach: Reach, sides: tuple[int, int]
) -> Iterator[Alike]:
    """Compare looks, each once: thousands of black pictures are one look."""
    import numpy as np

    from sceneset.quality.hamming_search import Pairs, search

    mirrored = sides != (0, 0)
    of_one, mine = _looks(table, ones, sides[0])
    of_other, theirs = _looks(table, others, sides[1])
    counts = np.bincount(of_other)
    best, many = _Nearest(len(mine)), np.zeros(len(mine), np.int64)

    def take(pairs: Pairs) -> None:
        agreed = pairs.distance <= reach.near
        # A mirrored picture has no second opinion, and so is not reviewed.
        [unsure] = np.nonzero(~agreed)
        left, right = ones[mine[pairs.left[unsure]]], others[theirs[pairs.right[unsure]]]
        agreed[unsure] = table.apart(left, right) <= reach.second
        left, right = pairs.left[agreed], pairs.right[agreed]
        np.add.at(many, left, counts[right])
        best.take(left, others[theirs[right]], pairs.distance[agreed])

    bits = reach.near if mirrored else max(reach.near, reach.review)
    left, right = table.looks[ones[mine], sides[0]], table.looks[others[theirs], sides[1]]
    search(left, right, bits, take)
    other, apart = best.found()
    [rows] = np.nonzero(other[of_one] >= 0)
    for row, look in zip(rows.tolist(), of_one[rows].tolist(), strict=True):
        yield Alike(int(ones[row]), int(other[look]), int(apart[look]), mirrored, int(many[look]))


def _looks(table: Table, rows: "Rows", side: int) -> "tuple[Rows, Rows]":
    """Return a number for each look among ``rows``, and where in ``rows`` each stands first."""
    import numpy as np

    of_row = numbered(np.column_stack([table.looks[rows, side], table.pdq[rows]]))
    return of_row, np.unique(of_row, return_index=True)[1]


class _Nearest:
    """The nearest of what is taken, and of those as near the one that stands first."""

    def __init__(self, count: int) -> None:
        import numpy as np

        self.keys = np.full(count, np.iinfo(np.int64).max)

    def take(self, ones: "Rows", others: "Rows", apart: "npt.NDArray[np.uint8]") -> None:
        import numpy as np

        np.minimum.at(self.keys, ones, (apart.astype(np.int64) << _PLACES) | others)

    def found(self) -> "tuple[Rows, Rows]":
        """Return which it is, or -1; and how many bits apart."""
        import numpy as np

        none = self.keys == np.iinfo(np.int64).max
        other: Rows = np.where(none, -1, self.keys & ((1 << _PLACES) - 1))
        return other, self.keys >> _PLACES


_PLACES = 48  # bits for the place of a sample


def earlier(table: Table, own: "Rows", bits: int) -> Iterator[Alike]:
    """Yield each image of a phase that has look-alikes before it, with the nearest of them."""
    import numpy as np

    from sceneset.quality.hamming_search import Pairs, search

    values, first, of_one = np.unique(table.looks[own, 0], return_index=True, return_inverse=True)
    alike: dict[int, Alike] = {}
    for row in np.nonzero(first[of_one] != np.arange(len(own)))[0].tolist():
        one, other = int(own[row]), int(own[first[of_one[row]]])
        alike[one] = Alike(one, other, 0, mirrored=False, many=1)
    for mirrored, hashes in ((False, values), (True, table.looks[own[first], 1])):
        best = _Nearest(len(own))

        def take(pairs: Pairs, best: _Nearest = best) -> None:
            # Told of the later one, from whichever end it is found.
            ends = first[pairs.left], first[pairs.right]
            apart = ends[0] != ends[1]
            later, before = np.maximum(*ends), np.minimum(*ends)
            best.take(later[apart], own[before[apart]], pairs.distance[apart])

        search(hashes, values, bits, take)
        others, apart = best.found()
        for value in np.nonzero(others >= 0)[0].tolist():
            one, other = int(own[value]), int(others[value])
            nearer = one not in alike or (apart[value], other) < (
                alike[one].apart,
                alike[one].other,
            )
            if nearer:
                alike[one] = Alike(one, other, int(apart[value]), mirrored, many=1)
    yield from alike.values()
