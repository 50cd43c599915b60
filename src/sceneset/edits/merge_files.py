"""Decide how each unmerged file of a registry is merged, and merge all of them."""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from sceneset.catalog.crops import CROPS_FOLDER
from sceneset.catalog.deliveries import DELIVERIES_FOLDER
from sceneset.catalog.lineage import LINEAGE_FOLDER
from sceneset.catalog.tombstones import TOMBSTONES_FILE
from sceneset.edits.merge_run import MergeRun
from sceneset.edits.merge_subsets import SubsetMerge
from sceneset.edits.merge_texts import (
    merge_changelog,
    merge_index,
    merge_lineage,
    merge_rows,
    merge_tags_alone,
    merge_tombstones,
    merge_union,
    merge_used,
)
from sceneset.edits.merge_values import Side, ValueMerge
from sceneset.edits.merge_yaml import Texts, merge_yaml
from sceneset.errors import FindingsError
from sceneset.paths import DATA_ROOT, Paths
from sceneset.progress import Progress, no_progress
from sceneset.storage.dvc_digests import Digest
from sceneset.storage.dvc_lock_file import LOCK, lock_with_digests, read_lock, united_lock
from sceneset.storage.git_index import Unmerged
from sceneset.versions.index_table import INDEX
from sceneset.versions.used import FILE as USED_FILE

TextMerge = Callable[[Texts, str, ValueMerge], str]

_DERIVED = re.compile(
    rf"registry/(?:reports|stats|cards)/|registry/manifest\.json$|{DATA_ROOT}/[^/]+/split_dir/"
)
_SUBSET_FILE = re.compile(
    rf"(?:registry/(?:subsets|tags|scans)|{DELIVERIES_FOLDER}|{CROPS_FOLDER})/(?P<entry>[^/]+)\.\w+"
    rf"|{DATA_ROOT}/(?P<folder>[^/]+)/(?:img|ann)_dir\.dvc"
)
_TEXT_MERGES: tuple[tuple[str, TextMerge], ...] = (
    (r"params\.yaml", merge_yaml),
    (r"registry/(?:scenes|waivers)\.yaml", merge_yaml),
    (r"registry/(?:subsets|versions)/[^/]+\.yaml", merge_yaml),
    (re.escape(TOMBSTONES_FILE), merge_tombstones),
    (rf"{LINEAGE_FOLDER}/[^/]+\.csv", merge_lineage),
    (r"registry/tags/[^/]+\.csv", merge_tags_alone),
    (rf"(?:{DELIVERIES_FOLDER}|{CROPS_FOLDER})/[^/]+\.csv", merge_rows),
    (re.escape(USED_FILE), merge_used),
    (r"CHANGELOG\.md", merge_changelog),
    (rf"{re.escape(INDEX)}\.dvc", merge_index),
    (rf"(?:{DATA_ROOT}/.*)?\.(?:git|dvc)(?:ignore|attributes)", merge_union),
)
"""How text files are merged, by patterns of their paths; the first one that fits counts."""


class MergedFiles(NamedTuple):
    """The results of a merge; nothing is written yet."""

    run: MergeRun
    derived: list[str]
    """Unmerged generated files."""
    left: list[str]
    """Unmerged files that people have to merge."""


def text_merge_of(name: str) -> TextMerge | None:
    """Return how a text file of a registry is merged; None if people merge it."""
    for pattern, merge in _TEXT_MERGES:
        if re.fullmatch(pattern, name):
            return merge
    return None


def merge_files(
    paths: Paths,
    unmerged: dict[str, Unmerged],
    prefer: Side | None,
    progress: Progress = no_progress,
) -> MergedFiles:
    """Merge the unmerged files of a registry.

    Args:
        paths: The paths of the registry.
        unmerged: The unmerged files.
        prefer: The side to take where both sides changed the same value.
        progress: Called with the subsets that are merged.

    Raises:
        FindingsError: Both sides changed the same values, a side is not valid, or a file was
            edited by hand and not staged; all findings.
    """
    run = MergeRun(paths, unmerged, prefer)
    subsets = {name for path in unmerged if (name := _subset_of(path))}
    derived = [name for name in unmerged if _DERIVED.match(name)]
    # What was withdrawn and renamed decides how samples are merged.
    texts = sorted(
        (name for name in unmerged if not _subset_of(name) and name not in {*derived, LOCK}),
        key=lambda name: (not name.startswith((TOMBSTONES_FILE, LINEAGE_FOLDER)), name),
    )
    left = []
    for name in texts:
        if merge := text_merge_of(name):
            with run.collected_findings():
                run.merge_text(name, merge)
        else:
            left.append(name)
    digests: dict[str, Digest] = {}
    for name in progress(sorted(subsets), len(subsets), "merge subsets"):
        with run.collected_findings():
            subset = SubsetMerge(run, name)
            subset.merge()
            digests |= subset.digests
    if LOCK in unmerged or digests:
        with run.collected_findings():
            _merge_lock(run, digests)
    run.refuse_edited_files()
    if run.findings:
        raise FindingsError(run.findings)
    if "params.yaml" in run.writes:  # it makes new subsets visible, so it is written last
        run.writes["params.yaml"] = run.writes.pop("params.yaml")
    return MergedFiles(run, derived, left)


def _subset_of(name: str) -> str:
    """Return the subset that a file belongs to, or ""."""
    found = _SUBSET_FILE.fullmatch(name)
    return (found["entry"] or found["folder"]) if found else ""


def _merge_lock(run: MergeRun, digests: Mapping[str, Digest]) -> None:
    is_unmerged = LOCK in run.unmerged
    text = united_lock(*run.texts(LOCK)) if is_unmerged else read_lock(run.paths.root)
    if text:
        run.writes[LOCK] = lock_with_digests(text, digests, ()).encode()
