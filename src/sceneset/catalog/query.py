"""Look-ups: rows and samples by scene, persons, phase and subset, over all subsets."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sceneset.catalog.reader import Catalog
from sceneset.catalog.split_selection import boxes_of, persons_said, rows_of, table_order
from sceneset.errors import UnknownNameError
from sceneset.paths import DATA_ROOT
from sceneset.schemas.scene import Vocabulary
from sceneset.schemas.subset import SplitRow, Subset
from sceneset.schemas.tag import Tag
from sceneset.schemas.terms import Persons, Phase


@dataclass(frozen=True)
class Query:
    """What is asked for; an empty field asks for all."""

    scenes: tuple[str, ...] = ()
    """Canonical keys, or "total"."""
    persons: Persons | None = None
    phases: tuple[Phase, ...] = ()
    subsets: tuple[str, ...] = ()

    def wants_row(self, row: SplitRow) -> bool:
        """Whether a row of a scene table answers the query."""
        return (
            (not self.scenes or row.scene in self.scenes)
            and self.persons in {None, row.persons}
            and (not self.phases or row.phase in self.phases)
        )

    def wants_sample(self, tag: Tag) -> bool:
        """Whether a sample stands in one of the scenes, with the persons asked for there."""
        if self.phases and tag.phase not in self.phases:
            return False
        if not self.scenes or "total" in self.scenes:
            return self.persons is None or self.persons in persons_said(tag)
        return any(
            scene in self.scenes and self.persons in {None, persons}
            for scene, persons in tag.memberships
        )


class FoundRow(NamedTuple):
    """A row of a scene table that answers a query."""

    subset: str
    row: SplitRow
    images: int
    boxes: int | None

    def as_json(self, vocabulary: Vocabulary) -> dict[str, Any]:
        """Return the row as `lookup --json` prints it."""
        row = self.row
        said = row.description.model_copy()
        words = vocabulary.describe(row.scene, row.persons, row.phase)
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
            "description": {"en": said.en or words.en, "zh": said.zh or words.zh},
        }


class FoundSample(NamedTuple):
    """A sample that answers a query."""

    subset: str
    tag: Tag
    image: str
    mask: str

    def as_json(self) -> dict[str, Any]:
        """Return what tags say of the sample; hashes come from the scan."""
        tag = self.tag
        return {
            "subset": self.subset,
            "phase": tag.phase,
            "stem": tag.stem,
            "image": self.image,
            "mask": self.mask,
            "scenes": list(dict.fromkeys(scene for scene, _ in tag.scenes)),
            "persons": tag.persons_word,
            "memberships": [{"scene": s, "persons": p} for s, p in tag.memberships],
            "boxes": tag.boxes,
            "source": tag.source or None,
        }


def ask(
    catalog: Catalog,
    scenes: Iterable[str] = (),
    *,
    persons: str | None = None,
    phases: Iterable[str] = (),
    subsets: Iterable[str] = (),
) -> Query:
    """Return a checked query; scenes in any of their names, subsets also by their note.

    Raises:
        UnknownNameError: a scene or a subset is not known; the nearest are named.
    """
    return Query(
        scenes=tuple(_scene(catalog.vocabulary, name) for name in scenes),
        persons=Persons(persons) if persons else None,
        phases=tuple(Phase(phase) for phase in phases),
        subsets=tuple(_subset(catalog.names, name) for name in subsets),
    )


def _scene(vocabulary: Vocabulary, name: str) -> str:
    key = vocabulary.find(name)
    if key:
        return key
    near = vocabulary.nearest(name)
    hint = f"Nearest: {', '.join(near)}. " if near else ""
    raise UnknownNameError(f"no scene is called {name!r}. {hint}`sceneset scenes` lists them all.")


def _subset(names: Sequence[str], wanted: str) -> str:
    if wanted in names:
        return wanted
    if not wanted.strip():
        raise UnknownNameError("the subset's name is empty; write a part of it.")
    holding = [name for name in names if wanted.casefold() in name.casefold()]
    if len(holding) == 1:
        return holding[0]
    if holding:
        raise UnknownNameError(f"{wanted!r} may be {' or '.join(holding)}: write more of it.")
    import difflib

    near = difflib.get_close_matches(wanted, names, n=3, cutoff=0.4) or names[:3]
    hint = f"Nearest: {', '.join(near)}." if near else "The registry is empty: sceneset add."
    raise UnknownNameError(f"no subset is called {wanted!r}. {hint}")


def find_rows(catalog: Catalog, query: Query) -> list[FoundRow]:
    """Return the rows of scene tables that answer, subset by subset in the table's order."""
    return [
        found
        for _, entry, tags in _read(catalog, query)
        for found in scene_table(catalog.vocabulary, entry, tags)
        if query.wants_row(found.row)
    ]


def scene_table(vocabulary: Vocabulary, entry: Subset, tags: Iterable[Tag]) -> list[FoundRow]:
    """Return all rows of a subset in the table's order, counted."""
    views = dict(rows_of(entry.splits, tags))
    return [
        FoundRow(entry.name, row, len(views[row]), boxes_of(views[row]))
        for row in table_order(vocabulary, entry.splits)
    ]


def find_samples(catalog: Catalog, query: Query) -> list[FoundSample]:
    """Return the samples that answer, each once, sorted by subset, phase and stem."""
    return [
        FoundSample(
            name,
            tag,
            f"{DATA_ROOT}/{name}/img_dir/{tag.phase}/{tag.stem}{entry.img_suffix}",
            f"{DATA_ROOT}/{name}/ann_dir/{tag.phase}/{tag.stem}.png",
        )
        for name, entry, tags in _read(catalog, query)
        for tag in tags
        if query.wants_sample(tag)
    ]


def content_hashes(catalog: Catalog, subset: str) -> dict[tuple[str, str], tuple[str, str]]:
    """Return the md5 of image and mask of every sample of a subset, from its scan."""
    names = ("phase", "stem", "image_md5", "mask_md5")
    table = catalog.scan(subset, names)
    columns = (table[name].to_pylist() for name in names)
    return {
        (phase, stem): (image.hex(), mask.hex())
        for phase, stem, image, mask in zip(*columns, strict=True)
    }


class Stored(NamedTuple):
    """One file of a subset, as the scan knows it."""

    subset: str
    folder: str
    """img_dir or ann_dir."""
    phase: str
    stem: str
    file: str
    md5: str
    bytes: int

    @property
    def path(self) -> str:
        """Where it stands below the data root."""
        return f"{self.subset}/{self.folder}/{self.phase}/{self.file}"


def stored(catalog: Catalog, subset: str) -> Iterator[tuple[Stored, Stored]]:
    """Yield image and mask of every sample of a subset, from its scan."""
    halves = []
    for folder, what in (("img_dir", "image"), ("ann_dir", "mask")):
        names = ("phase", "stem", what, f"{what}_md5", f"{what}_bytes")
        table = catalog.scan(subset, names)
        rows = zip(*(table[name].to_pylist() for name in names), strict=True)
        halves.append(
            [
                Stored(subset, folder, phase, stem, file, md5.hex(), size)
                for phase, stem, file, md5, size in rows
            ]
        )
    yield from zip(*halves, strict=True)


def _read(catalog: Catalog, query: Query) -> Iterable[tuple[str, Subset, list[Tag]]]:
    names = [name for name in catalog.names if not query.subsets or name in query.subsets]
    return catalog.each(lambda name: (name, catalog.entry(name), catalog.tags(name)), names)
