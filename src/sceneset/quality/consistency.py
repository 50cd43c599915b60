"""Check that the registry's own files agree: entries, tags, scans and .dvc files.

Only text and tables are read, no images.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from sceneset.catalog.reader import Catalog
from sceneset.catalog.tombstones import Tombstones, Withdrawn, read_tombstones
from sceneset.errors import FindingsError
from sceneset.paths import DATA_ROOT
from sceneset.quality.kind_rules import kind_findings
from sceneset.quality.tag_rules import (
    image_without_tag_finding,
    persons_conflict_findings,
    scene_table_findings,
    tag_without_image_finding,
)
from sceneset.rules.sample_columns import SAMPLE_COLUMNS
from sceneset.rules.sample_rules import sample_findings
from sceneset.schemas.finding import Finding, capped, finding, in_order
from sceneset.schemas.subset import Subset
from sceneset.schemas.tag import Tag
from sceneset.storage.dvc_digests import DIGEST_COLUMNS, digest_mismatches

if TYPE_CHECKING:
    import pyarrow as pa

T = TypeVar("T")
_SCAN_COLUMNS = tuple(dict.fromkeys((*SAMPLE_COLUMNS, *DIGEST_COLUMNS)))


def check_subsets(
    catalog: Catalog, names: Sequence[str] | None = None, *, notes: bool = False
) -> list[Finding]:
    """Return all findings on subsets, each subset by itself, errors first.

    Files that can't be read are findings too; no error is raised.

    Args:
        catalog: The registry.
        names: The subsets to check; None means all listed subsets.
        notes: Include findings of severity "note".
    """
    findings: list[Finding] = []
    try:
        catalog.vocabulary, catalog.params  # noqa: B018 - nothing else can be read without them
    except FindingsError as error:
        return error.findings
    tombstones = _read(lambda _: read_tombstones(catalog.root), "", findings) or {}
    names = catalog.names if names is None else names
    for name in catalog.progress(names, len(names), "check subsets"):
        entry = _read(catalog.entry, name, findings)
        tags = _read(partial(catalog.tags, cache=False), name, findings)
        if entry and tags is not None:
            entry_file, tags_file = _entry_file(catalog, name), _tags_file(catalog, name)
            findings += scene_table_findings(entry, tags, file=entry_file)
            findings += persons_conflict_findings(tags, subset=name, file=tags_file)
        if tags is not None:
            table = _read(partial(catalog.scan, columns=_SCAN_COLUMNS), name, findings)
            if table is not None:
                findings += _scan_findings(catalog, name, tags, table)
                findings += _sample_findings(catalog, name, entry, tags, table, notes=notes)
            findings += _withdrawn_findings(catalog, name, tombstones)
    findings += _unlisted_files(catalog)
    return in_order(findings)


def _entry_file(catalog: Catalog, name: str) -> str:
    return catalog.paths.relative(catalog.paths.entry(name))


def _tags_file(catalog: Catalog, name: str) -> str:
    return catalog.paths.relative(catalog.paths.tags(name))


def _read(read: Callable[[str], T], name: str, findings: list[Finding]) -> T | None:
    """Return ``read(name)``, or add why it failed to ``findings`` and return None."""
    try:
        return read(name)
    except FindingsError as error:
        findings += error.findings
        return None


def _scan_findings(
    catalog: Catalog, name: str, tags: Sequence[Tag], table: "pa.Table"
) -> list[Finding]:
    """Compare a subset's scan with its .dvc files and its tags."""
    repair = f"run `dvc repro scan@{name}` on a machine that has its images"
    try:
        findings = digest_mismatches(
            catalog.paths,
            name,
            catalog.digests(name, table),
            "records other files than were scanned",
            f"{repair}: they may be newer than the scan",
        )
    except FindingsError as error:
        return error.findings
    tagged = {tag.key for tag in tags}
    phases, stems = table["phase"].to_pylist(), table["stem"].to_pylist()
    scanned = set(zip(phases, stems, strict=True))
    if len(scanned) != len(stems):
        findings.append(
            finding(
                "scan-broken",
                "lists a sample twice",
                subset=name,
                file=catalog.paths.relative(catalog.paths.scan(name)),
                hint=f"delete it and {repair}",
            )
        )
    tags_file = _tags_file(catalog, name)
    restore = f"restore its image and mask and run `dvc repro scan@{name}`, or delete the row"
    findings += capped(
        sorted(tagged - scanned),
        lambda key: tag_without_image_finding(key, subset=name, file=tags_file, hint=restore),
    )
    findings += capped(
        sorted(scanned - tagged),
        lambda key: image_without_tag_finding(key, subset=name, file=tags_file),
    )
    return findings


def _sample_findings(
    catalog: Catalog,
    name: str,
    entry: Subset | None,
    tags: Sequence[Tag],
    table: "pa.Table",
    *,
    notes: bool,
) -> Iterator[Finding]:
    """Yield the findings on single samples: from their scan rows, and for the subset's kind."""
    folder = f"{DATA_ROOT}/{name}/"
    yield from sample_findings(table, catalog.params, folder=folder, subset=name, notes=notes)
    if entry:
        file = _tags_file(catalog, name)
        yield from kind_findings(entry, tags, table, catalog.params, folder=folder, file=file)


def _withdrawn_findings(catalog: Catalog, name: str, tombstones: Tombstones) -> list[Finding]:
    """Report samples that were withdrawn but are in the subset again."""
    if not tombstones:
        return []
    try:
        scan = catalog.scan(name, ("phase", "stem", "image", "image_md5", "picture"))
    except FindingsError:
        return []  # reported by _scan_findings already
    return [
        finding(
            "forgotten",
            f"was withdrawn: {tombstone.reason}",
            subset=name,
            file=f"{DATA_ROOT}/{name}/img_dir/{row['phase']}/{row['image']}",
            phase=row["phase"],
            stem=row["stem"],
            hint=f"remove it with `sceneset forget {row['image_md5'].hex()} --reason ...`",
        )
        for row, tombstone in Withdrawn(tombstones).rows_of(scan)
    ]


def _unlisted_files(catalog: Catalog) -> list[Finding]:
    """Report files of subsets that params.yaml does not list: nothing reads them."""
    listed = set(catalog.names)
    return [
        finding(
            "not-registered",
            "belongs to a subset that params.yaml does not list",
            subset=path.stem,
            file=catalog.paths.relative(path),
            hint="list the subset in params.yaml, or delete the file",
        )
        for folder, suffix in (("subsets", ".yaml"), ("tags", ".csv"), ("scans", ".parquet"))
        for path in sorted((catalog.paths.registry / folder).glob(f"[!.]*{suffix}"))
        if path.stem not in listed
    ]
