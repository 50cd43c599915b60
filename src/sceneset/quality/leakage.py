"""Whether images are related to each other that should not be: told from scans and tags alone.

Related is: the same bytes, the same pixels, a picture that looks the same (its perceptual hash, or
that of its mirror image, is within few bits), or the same declared source (a video, a session, an
original).
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from sceneset.catalog.reader import Catalog
from sceneset.paths import DATA_ROOT
from sceneset.quality.similarity import Alike, Reach, Table, earlier, nearest, table_of
from sceneset.schemas.finding import Finding, finding, in_order
from sceneset.schemas.terms import Phase

if TYPE_CHECKING:
    from sceneset.quality.similarity import Rows

CODES = frozenset(
    {
        *("leak-bytes", "leak-pixels", "leak-near", "leak-source", "leak-review"),
        *("duplicate-bytes", "duplicate-near", "mask-disagrees", "clip-undeclared"),
    }
)
"""The rules that are looked at here."""

_TRAIN = Phase.TRAIN
_FRAMES = re.compile(r"(.*?)(\d+)$")
_CLIP = 4  # frames that make a run look like a clip
_STEP = 10  # bits between neighbouring frames, at most
_MOVE = (
    "put both on one side: move one with its mask to the other's phase and mend its row of tags, "
    "or take it out"
)
_LOOK = "look at both; if they show the same, give them one source in the tags, and one phase"


def leakage(catalog: Catalog) -> list[Finding]:
    """Return every relation of training images to held-out ones, errors first.

    Copies inside one phase, one picture with two masks, pictures that only may be related, and
    runs of frames without a source are warnings.
    """
    table, bits = table_of(catalog), catalog.params.leakage
    reach = Reach(bits.near, bits.review, bits.second)
    return in_order(
        [
            *_same_source(table),
            *_across(table, reach),
            *_within(table, bits.near),
            *_two_masks(table),
            *_clips(table),
        ]
    )


def _across(table: Table, reach: Reach) -> Iterator[Finding]:
    """Report each held-out image with the nearest training image, and how many more there are."""
    import numpy as np

    train = np.array([phase == _TRAIN for phase in table.phase], bool)
    held, trained = np.flatnonzero(~train), np.flatnonzero(train)
    same_bytes = _first_of(table.md5, trained)[table.md5]
    same_pixels = _first_of(table.picture, trained)[table.picture]
    alike = {found.one: found for found in nearest(table, held, trained, reach)}
    for n in held.tolist():
        if same_bytes[n] >= 0:
            said = f"has the same bytes as {table.place(same_bytes[n])}, which is trained on"
            yield table.found("leak-bytes", n, said, _MOVE)
        elif same_pixels[n] >= 0:
            said = f"has the same pixels as {table.place(same_pixels[n])}, which is trained on"
            yield table.found("leak-pixels", n, said, _MOVE)
        elif n in alike:
            yield _leak(table, alike[n], reach)


def _first_of(values: "Rows", rows: "Rows") -> "Rows":
    """Return the first of ``rows`` that has each value, or -1."""
    import numpy as np

    found = np.full(values.max(initial=-1) + 1, -1)
    found[values[rows[::-1]]] = rows[::-1]  # of several the last to be written stays
    return found


def _leak(table: Table, alike: Alike, reach: Reach) -> Finding:
    sure = alike.apart <= reach.near
    more = f" (and {alike.many - 1} more look like it)" if alike.many > 1 else ""
    said = f"{_looks_like(table, alike)}, which is trained on{more}"
    code, hint = ("leak-near", _MOVE) if sure else ("leak-review", _LOOK)
    return table.found(code, alike.one, said, hint)


def _looks_like(table: Table, alike: Alike) -> str:
    mirror = "the mirror image of " if alike.mirrored else ""
    return f"looks like {mirror}{table.place(alike.other)} ({alike.apart} of 64 bits apart)"


class Tested(NamedTuple):
    """The test images of all released versions."""

    images: dict[str, str]
    """The md5 of each image, and the first version that has it as a test image."""
    unread: tuple[str, ...]
    """Versions that can't be read, each with the reason."""


def once_tested(catalog: Catalog, tested: Tested) -> list[Finding]:
    """Return training images that were test images of a version: its results would be invalid."""
    from sceneset.catalog.query import stored

    unread = [
        finding(
            "version-unread", why, file="registry/versions", hint="its test images are not told"
        )
        for why in tested.unread
    ]
    return unread + [
        finding(
            "leak-tested",
            f"was a test image of version {tested.images[image.md5]}",
            subset=image.subset,
            phase=image.phase,
            stem=image.stem,
            file=f"{DATA_ROOT}/{image.path}",
            hint="put it back into test, or take it out",
        )
        for pairs in catalog.each(lambda name: list(stored(catalog, name)) if tested.images else [])
        for image, _ in pairs
        if image.phase == _TRAIN and image.md5 in tested.images
    ]


def _same_source(table: Table) -> Iterator[Finding]:
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


def _within(table: Table, near: int) -> Iterator[Finding]:
    """Report images that have a copy or a look-alike before them in their own phase."""
    import numpy as np

    hint = "a copy weighs its picture double; take one out if that is not meant"
    for phase in Phase:
        own = np.array([n for n, p in enumerate(table.phase) if p == phase], np.int64)
        first = _first_of(table.md5, own)[table.md5]
        alike = {found.one: found for found in earlier(table, own, near)}
        for n in sorted({*own[first[own] != own].tolist(), *alike}):
            if first[n] != n:
                said = f"has the same bytes as {table.place(first[n])}"
                yield table.found("duplicate-bytes", n, f"{said}, in the same phase", hint)
            else:
                said = f"{_looks_like(table, alike[n])}, in the same phase"
                yield table.found("duplicate-near", n, said, hint)


def _two_masks(table: Table) -> Iterator[Finding]:
    """Report pictures that stand before with another mask."""
    import numpy as np

    first = _first_of(table.picture, np.arange(len(table.picture)))[table.picture]
    for n in np.flatnonzero(table.mask != table.mask[first]).tolist():
        yield table.found(
            "mask-disagrees",
            n,
            f"is the same picture as {table.place(first[n])}, and their masks differ",
            "look at both masks, and keep the better sample",
        )


def _clips(table: Table) -> Iterator[Finding]:
    """Report numbered runs whose neighbours look alike and that name no source."""
    for _, rows in groupby(range(len(table.stem)), table.subset.__getitem__):
        yield from _clips_among(table, rows)


def _clips_among(table: Table, rows: Iterable[int]) -> Iterator[Finding]:
    runs: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for n in rows:
        match = _FRAMES.fullmatch(table.stem[n])
        if match and not table.source[n]:
            runs[match[1]].append((int(match[2]), n))
    for prefix, frames in runs.items():
        frames.sort()
        clip = _longest_clip(table, frames)
        if len(clip) >= _CLIP:
            first, last = clip[0], clip[-1]
            yield table.found(
                "clip-undeclared",
                first,
                f"to {table.stem[last]!r}: {len(clip)} numbered images whose neighbours look "
                "alike, as frames of one clip do, and no source is given",
                f"write the clip into their source column, for example {prefix.strip('_-') or 'a'}",
            )


def _longest_clip(table: Table, frames: Sequence[tuple[int, int]]) -> list[int]:
    """Return the longest stretch of a run in which each frame looks like the one before."""
    best: list[int] = []
    now: list[int] = []
    for _, n in frames:
        if now and (int(table.looks[now[-1], 0]) ^ int(table.looks[n, 0])).bit_count() > _STEP:
            now = []
        now.append(n)
        best = max(best, now, key=len)
    return best
