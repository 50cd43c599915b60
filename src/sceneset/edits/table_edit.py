"""Tables of tags that people edit: write one for chosen samples, and take the edited one."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from sceneset.catalog.reader import Catalog, unknown_scene_finding
from sceneset.catalog.sample_choice import Chosen, Key
from sceneset.edits.draft import Draft
from sceneset.edits.retag import Retagged, stage_tags
from sceneset.errors import FindingsError, fail
from sceneset.schemas.finding import Finding, capped, finding
from sceneset.schemas.tag import Tag
from sceneset.storage.csv_rows import BrokenRowError, csv_rows, csv_text
from sceneset.storage.files import md5_of, read_text
from sceneset.storage.yaml_files import schema_finding

_EDITED = ("scenes", "persons", "boxes", "source")
_COLUMNS = ("subset", "phase", "stem", *_EDITED, "was")
"""The columns; "was" is a digest of the values when the table was written."""


class _Row(NamedTuple):
    line: int
    subset: str
    values: dict[str, str]
    was: str


def table_text(catalog: Catalog, chosen: Chosen) -> str:
    """Return a table of the tags of chosen samples, for people to edit."""
    rows = (
        (name, *_key_and_values(tag))
        for name, keys in sorted(chosen.items())
        for tag in catalog.tags(name, cache=False)
        if tag.key in keys
    )
    return csv_text(_COLUMNS, rows)


def _key_and_values(tag: Tag) -> tuple[str, ...]:
    values = _values(tag)
    return (tag.phase, tag.stem, *values, _digest(values))


def take_table(catalog: Catalog, draft: Draft, path: Path) -> Retagged:
    """Note the tags of an edited table in a draft; rows that are as before change nothing.

    Raises:
        FindingsError: The table can't be read, names a sample that is not there, or was written
            before its samples were changed.
    """
    by_subset: dict[str, list[_Row]] = {}
    for row in _read(path):
        by_subset.setdefault(row.subset, []).append(row)
    findings: list[Finding] = capped(
        (rows[0] for name, rows in by_subset.items() if name not in catalog.names),
        lambda row: finding(
            "sample-unknown",
            f"no subset is called {row.subset!r}",
            file=path.name,
            row=row.line,
            hint="correct the name, or delete its rows",
        ),
    )
    changed = 0
    for name in sorted(by_subset.keys() & set(catalog.names)):
        before = catalog.tags(name)
        new = _new_tags(catalog, before, by_subset[name], path, findings)
        after = [new.get(tag.key, tag) for tag in before]
        changed += sum(tag != old for tag, old in zip(after, before, strict=True))
        if not findings:
            stage_tags(catalog, draft, name, after)
    if findings:
        raise FindingsError(findings)
    return Retagged(changed, ())


def _values(tag: Tag) -> tuple[str, ...]:
    fields = tag.model_dump(mode="json")
    return tuple("" if fields[name] is None else str(fields[name]) for name in _EDITED)


def _digest(values: Sequence[str]) -> str:
    return md5_of("\0".join(values).encode())[:8]


def _read(path: Path) -> Iterator[_Row]:
    shown, hint = path.name, "write a table with `sceneset tag SCENE --to-csv FILE` and edit that"
    lines = csv_rows(read_text(path, shown))
    try:
        header = tuple(name.strip() for name in next(lines, (1, []))[1])
        if sorted(header) != sorted(_COLUMNS):
            columns = ",".join(_COLUMNS)
            fail("csv-broken", f"the columns are not {columns}", file=shown, row=1, hint=hint)
        for line, values in lines:
            if not values:
                continue
            if len(values) != len(header):
                message = f"{len(values)} values for {len(header)} columns"
                fail("csv-broken", message, file=shown, row=line, hint=hint)
            fields = dict(zip(header, values, strict=True))
            yield _Row(line, fields.pop("subset"), fields, fields.pop("was"))
    except BrokenRowError as error:
        fail("csv-broken", str(error), file=shown, row=error.line, hint=error.hint)


def _new_tags(
    catalog: Catalog,
    before: Sequence[Tag],
    rows: Sequence[_Row],
    path: Path,
    findings: list[Finding],
) -> dict[Key, Tag]:
    """Return the new tags of the samples of one subset; add what is wrong to ``findings``."""
    known, known_scenes = {tag.key: tag for tag in before}, catalog.vocabulary.by_key.keys()
    found: dict[Key, Tag] = {}
    unknown: list[_Row] = []
    stale: list[_Row] = []
    twice: list[_Row] = []
    broken: list[tuple[ErrorDetails, int]] = []
    scenes: list[tuple[str, int]] = []
    for row in rows:
        try:
            tag = Tag.model_validate(row.values)
        except ValidationError as error:
            broken.append((error.errors(include_url=False)[0], row.line))
            continue
        old = known.get(tag.key)
        if old is None:
            unknown.append(row)
        elif row.was != _digest(_values(old)):
            stale.append(row)
        elif tag.key in found:
            twice.append(row)
        else:
            scenes += [
                (scene, row.line) for scene in {scene for scene, _ in tag.scenes} - known_scenes
            ]
            found[tag.key] = old.model_copy(update={n: getattr(tag, n) for n in _EDITED})

    findings += capped(
        broken, lambda at: schema_finding(at[0], Tag, path.name, at[1], rows[0].subset)
    )
    findings += capped(
        scenes,
        lambda at: unknown_scene_finding(catalog.vocabulary, at[0], file=path.name, row=at[1]),
    )

    def report(code: str, message: str, hint: str, bad: Sequence[_Row]) -> list[Finding]:
        return capped(
            bad,
            lambda row: finding(
                code,
                f"{row.values['phase']}/{row.values['stem']} {message}",
                subset=row.subset,
                file=path.name,
                row=row.line,
                hint=hint,
            ),
        )

    findings += report("sample-unknown", "is no sample", "correct or delete the row", unknown)
    hint = "write the table again with --to-csv, and repeat the edit of these rows"
    findings += report("table-stale", "was changed since the table was written", hint, stale)
    findings += report("tag-duplicate", "already has a row", "delete one of the rows", twice)
    return found
