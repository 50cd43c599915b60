"""Find rows of scene tables and samples by a query, by reading entries and tags.

The index (`sceneset.catalog.index`) answers the same queries from a database, with equal results.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from sceneset.catalog.matching import matches_row, matches_sample
from sceneset.catalog.query import Query
from sceneset.catalog.reader import Catalog
from sceneset.catalog.selections import chosen_samples
from sceneset.catalog.split_selection import count_boxes, in_table_order, samples_by_row
from sceneset.paths import DATA_ROOT
from sceneset.schemas.scene import Vocabulary
from sceneset.schemas.subset import SplitRow, Subset
from sceneset.schemas.tag import Tag
from sceneset.schemas.terms import Phase


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


def find_rows(catalog: Catalog, query: Query) -> list[FoundRow]:
    """Return the rows that a query selects, by subset, in the order of the document's table."""
    return [
        found
        for _, entry, tags in _read_subsets(catalog, query)
        for found in scene_table(catalog.vocabulary, entry, tags)
        if matches_row(query, found.row)
    ]


def rows_as_json(catalog: Catalog, query: Query) -> list[dict[str, Any]]:
    """Return what `lookup --json` prints: the rows of scenes, then a row for each selection.

    A selection has one row for each subset and phase; its row has no split file.
    """
    objects = [row.as_json(catalog.vocabulary) for row in find_rows(catalog, query)]
    for name in query.selections:
        part = Query((), query.persons, query.phases, query.subsets, (name,))
        chosen = catalog.params.selections[name]
        groups: dict[tuple[str, Phase], list[Tag]] = {}
        for sample in find_samples(catalog, part):
            groups.setdefault((sample.subset, sample.tag.phase), []).append(sample.tag)
        objects += [
            {
                "subset": subset,
                "scene": name,
                "persons": None if chosen.persons == "any" else chosen.persons,
                "phase": phase,
                "split": None,
                "split_file": None,
                "path": None,
                "images": len(tags),
                "boxes": count_boxes(tags),
                "description": {"en": chosen.description, "zh": chosen.description},
            }
            for (subset, phase), tags in groups.items()
        ]
    return objects


def scene_table(vocabulary: Vocabulary, entry: Subset, tags: Iterable[Tag]) -> list[FoundRow]:
    """Return all rows of a subset's scene table with their counts, in the table's order."""
    samples = dict(samples_by_row(entry.splits, tags))
    return [
        FoundRow(entry.name, row, len(samples[row]), count_boxes(samples[row]))
        for row in in_table_order(vocabulary, entry.splits)
    ]


def find_samples(catalog: Catalog, query: Query) -> list[FoundSample]:
    """Return the samples that a query selects, each once, sorted by subset, phase and stem."""
    chosen = chosen_samples(catalog, query)
    is_by_scene = bool(query.scenes) or not query.selections
    return [
        FoundSample(
            name,
            tag,
            f"{DATA_ROOT}/{name}/img_dir/{tag.phase}/{tag.stem}{entry.img_suffix}",
            f"{DATA_ROOT}/{name}/ann_dir/{tag.phase}/{tag.stem}.png",
        )
        for name, entry, tags in _read_subsets(catalog, query)
        for tag in tags
        if (is_by_scene and matches_sample(query, tag)) or tag.key in chosen.get(name, ())
    ]


def _read_subsets(catalog: Catalog, query: Query) -> Iterable[tuple[str, Subset, list[Tag]]]:
    names = [name for name in catalog.names if not query.subsets or name in query.subsets]
    return catalog.each(lambda name: (name, catalog.entry(name), catalog.tags(name)), names)
