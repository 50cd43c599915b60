"""Whether training images are related to those held out: told from scans and tags alone.

Related is: the same bytes, a picture that looks the same (its perceptual hash, or that of its
mirror image, is within few bits), or the same declared source (a video, a session, an original).
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from sceneset.registry.catalog import DATA_ROOT, Registry
from sceneset.schemas.base import Phase
from sceneset.schemas.problem import Problem, in_order, problem

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from sceneset.registry.near import Hashes

    Rows = npt.NDArray[np.int64]

_TRAIN = Phase.TRAIN
_FRAMES = re.compile(r"(.*?)(\d+)$")
_CLIP = 4  # frames that make a run look like a clip


@dataclass
class Table:
    """All samples of the listed subsets, column by column."""

    subset: "list[str]"
    phase: "list[str]"
    stem: "list[str]"
    file: "list[str]"
    source: "list[str]"
    md5: "list[bytes]"
    phash: "npt.NDArray[np.uint64]"
    mirror: "npt.NDArray[np.uint64]"

    def place(self, n: int) -> str:
        """Return an image's path from the registry's root."""
        return f"{DATA_ROOT}/{self.subset[n]}/img_dir/{self.phase[n]}/{self.file[n]}"

    def found(self, code: str, n: int, message: str, hint: str) -> Problem:
        """Make a finding about a sample."""
        return problem(
            code,
            message,
            subset=self.subset[n],
            phase=self.phase[n],
            stem=self.stem[n],
            file=self.place(n),
            hint=hint,
        )


def table_of(registry: Registry) -> Table:
    """Read what leakage is told by."""
    import numpy as np

    table = Table([], [], [], [], [], [], *([np.empty(0, np.uint64)] * 2))
    hashes = [[table.phash, table.mirror]]
    names = ("phase", "stem", "image", "image_md5", "phash", "phash_mirror")
    read = registry.each(lambda name: (name, registry.scan(name, names), registry.tags(name)))
    for name, scan, tags in read:
        sources = {tag.key: tag.source for tag in tags}
        phases, stems = scan["phase"].to_pylist(), scan["stem"].to_pylist()
        table.subset += [name] * len(stems)
        table.phase += phases
        table.stem += stems
        table.file += scan["image"].to_pylist()
        table.source += [sources.get(key, "") for key in zip(phases, stems, strict=True)]
        table.md5 += scan["image_md5"].to_pylist()
        hashes.append([scan[h].to_numpy() for h in ("phash", "phash_mirror")])
    table.phash, table.mirror = (np.concatenate(part) for part in zip(*hashes, strict=True))
    return table


def leakage(registry: Registry) -> list[Problem]:
    """Return every relation of training images to held-out ones, errors first.

    Copies inside one phase, pictures that only may be related, and runs of frames without a source
    are warnings.
    """
    table, bits = table_of(registry), registry.params.leakage
    return in_order(
        [
            *_same_source(table),
            *_across(table, bits.near, bits.review),
            *_within(table, bits.near),
            *_clips(table, bits.review),
        ]
    )


class _Alike(NamedTuple):
    """The nearest look-alike of one image."""

    one: int
    other: int
    apart: int
    """Bits in which their perceptual hashes differ."""
    mirrored: bool
    many: int
    """How many others are within the distance that was asked for."""


def _nearest(table: Table, ones: "Rows", others: "Rows", bits: int) -> Iterator[_Alike]:
    """Yield, of all ``ones`` that have look-alikes among ``others``, the nearest of them."""
    best: dict[int, _Alike] = {}
    for mirrored, hashes in ((False, table.phash), (True, table.mirror)):
        for alike in _of_hashes(hashes[ones], table.phash[others], ones, others, bits):
            found = alike._replace(mirrored=mirrored)
            known = best.get(found.one)
            if known is None or (found.apart, found.other) < (known.apart, known.other):
                best[found.one] = found
    yield from best.values()


def _of_hashes(
    mine: "Hashes", theirs: "Hashes", ones: "Rows", others: "Rows", bits: int
) -> Iterator[_Alike]:
    """Compare hashes, each value once: thousands of black pictures are one value."""
    import numpy as np

    from sceneset.registry.near import near_pairs

    left, of_one = np.unique(mine, return_inverse=True)
    right, first, counts = np.unique(theirs, return_index=True, return_counts=True)
    pairs = near_pairs(left, right, bits)
    many = np.zeros(len(left), np.int64)
    np.add.at(many, pairs.left, counts[pairs.right])
    # Of each value the nearest, and of those as near the one that stands first.
    places = others[first[pairs.right]]
    order = np.lexsort((places, pairs.distance, pairs.left))
    values, at = np.unique(pairs.left[order], return_index=True)
    chosen = order[at]
    nearest = dict(
        zip(
            values.tolist(),
            zip(places[chosen].tolist(), pairs.distance[chosen].tolist(), strict=True),
            strict=True,
        )
    )
    [rows] = np.nonzero(np.isin(of_one, values))
    for row, value in zip(rows.tolist(), of_one[rows].tolist(), strict=True):
        other, apart = nearest[value]
        yield _Alike(int(ones[row]), other, apart, mirrored=False, many=int(many[value]))


def _across(table: Table, near: int, review: int) -> Iterator[Problem]:
    """Report each held-out image with the nearest training image, and how many more there are."""
    import numpy as np

    train = np.array([phase == _TRAIN for phase in table.phase], bool)
    [held], [trained] = np.nonzero(~train), np.nonzero(train)
    for alike in _nearest(table, held, trained, max(near, review)):
        same, sure = table.md5[alike.one] == table.md5[alike.other], alike.apart <= near
        code = "leak-bytes" if same else "leak-near" if sure else "leak-review"
        more = f" (and {alike.many - 1} more look like it)" if alike.many > 1 else ""
        said = f"{_relation(table, alike)}, which is trained on{more}"
        yield table.found(code, alike.one, said, _MOVE if sure else _LOOK)


_MOVE = (
    "put both on one side: move one with its mask to the other's phase and mend its row of tags, "
    "or take it out"
)
_LOOK = "look at both; if they show the same, give them one source in the tags, and one phase"


def _relation(table: Table, alike: _Alike) -> str:
    place = table.place(alike.other)
    if table.md5[alike.one] == table.md5[alike.other]:
        return f"has the same bytes as {place}"
    mirror = "the mirror image of " if alike.mirrored else ""
    return f"looks like {mirror}{place} ({alike.apart} of 64 bits apart)"


def once_tested(registry: Registry) -> list[Problem]:
    """Return training images that were test images of a version: results told so far would lie.

    It reads versions out of git, so it is for commands and not for stages.
    """
    from sceneset.registry.history import History
    from sceneset.registry.query import stored

    tested = History(registry).tested()
    return [
        problem(
            "leak-tested",
            f"was a test image of version {tested[image.md5]}",
            subset=image.subset,
            phase=image.phase,
            stem=image.stem,
            file=f"{DATA_ROOT}/{image.path}",
            hint="put it back into test, or take it out",
        )
        for pairs in registry.each(lambda name: list(stored(registry, name)) if tested else [])
        for image, _ in pairs
        if image.phase == _TRAIN and image.md5 in tested
    ]


def _same_source(table: Table) -> Iterator[Problem]:
    """Report held-out images whose declared source is trained on."""
    trained: dict[str, int] = {}
    for n, source in enumerate(table.source):
        if source and table.phase[n] == _TRAIN:
            trained.setdefault(source, n)
    for n, source in enumerate(table.source):
        if source in trained and table.phase[n] != _TRAIN:
            yield table.found(
                "leak-source",
                n,
                f"is of {source!r}, and so is {table.place(trained[source])}, which is trained on",
                "put all of one source into one phase",
            )


def _within(table: Table, near: int) -> Iterator[Problem]:
    """Report images that have a look-alike before them in their own phase."""
    import numpy as np

    for phase in Phase:
        own = np.array([n for n, p in enumerate(table.phase) if p == phase], np.int64)
        for alike in _earlier(table, own, near):
            same = table.md5[alike.one] == table.md5[alike.other]
            yield table.found(
                "duplicate-bytes" if same else "duplicate-near",
                alike.one,
                f"{_relation(table, alike)}, in the same phase",
                "a copy weighs its picture double; take one out if that is not meant",
            )


def _earlier(table: Table, own: "Rows", bits: int) -> Iterator[_Alike]:
    """Yield each image of a phase that has look-alikes before it, with the nearest of them."""
    import numpy as np

    from sceneset.registry.near import near_pairs

    values, first, of_one = np.unique(table.phash[own], return_index=True, return_inverse=True)
    best: dict[int, _Alike] = {}
    for row in np.nonzero(first[of_one] != np.arange(len(own)))[0].tolist():
        one, other = int(own[row]), int(own[first[of_one[row]]])
        best[one] = _Alike(one, other, 0, mirrored=False, many=1)
    for mirrored, hashes in ((False, values), (True, table.mirror[own[first]])):
        pairs = near_pairs(hashes, values, bits)
        before = first[pairs.right] < first[pairs.left]
        found = (own[first[pairs.left[before]]], own[first[pairs.right[before]]])
        ones, others = (column.tolist() for column in found)
        for one, other, apart in zip(ones, others, pairs.distance[before].tolist(), strict=True):
            if one not in best or (apart, other) < (best[one].apart, best[one].other):
                best[one] = _Alike(one, other, apart, mirrored, many=1)
    yield from best.values()


def _clips(table: Table, bits: int) -> Iterator[Problem]:
    """Report numbered runs whose neighbours look alike and that name no source."""
    runs: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
    for n, stem in enumerate(table.stem):
        match = _FRAMES.fullmatch(stem)
        if match and not table.source[n]:
            runs[table.subset[n], match[1]].append((int(match[2]), n))
    for (_, prefix), frames in runs.items():
        frames.sort()
        clip = _longest_clip(table, frames, bits)
        if len(clip) >= _CLIP:
            first, last = clip[0], clip[-1]
            yield table.found(
                "clip-undeclared",
                first,
                f"to {table.stem[last]!r}: {len(clip)} numbered images whose neighbours look "
                "alike, as frames of one clip do, and no source is given",
                f"write the clip into their source column, for example {prefix.strip('_-') or 'a'}",
            )


def _longest_clip(table: Table, frames: Sequence[tuple[int, int]], bits: int) -> list[int]:
    """Return the longest stretch of a run in which each frame looks like the one before."""
    best: list[int] = []
    now: list[int] = []
    for _, n in frames:
        if now and (int(table.phash[now[-1]]) ^ int(table.phash[n])).bit_count() > bits:
            now = []
        now.append(n)
        best = max(best, now, key=len)
    return best
