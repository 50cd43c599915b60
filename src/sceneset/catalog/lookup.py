"""Find rows of scene tables and samples by a query, by reading entries and tags.

The index (`sceneset.catalog.index`) answers the same queries from a database, with equal results.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from sceneset.catalog.query import Query
from sceneset.catalog.reader import Catalog
from sceneset.catalog.split_selection import (
    count_boxes,
    in_table_order,
    persons_of,
    samples_by_row,
)
from sceneset.paths import DATA_ROOT
from sceneset.schemas.scene import Vocabulary
from sceneset.schemas.subset import SplitRow, Subset
from sceneset.schemas.tag import Tag
from sceneset.schemas.terms import TOTAL


class FoundRow(NamedTuple):
    """A row of a subset's scene table, with the counts of the samples that it selects."""

    subset: str
    row: SplitRow
    images: int
    boxes: int | None
    """Number of detection boxes; None unless every sample has a count."""

    def as_json(self, vocabulary: Vocabulary) -> dict[str, Any]:
        """Return the object that `lookup --json` prints."""
        row = self.row
        default = vocabulary.describe(row.scene, row.persons, row.phase)
        return {
            "subset": self.subset,
            "scene": row.scene,
            "persons": row.persons,
            "phase": row.phase,
            "split": vocabulary.split_name(row.scene, row.persons, row.phase),
            "split_file": row.file,
            "path": f"{DATA_ROOT}/{self.subset}/split_dir/{row.file}",
            "images": self.images,
            "boxes": self.boxes,
            "description": {
                "en": row.description.en or default.en,
                "zh": row.description.zh or default.zh,
            },
        }


class FoundSample(NamedTuple):
    """A sample with its tags and the paths of its files, relative to the registry's root."""

    subset: str
    tag: Tag
    image: str
    mask: str

    def as_json(self) -> dict[str, Any]:
        """Return the object that `lookup --samples --json` prints, without the content hashes."""
        tag = self.tag
        return {
            "subset": self.subset,
            "phase": tag.phase,
            "stem": tag.stem,
            "image": self.image,
            "mask": self.mask,
            "scenes": list(dict.fromkeys(scene for scene, _ in tag.scenes)),
            "persons": tag.persons_summary,
            "memberships": [{"scene": s, "persons": p} for s, p in tag.memberships],
            "boxes": tag.boxes,
            "source": tag.source or None,
        }


def matches_row(query: Query, row: SplitRow) -> bool:
    """Return whether a query selects a row of a scene table."""
    return (
        (not query.scenes or row.scene in query.scenes)
        and query.persons in {None, row.persons}
        and (not query.phases or row.phase in query.phases)
    )


def matches_sample(query: Query, tag: Tag) -> bool:
    """Return whether a query selects a sample.

    With scenes, ``persons`` must match in one of these scenes; without, in any scene.
    """
    if query.phases and tag.phase not in query.phases:
        return False
    if not query.scenes or TOTAL in query.scenes:
        return query.persons is None or query.persons in persons_of(tag)
    return any(
        scene in query.scenes and query.persons in {None, persons}
        for scene, persons in tag.memberships
    )


def find_rows(catalog: Catalog, query: Query) -> list[FoundRow]:
    """Return the rows that a query selects, by subset, in the order of the document's table."""
    return [
        found
        for _, entry, tags in _read_subsets(catalog, query)
        for found in scene_table(catalog.vocabulary, entry, tags)
        if matches_row(query, found.row)
    ]


def scene_table(vocabulary: Vocabulary, entry: Subset, tags: Iterable[Tag]) -> list[FoundRow]:
    """Return all rows of a subset's scene table with their counts, in the table's order."""
    samples = dict(samples_by_row(entry.splits, tags))
    return [
        FoundRow(entry.name, row, len(samples[row]), count_boxes(samples[row]))
        for row in in_table_order(vocabulary, entry.splits)
    ]


def find_samples(catalog: Catalog, query: Query) -> list[FoundSample]:
    """Return the samples that a query selects, each once, sorted by subset, phase and stem."""
    return [
        FoundSample(
            name,
            tag,
            f"{DATA_ROOT}/{name}/img_dir/{tag.phase}/{tag.stem}{entry.img_suffix}",
            f"{DATA_ROOT}/{name}/ann_dir/{tag.phase}/{tag.stem}.png",
        )
        for name, entry, tags in _read_subsets(catalog, query)
        for tag in tags
        if matches_sample(query, tag)
    ]


def _read_subsets(catalog: Catalog, query: Query) -> Iterable[tuple[str, Subset, list[Tag]]]:
    names = [name for name in catalog.names if not query.subsets or name in query.subsets]
    return catalog.each(lambda name: (name, catalog.entry(name), catalog.tags(name)), names)
