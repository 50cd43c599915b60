"""Choose the samples of a contact sheet, and find out what is written below their pictures.

Withdrawn samples are never shown, whatever state is read, and restricted ones only to those who
may see them.
"""

import heapq
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby, islice
from typing import TYPE_CHECKING, Any, NamedTuple

from sceneset.catalog.index import SampleGroup
from sceneset.catalog.provenance import restricted
from sceneset.catalog.reader import Catalog
from sceneset.catalog.subset_folder import printable
from sceneset.errors import BlobError
from sceneset.reporting.contact_sheet import Entry, Source, persons_text
from sceneset.schemas.orientation import STEPS
from sceneset.schemas.provenance import Restriction
from sceneset.schemas.tag import Tag
from sceneset.storage.files import md5_of
from sceneset.versions.local_files import LocalFiles

if TYPE_CHECKING:
    import pyarrow as pa

Key = tuple[str, str, str]
"""Subset, phase and stem."""

_KEYS = ("phase", "stem")
_SHOWN = (
    *("image_md5", "mask_md5", "picture", "width", "height", "person", "orientation"),
    *_KEYS,
)


@dataclass
class Choice:
    """The samples that a sheet shows."""

    keys: list[Key] = field(default_factory=list)
    selected: int = 0
    """Number of selected samples, shown or not."""
    withdrawn: int = 0
    """Number of samples that would be shown and are withdrawn."""
    restricted: int = 0
    """Number of other samples that would be shown and are restricted."""


class _Ranked(NamedTuple):
    value: float
    key: Key


def choose(
    catalog: Catalog,
    groups: Sequence[SampleGroup],
    *,
    limit: int,
    sort: str = "name",
    reverse: bool = False,
    left_out: Collection[Restriction] = (),
) -> Choice:
    """Return the first samples of a selection.

    Args:
        catalog: The registry.
        groups: The selected samples, sorted by subset, phase and stem.
        limit: Number of samples to show.
        sort: One of SORTS of `sceneset.catalog.sample_order`. Other orders than by name put the
            smallest value first, and samples that the scan does not have last.
        reverse: Whether to use the opposite order.
        left_out: Samples with one of these restrictions are not shown.

    Raises:
        FindingsError: A file of the registry can't be read.
    """
    choice = Choice(selected=sum(len(group.stems) for group in groups))
    by_subset = [(name, list(parts)) for name, parts in groupby(groups, lambda g: g.subset)]
    best: list[_Ranked] = []
    for name, parts in reversed(by_subset) if reverse and sort == "name" else by_subset:
        keys = [(group.phase, stem) for group in parts for stem in group.stems]
        if sort == "name":
            wanted = limit - len(choice.keys)
            ordered = reversed(keys) if reverse else iter(keys)
            shown = allowed(catalog, name, ordered, left_out, choice)
            choice.keys += [(name, *key) for key in islice(shown, wanted)]
            if len(choice.keys) == limit:
                break
            continue
        values = _values(_scan(catalog, name, (*_KEYS, "width", "height", "person")), sort)
        last = float("inf")
        ranked = (
            _Ranked(-values[key] if reverse else values[key], (name, *key))
            if key in values
            else _Ranked(last, (name, *key))
            for key in allowed(catalog, name, iter(keys), left_out, choice)
        )
        best = heapq.nsmallest(limit, [*best, *ranked])
    choice.keys += [ranked.key for ranked in best]
    return choice


def allowed(
    catalog: Catalog,
    name: str,
    keys: Iterable[tuple[str, str]],
    left_out: Collection[Restriction],
    choice: Choice,
) -> Iterator[tuple[str, str]]:
    """Yield those samples of a subset that may be shown, and count the others.

    Args:
        catalog: The registry.
        name: The subset.
        keys: Phase and stem of the samples.
        left_out: Samples with one of these restrictions are not shown.
        choice: Where the others are counted.

    Raises:
        FindingsError: A file of the registry can't be read.
    """
    withdrawn: set[tuple[str, str]] = set()
    if catalog.withdrawn.files:
        scan = _scan(catalog, name, (*_KEYS, "image_md5", "picture"))
        withdrawn = {(row["phase"], row["stem"]) for row, _ in catalog.withdrawn.rows_of(scan)}
    covered = restricted(catalog, name, left_out)
    for key in keys:
        if key in withdrawn:
            choice.withdrawn += 1
        elif covered.of(key):
            choice.restricted += 1
        else:
            yield key


def _values(scan: "pa.Table", sort: str) -> dict[tuple[str, str], float]:
    """Return what samples are sorted by, by phase and stem."""
    columns = {name: scan[name].to_pylist() for name in scan.column_names}
    rows = zip(*(columns[name] for name in (*_KEYS, "width", "height", "person")), strict=True)
    if sort == "size":
        return {(phase, stem): width * height for phase, stem, width, height, _ in rows}
    return {(phase, stem): person / (width * height) for phase, stem, width, height, person in rows}


def _scan(catalog: Catalog, name: str, columns: Sequence[str]) -> "pa.Table":
    """Return a scan; an empty one for a subset of the working tree that has none yet."""
    if catalog.origin is None and not catalog.paths.scan(name).exists():
        from sceneset.catalog.scan_table import table_from_rows

        return table_from_rows([], catalog.params.algorithms.scan).select(list(columns))
    return catalog.scan(name, columns)


class SheetEntry(NamedTuple):
    """A sample to show, with its files."""

    entry: Entry
    files: tuple[tuple[str, str | None], ...]
    """Path below the data root and hash of the image and the mask."""


def entries_of(
    catalog: Catalog,
    keys: Sequence[Key],
    files: LocalFiles,
    *,
    language: str = "en",
    texts: Mapping[Key, Sequence[str]] | None = None,
) -> list[SheetEntry]:
    """Return samples with what is written below their pictures, in the order of ``keys``.

    Samples that are not in the tags are left out.

    Args:
        catalog: The registry.
        keys: The samples.
        files: Reads the files.
        language: The language of the names of scenes.
        texts: Sentences about samples.

    Raises:
        FindingsError: A file of the registry can't be read.
    """
    found: dict[Key, SheetEntry] = {}
    for name in sorted({subset for subset, _, _ in keys}):
        wanted = {key[1:] for key in keys if key[0] == name}
        rows = _rows(catalog, name, wanted)
        place = _Place(catalog, name, files, language)
        for tag in catalog.tags(name):
            if tag.key in wanted:
                key = (name, str(tag.phase), tag.stem)
                found[key] = _entry(place, tag, rows.get(key[1:]), (texts or {}).get(key, ()))
    return [found[key] for key in dict.fromkeys(keys) if key in found]


def _rows(
    catalog: Catalog, name: str, wanted: Collection[tuple[str, ...]]
) -> dict[tuple[str, ...], dict[str, Any]]:
    """Return the rows of a scan that belong to samples, by phase and stem."""
    scan = _scan(catalog, name, _SHOWN)
    keys = zip(scan["phase"].to_pylist(), scan["stem"].to_pylist(), strict=True)
    places = [place for place, key in enumerate(keys) if key in wanted]
    return {(row["phase"], row["stem"]): row for row in scan.take(places).to_pylist()}


class _Place(NamedTuple):
    """A subset, and how its samples are read and described."""

    catalog: Catalog
    name: str
    files: LocalFiles
    language: str


def _entry(place: _Place, tag: Tag, row: dict[str, Any] | None, texts: Sequence[str]) -> SheetEntry:
    catalog, name, files, language = place
    suffix = catalog.entry(name).img_suffix
    image = f"{name}/img_dir/{tag.phase}/{tag.stem}{suffix}"
    mask = f"{name}/ann_dir/{tag.phase}/{tag.stem}.png"
    image_md5, mask_md5 = (row["image_md5"].hex(), row["mask_md5"].hex()) if row else (None, None)
    by_key = catalog.vocabulary.by_key
    scenes = dict.fromkeys(scene for scene, _ in tag.scenes)
    facts = [by_key[scene].name.text(language) for scene in scenes]
    facts.append(persons_text(tag.persons_summary, language))
    if row:
        width, height = row["width"], row["height"]
        if STEPS[row["orientation"] or 1][0]:
            width, height = height, width
        facts += [f"{width} x {height}", f"{100 * row['person'] / (width * height):.1f} %"]
    entry = Entry(
        subset=name,
        phase=str(tag.phase),
        stem=printable(tag.stem),
        suffix=suffix,
        image=refusing_withdrawn(catalog, partial(files.read, image, image_md5)),
        mask=partial(files.read, mask, mask_md5),
        facts=tuple(printable(fact) for fact in facts if fact),
        texts=tuple(map(printable, texts)),
    )
    return SheetEntry(entry, ((image, image_md5), (mask, mask_md5)))


def refusing_withdrawn(catalog: Catalog, source: Source) -> Source:
    """Return a source that does not give the file of a withdrawn image."""

    def read() -> bytes:
        data = source()
        if catalog.withdrawn.files and catalog.withdrawn.tombstone_of(md5_of(data), None):
            raise BlobError("is withdrawn")
        return data

    return read
