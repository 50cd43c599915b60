"""Checks of the registry on its text and tables alone: entries, tags and scans agree."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from sceneset.catalog.query import stored
from sceneset.catalog.reader import Catalog
from sceneset.catalog.split_selection import rows_of
from sceneset.catalog.tombstones import Tombstones, in_folder
from sceneset.errors import FindingsError
from sceneset.paths import DATA_ROOT
from sceneset.quality.kind_rules import kind_findings
from sceneset.quality.sample_rules import COLUMNS as ROW_COLUMNS
from sceneset.quality.sample_rules import sample_findings
from sceneset.schemas.finding import Finding, finding, in_order
from sceneset.schemas.subset import SplitRow, Subset
from sceneset.schemas.tag import Tag
from sceneset.storage.dvc_digests import COLUMNS, digests_of_scan, recorded_otherwise

if TYPE_CHECKING:
    import pyarrow as pa

T = TypeVar("T")
_SCANNED = tuple(dict.fromkeys((*ROW_COLUMNS, *COLUMNS)))


def check(
    catalog: Catalog, names: Sequence[str] | None = None, *, notes: bool = False
) -> list[Finding]:
    """Return every finding on the listed subsets, errors first; notes only if asked for."""
    findings: list[Finding] = []
    try:
        catalog.vocabulary, catalog.params  # noqa: B018 - nothing else can be read without them
    except FindingsError as found:
        return found.findings
    stones = _read(lambda _: in_folder(catalog.root), "", findings) or {}
    for name in catalog.names if names is None else names:
        entry = _read(catalog.entry, name, findings)
        tags = _read(partial(catalog.tags, keep=False), name, findings)
        if entry and tags is not None:
            shown = catalog.paths.shown
            findings += entry_findings(entry, tags, file=shown(catalog.paths.entry(name)))
            findings += persons_conflicts(tags, subset=name, file=shown(catalog.paths.tags(name)))
        if tags is not None:
            table = _read(partial(catalog.scan, columns=_SCANNED), name, findings)
            if table is not None:
                findings += _scan_findings(catalog, name, tags, table)
                findings += _sample_findings(catalog, name, entry, tags, table, notes=notes)
            findings += _forgotten(catalog, name, stones)
    findings += _leftovers(catalog)
    return in_order(findings)


def _read(read: Callable[[str], T], name: str, findings: list[Finding]) -> T | None:
    try:
        return read(name)
    except FindingsError as found:
        findings += found.findings
        return None


Where = Callable[[int, SplitRow, str], dict[str, Any]]


def entry_findings(
    entry: Subset, tags: list[Tag], *, file: str, where: Where | None = None
) -> list[Finding]:
    """Compare a scene table with the tags: empty rows, wrong counts, samples in no row.

    ``where`` says at which file, row and field a row of the table is to be mended; left out, it
    is the entry itself, ``file``.
    """
    findings = []
    rows = rows_of(entry.splits, tags)

    def in_entry(number: int, _: SplitRow, field: str) -> dict[str, Any]:
        return {"file": file, "field": f"splits[{number}]{field}"}

    where = where or in_entry
    for number, (row, selected) in enumerate(rows, 1):
        if not selected:
            findings.append(
                finding(
                    "row-empty",
                    f"{row.file} selects no sample",
                    subset=entry.name,
                    **where(number, row, ""),
                    hint="mmsegmentation refuses an empty split file; tag samples with "
                    f"{row.scene} or take the row out",
                )
            )
        if row.images is not None and row.images != len(selected):
            findings.append(
                finding(
                    "count-differs",
                    f"{row.file} declares {row.images} images, {len(selected)} are counted",
                    subset=entry.name,
                    **where(number, row, ".images"),
                    hint=f"mend the tags, or declare {len(selected)}",
                )
            )
    findings += [
        finding(
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
    return findings


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


def persons_conflicts(tags: list[Tag], *, subset: str, file: str) -> list[Finding]:
    """Report samples that are single in one scene and multi in another; both are kept."""
    return [
        finding(
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


def _scan_findings(
    catalog: Catalog, name: str, tags: list[Tag], table: "pa.Table"
) -> list[Finding]:
    try:
        findings = recorded_otherwise(
            catalog.paths,
            name,
            digests_of_scan(table),
            "records other files than were scanned",
            f"run `dvc repro scan@{name}` where its images are; they may be newer than the scan",
        )
    except FindingsError as found:
        return found.findings
    tagged = {tag.key for tag in tags}
    phases, stems = table["phase"].to_pylist(), table["stem"].to_pylist()
    scanned = set(zip(phases, stems, strict=True))
    if len(scanned) != len(stems):
        findings.append(
            finding(
                "scan-broken",
                "names a sample twice",
                subset=name,
                file=catalog.paths.shown(catalog.paths.scan(name)),
                hint=f"delete it and run `dvc repro scan@{name}` where its images are",
            )
        )
    tags_file = catalog.paths.shown(catalog.paths.tags(name))
    findings += [
        finding(
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
        finding(
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
    return findings


def _sample_findings(
    catalog: Catalog,
    name: str,
    entry: Subset | None,
    tags: list[Tag],
    table: "pa.Table",
    *,
    notes: bool,
) -> Iterator[Finding]:
    """Yield what single samples are told: by their rows of the scan, and by the subset's kind."""
    folder = f"{DATA_ROOT}/{name}/"
    yield from sample_findings(table, catalog.params, folder=folder, subset=name, notes=notes)
    if entry:
        file = catalog.paths.shown(catalog.paths.tags(name))
        yield from kind_findings(entry, tags, table, catalog.params, folder=folder, file=file)


def _forgotten(catalog: Catalog, name: str, stones: Tombstones) -> list[Finding]:
    """Report samples that were withdrawn and are there again."""
    try:
        pairs = list(stored(catalog, name)) if stones else []
    except FindingsError:
        return []  # told already
    return [
        finding(
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


def _leftovers(catalog: Catalog) -> list[Finding]:
    """Report files of subsets that are not listed: nothing reads them."""
    listed = set(catalog.names)
    return [
        finding(
            "not-registered",
            "belongs to a subset that params.yaml does not list",
            subset=path.stem,
            file=catalog.paths.shown(path),
            hint="list it under subsets in params.yaml, or delete the file",
        )
        for folder, suffix in (("subsets", ".yaml"), ("tags", ".csv"), ("scans", ".parquet"))
        for path in sorted((catalog.paths.registry / folder).glob(f"[!.]*{suffix}"))
        if path.stem not in listed
    ]
