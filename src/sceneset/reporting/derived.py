"""Compare the derived files of a registry with what their sources give.

DVC tells by dvc.lock whether a derived file is up to date. A change that edits both the file and
dvc.lock looks right to it, so what people rely on is computed again. Only scans are believed: they
can't be computed without the images, and `sceneset check` compares them with the .dvc files.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

from sceneset.catalog.reader import Catalog
from sceneset.catalog.split_selection import read_selection
from sceneset.errors import DvcError, FindingsError
from sceneset.quality.evaluate import Reports
from sceneset.reporting.cards import card_texts
from sceneset.reporting.findings_json import findings_json
from sceneset.reporting.scan_columns import STATISTICS_COLUMNS
from sceneset.reporting.statistics import Union, statistics_texts, subset_statistics
from sceneset.schemas.finding import Finding, errors_of, finding
from sceneset.schemas.params import Algorithms
from sceneset.schemas.stats import SubsetStats
from sceneset.storage.dvc import TEXT_STAGES, outdated_stages
from sceneset.storage.dvc_digests import DIGEST_COLUMNS
from sceneset.storage.files import open_regular
from sceneset.versions.manifest import manifest_json, manifest_of, subset_part

_ERROR_REPORTS = {"check": "errors.json", "leakage": "leaks.json"}
_SCAN_COLUMNS = tuple(dict.fromkeys((*STATISTICS_COLUMNS, *DIGEST_COLUMNS)))
_MAX_FOUND = 20  # files that are listed for each stage
_MAX_SHOWN = 60  # characters of a line that are shown


class _Stale(NamedTuple):
    stage: str
    """The stage that writes the file, for example "splits@demo-full"."""
    finding: Finding


def stale_files(catalog: Catalog, reports: Reports) -> list[Finding]:
    """Return a finding for each derived file that is not what its sources give.

    Args:
        catalog: The registry.
        reports: The findings whose reports are compared too.

    Raises:
        FindingsError: A source can't be read.
    """
    return [stale.finding for stale in _stale(catalog, reports)]


def falsely_current_files(catalog: Catalog, reports: Reports) -> list[Finding]:
    """Return the findings of ``stale_files`` on files that DVC takes for current.

    While people work on a registry, derived files are out of date until the next `dvc repro`.
    """
    found = _stale(catalog, reports)
    if not found:
        return []
    try:
        outdated = set(outdated_stages(catalog.root, TEXT_STAGES))
    except DvcError:  # DVC can't tell
        outdated = set()
    return [stale.finding for stale in found if stale.stage not in outdated]


def _stale(catalog: Catalog, reports: Reports) -> list[_Stale]:
    paths, numbers, known = catalog.paths, catalog.params.algorithms, Algorithms()
    # A registry may keep the numbers of an earlier release, whose stages gave other results.
    stages = {stage for stage in TEXT_STAGES if getattr(numbers, stage) >= getattr(known, stage)}
    found: list[_Stale] = []

    def compare(stage: str, folder: Path, texts: Mapping[str, str], *, whole: bool = True) -> None:
        found.extend(_Stale(stage, one) for one in _differences(catalog, stage, folder, texts))
        if whole:
            found.extend(_Stale(stage, one) for one in _others(catalog, stage, folder, texts))

    union = Union()

    def read(name: str) -> tuple[dict[str, Any] | None, SubsetStats | None]:
        """Compare the split files of a subset; return its part of the manifest and statistics."""
        selection = read_selection(catalog, name)
        if "splits" in stages:
            compare(f"splits@{name}", paths.subset(name) / "split_dir", selection.split_files)
        table = catalog.scan(name, _SCAN_COLUMNS)
        return (
            subset_part(catalog, selection, table) if "manifest" in stages else None,
            subset_statistics(catalog, selection, table, union) if "stats" in stages else None,
        )

    # Tags and scans are read once: with many subsets, reading them takes most of the time.
    parts = dict(zip(catalog.names, catalog.each(read, what="compare files"), strict=True))
    if "manifest" in stages:
        manifest = manifest_of({name: part for name, (part, _) in parts.items() if part})
        compare("manifest", paths.registry, {"manifest.json": manifest_json(manifest)}, whole=False)
    for stage in sorted(stages & reports.keys()):
        findings = reports[stage]
        texts = {
            f"{stage}.json": findings_json(findings),
            _ERROR_REPORTS[stage]: findings_json(errors_of(findings)),
        }
        compare(stage, paths.reports, texts, whole=False)
    if "stats" in stages:
        subsets = [stats for _, stats in parts.values() if stats]
        whole_set = union.statistics(catalog.vocabulary)
        compare("stats", paths.stats, statistics_texts(subsets, whole_set))
        # Cards are made of the statistics in the files, so they are compared if those are right.
        if "card" in stages and not any(stale.stage == "stats" for stale in found):
            compare("card", paths.cards, dict(card_texts(catalog, subsets, whole_set)))
    return found


def _differences(
    catalog: Catalog, stage: str, folder: Path, texts: Mapping[str, str]
) -> Iterator[Finding]:
    """Yield a finding for each file that does not hold its text, up to a limit."""
    left = _MAX_FOUND
    for name, text in texts.items():
        wanted, path = text.encode(), folder / name
        try:
            with open(path, "rb", opener=open_regular) as file:
                data = file.read(len(wanted) + 1)
        except (OSError, FindingsError) as error:
            reason = error.strerror if isinstance(error, OSError) else None
            yield _finding(catalog, stage, path, None, f"can't be read: {reason or error}")
            left -= 1
        else:
            if data != wanted:
                yield _first_difference(catalog, stage, path, data, wanted)
                left -= 1
        if not left:
            return


def _first_difference(
    catalog: Catalog, stage: str, path: Path, data: bytes, wanted: bytes
) -> Finding:
    """Return the finding that names the first line in which a file differs."""
    pairs = enumerate(zip_longest(data.split(b"\n"), wanted.split(b"\n")), 1)
    row, lines = next((row, lines) for row, lines in pairs if lines[0] != lines[1])
    here, there = map(_shown, lines)
    message = f"the line is {here}, but the sources give {there}"
    return _finding(catalog, stage, path, row, message)


def _shown(line: bytes | None) -> str:
    if not line:
        return "missing" if line is None else "empty"
    return repr(line.decode("utf-8", "replace")[:_MAX_SHOWN])


def _others(catalog: Catalog, stage: str, folder: Path, names: Iterable[str]) -> Iterator[Finding]:
    """Yield a finding for each file of a folder that its stage does not write, up to a limit."""
    wanted = set(names)
    entries = folder.iterdir() if folder.is_dir() else ()
    others = sorted(p for p in entries if p.name not in wanted and not p.name.startswith("."))
    for path in others[:_MAX_FOUND]:
        yield _finding(catalog, stage, path, None, "no source gives this file")


def _finding(catalog: Catalog, stage: str, path: Path, row: int | None, message: str) -> Finding:
    name, _, subset = stage.partition("@")
    return finding(
        "derived-stale",
        message,
        subset=subset,
        file=catalog.paths.relative(path),
        row=row,
        hint=f"run `dvc repro --force --single-item {stage}`, and commit the files of stage {name}",
    )
