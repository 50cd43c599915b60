"""Checks of the registry on its text and tables alone: entries, tags and scans agree."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from sceneset.registry.catalog import Registry
from sceneset.registry.digests import COLUMNS, digests_of_scan, recorded_otherwise
from sceneset.registry.kinds import kind_problems
from sceneset.registry.places import DATA_ROOT
from sceneset.registry.query import stored
from sceneset.registry.rowrules import COLUMNS as ROW_COLUMNS
from sceneset.registry.rowrules import row_problems
from sceneset.registry.tombstones import Tombstones, in_folder
from sceneset.registry.views import rows_of
from sceneset.schemas.problem import Problem, ProblemsFoundError, in_order, problem
from sceneset.schemas.subset import SplitRow, Subset
from sceneset.schemas.tag import Tag

if TYPE_CHECKING:
    import pyarrow as pa

T = TypeVar("T")
_SCANNED = tuple(dict.fromkeys((*ROW_COLUMNS, *COLUMNS)))


def check(
    registry: Registry, names: Sequence[str] | None = None, *, notes: bool = False
) -> list[Problem]:
    """Return every finding on the listed subsets, errors first; notes only if asked for."""
    problems: list[Problem] = []
    try:
        registry.vocabulary, registry.params  # noqa: B018 - nothing else can be read without them
    except ProblemsFoundError as found:
        return found.problems
    stones = _read(lambda _: in_folder(registry.root), "", problems) or {}
    for name in registry.names if names is None else names:
        entry = _read(registry.entry, name, problems)
        tags = _read(partial(registry.tags, keep=False), name, problems)
        if entry and tags is not None:
            shown = registry.paths.shown
            problems += entry_problems(entry, tags, file=shown(registry.paths.entry(name)))
            problems += persons_conflicts(tags, subset=name, file=shown(registry.paths.tags(name)))
        if tags is not None:
            table = _read(partial(registry.scan, columns=_SCANNED), name, problems)
            if table is not None:
                problems += _scan_problems(registry, name, tags, table)
                problems += _sample_problems(registry, name, entry, tags, table, notes=notes)
            problems += _forgotten(registry, name, stones)
    problems += _leftovers(registry)
    return in_order(problems)


def _read(read: Callable[[str], T], name: str, problems: list[Problem]) -> T | None:
    try:
        return read(name)
    except ProblemsFoundError as found:
        problems += found.problems
        return None


Where = Callable[[int, SplitRow, str], dict[str, Any]]


def entry_problems(
    entry: Subset, tags: list[Tag], *, file: str, where: Where | None = None
) -> list[Problem]:
    """Compare a scene table with the tags: empty rows, wrong counts, samples in no row.

    ``where`` says at which file, row and field a row of the table is to be mended; left out, it
    is the entry itself, ``file``.
    """
    problems = []
    rows = rows_of(entry.splits, tags)

    def in_entry(number: int, _: SplitRow, field: str) -> dict[str, Any]:
        return {"file": file, "field": f"splits[{number}]{field}"}

    where = where or in_entry
    for number, (row, selected) in enumerate(rows, 1):
        if not selected:
            problems.append(
                problem(
                    "row-empty",
                    f"{row.file} selects no sample",
                    subset=entry.name,
                    **where(number, row, ""),
                    hint="mmsegmentation refuses an empty split file; tag samples with "
                    f"{row.scene} or take the row out",
                )
            )
        if row.images is not None and row.images != len(selected):
            problems.append(
                problem(
                    "count-differs",
                    f"{row.file} declares {row.images} images, {len(selected)} are counted",
                    subset=entry.name,
                    **where(number, row, ".images"),
                    hint=f"mend the tags, or declare {len(selected)}",
                )
            )
    problems += [
        problem(
            "row-missing",
            f"{count} {phase} samples tagged {scene} "
            f"({persons or 'persons not said'}) stand in no row",
            subset=entry.name,
            file=file,
            hint="add to splits: - {"
            + ", ".join(
                f"{what}: {said}"
                for what, said in (("scene", scene), ("persons", persons), ("phase", phase))
                if said
            )
            + ", file: <name>.txt}",
        )
        for (phase, scene, persons), count in _in_no_row(rows, tags).items()
    ]
    return problems


def _in_no_row(
    rows: list[tuple[SplitRow, list[Tag]]], tags: list[Tag]
) -> Counter[tuple[str, str, str | None]]:
    """Count memberships that no row of the table shows."""
    shown: dict[str, set[tuple[str, str]]] = {}
    told: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for row, selected in rows:
        keys = {tag.key for tag in selected}
        if row.persons:
            told.setdefault((row.scene, row.persons), set()).update(keys)
        else:
            shown.setdefault(row.scene, set()).update(keys)
    return Counter(
        (tag.phase, scene, persons)
        for tag in tags
        for scene, persons in tag.memberships
        if tag.key not in shown.get(scene, ())
        and tag.key not in told.get((scene, persons or ""), ())
    )


def persons_conflicts(tags: list[Tag], *, subset: str, file: str) -> list[Problem]:
    """Report samples that are single in one scene and multi in another; both are kept."""
    return [
        problem(
            "persons-conflict",
            f"{tag.stem} is "
            + ", ".join(f"{persons} in {scene}" for scene, persons in tag.memberships if persons),
            subset=subset,
            file=file,
            phase=tag.phase,
            stem=tag.stem,
            hint="kept as written in both; if one is wrong, mend its tags",
        )
        for tag in tags
        if tag.persons_word == "mixed"
    ]


def _scan_problems(
    registry: Registry, name: str, tags: list[Tag], table: "pa.Table"
) -> list[Problem]:
    try:
        problems = recorded_otherwise(
            registry.paths,
            name,
            digests_of_scan(table),
            "records other files than were scanned",
            f"run `dvc repro scan@{name}` where its images are; they may be newer than the scan",
        )
    except ProblemsFoundError as found:
        return found.problems
    tagged = {tag.key for tag in tags}
    phases, stems = table["phase"].to_pylist(), table["stem"].to_pylist()
    scanned = set(zip(phases, stems, strict=True))
    if len(scanned) != len(stems):
        problems.append(
            problem(
                "scan-broken",
                "names a sample twice",
                subset=name,
                file=registry.paths.shown(registry.paths.scan(name)),
                hint=f"delete it and run `dvc repro scan@{name}` where its images are",
            )
        )
    tags_file = registry.paths.shown(registry.paths.tags(name))
    problems += [
        problem(
            "tag-without-image",
            f"{phase} {stem!r} has tags and no image",
            subset=name,
            file=tags_file,
            phase=phase,
            stem=stem,
            hint=f"put its image and mask back and run `dvc repro scan@{name}`, or delete the row",
        )
        for phase, stem in tagged - scanned
    ] + [
        problem(
            "image-without-tag",
            f"{phase} {stem!r} has an image and no tags",
            subset=name,
            file=tags_file,
            phase=phase,
            stem=stem,
            hint=f"add the row {phase},{stem}",
        )
        for phase, stem in scanned - tagged
    ]
    return problems


def _sample_problems(
    registry: Registry,
    name: str,
    entry: Subset | None,
    tags: list[Tag],
    table: "pa.Table",
    *,
    notes: bool,
) -> Iterator[Problem]:
    """Yield what single samples are told: by their rows of the scan, and by the subset's kind."""
    folder = f"{DATA_ROOT}/{name}/"
    yield from row_problems(table, registry.params, folder=folder, subset=name, notes=notes)
    if entry:
        file = registry.paths.shown(registry.paths.tags(name))
        yield from kind_problems(entry, tags, table, registry.params, folder=folder, file=file)


def _forgotten(registry: Registry, name: str, stones: Tombstones) -> list[Problem]:
    """Report samples that were withdrawn and are there again."""
    try:
        pairs = list(stored(registry, name)) if stones else []
    except ProblemsFoundError:
        return []  # told already
    return [
        problem(
            "forgotten",
            f"was withdrawn: {stones[image.md5].reason}",
            subset=name,
            file=f"{DATA_ROOT}/{image.path}",
            phase=image.phase,
            stem=image.stem,
            hint=f"sceneset forget {image.md5} --reason ... takes it out",
        )
        for image, _ in pairs
        if image.md5 in stones
    ]


def _leftovers(registry: Registry) -> list[Problem]:
    """Report files of subsets that are not listed: nothing reads them."""
    listed = set(registry.names)
    return [
        problem(
            "not-registered",
            "belongs to a subset that params.yaml does not list",
            subset=path.stem,
            file=registry.paths.shown(path),
            hint="list it under subsets in params.yaml, or delete the file",
        )
        for folder, suffix in (("subsets", ".yaml"), ("tags", ".csv"), ("scans", ".parquet"))
        for path in sorted((registry.paths.registry / folder).glob(f"[!.]*{suffix}"))
        if path.stem not in listed
    ]
