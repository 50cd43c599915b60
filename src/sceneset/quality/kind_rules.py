"""Rules of kinds: what a full subset and a crop subset promise of their samples."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING

from sceneset.quality.sample_rules import Columns, of_row
from sceneset.schemas.finding import Finding, finding
from sceneset.schemas.params import Params
from sceneset.schemas.subset import Subset
from sceneset.schemas.tag import Box, Tag
from sceneset.schemas.terms import Kind, Persons

if TYPE_CHECKING:
    import pyarrow as pa


def kind_findings(
    entry: Subset, tags: Sequence[Tag], table: "pa.Table", params: Params, *, folder: str, file: str
) -> Iterator[Finding]:
    """Yield what a subset's samples are told that are not as its kind promises.

    ``folder`` is what the paths of images begin with, ``file`` where the tags stand.
    """
    if entry.kind is Kind.FULL:
        yield from _main(entry, tags, table, params, folder=folder)
        yield from _untold(entry, file=file)
    else:
        yield from _crops(entry, tags, file=file)
        yield from _overlaps(entry, tags, params.kinds.max_overlap, file=file)


def _main(
    entry: Subset, tags: Sequence[Tag], table: "pa.Table", params: Params, *, folder: str
) -> Iterator[Finding]:
    """Report people that take little of the picture, and single ones that are in pieces."""
    import numpy as np

    columns, kinds = Columns(table, params), params.kinds
    person = columns["person"]
    small = (person > 0) & (person < kinds.min_person * columns.pixels)
    for row in table.take(np.flatnonzero(small)).to_pylist():
        share = row["person"] / (row["width"] * row["height"])
        said = f"the person takes {100 * share:.2f} % of the picture"
        hint = "leave it out, or crop it closer"
        yield of_row("person-small", row, said, hint, folder=folder, subset=entry.name)
    single = {tag.key for tag in tags if tag.persons_word == Persons.SINGLE}
    for row in table.filter(np.asarray(columns["parts_total"] > 1)).to_pylist():
        main, rest = row["parts"][0], len(row["parts"]) - 1
        if main < kinds.min_main * row["person"] and (row["phase"], row["stem"]) in single:
            said = (
                f"tagged single, and its largest part of {rest + 1} is {main / row['person']:.0%}"
            )
            hint = "tag it multi if it shows several people"
            yield of_row("person-scattered", row, said, hint, folder=folder, subset=entry.name)


def _untold(entry: Subset, *, file: str) -> Iterator[Finding]:
    for row in entry.splits:
        if not row.is_total and row.persons is None:
            yield finding(
                "persons-untold",
                f"the row {row.file} does not say single or multi",
                subset=entry.name,
                file=file,
                hint="give it persons, or make two rows of it",
            )


def _crops(entry: Subset, tags: Sequence[Tag], *, file: str) -> Iterator[Finding]:
    """Report crops that show several, or that do not say where they come from."""
    for tag in tags:
        found = partial(_of_tag, entry, tag, file)
        if Persons.MULTI in {persons for _, persons in tag.memberships} | {tag.persons}:
            hint = "mend its tags, cut it closer, or put it into a full subset"
            yield found("crop-multi", said="is tagged multi; a crop shows one person", hint=hint)
        if tag.boxes is None:
            hint = "fill the boxes column with the boxes of its original"
            yield found("crop-boxes", said="has no box count", hint=hint)
        if not tag.source or tag.origin is None:
            lacks = "origin" if tag.source else "source"
            hint = "give its original as source, and origin as left top right bottom"
            yield found("crop-origin", said=f"has no {lacks}", hint=hint)


def _overlaps(entry: Subset, tags: Sequence[Tag], most: float, *, file: str) -> Iterator[Finding]:
    """Report crops of one original that lie over each other, each with the one before it."""
    of_source: dict[str, list[tuple[Box, Tag]]] = defaultdict(list)
    for tag in tags:
        if tag.source and tag.origin:
            of_source[tag.source].append((tag.origin, tag))
    for crops in of_source.values():
        for n, (box, tag) in enumerate(crops):
            shares = [(_overlap(box, other), one.stem) for other, one in crops[:n]]
            share, stem = max(shares, default=(0.0, ""))
            if share > most:
                said = f"shares {share:.0%} of {tag.source!r} with {stem!r}"
                hint = "keep one of them, or mend their origins"
                yield _of_tag(entry, tag, file, "crop-overlap", said=said, hint=hint)


def _overlap(one: Box, other: Box) -> float:
    """Return the share of the smaller box that lies in the other."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    smaller = min((b[2] - b[0]) * (b[3] - b[1]) for b in (one, other))
    return max(width, 0) * max(height, 0) / smaller


def _of_tag(entry: Subset, tag: Tag, file: str, code: str, *, said: str, hint: str) -> Finding:
    return finding(
        code,
        f"{tag.phase} {tag.stem!r} {said}",
        subset=entry.name,
        file=file,
        phase=tag.phase,
        stem=tag.stem,
        hint=hint,
    )
