"""The state of one merge: the unmerged files, the results so far, and the conflicts."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from functools import cached_property
from typing import Any

from sceneset.catalog.tombstones import TOMBSTONES_FILE, Withdrawn, parse_tombstones
from sceneset.edits.merge_values import MISSING, Conflict, Side, ValueMerge
from sceneset.edits.merge_yaml import Texts
from sceneset.errors import FindingsError
from sceneset.paths import Paths
from sceneset.schemas.finding import Finding, capped, finding
from sceneset.schemas.terms import Phase
from sceneset.storage.dvc_lock_file import LOCK
from sceneset.storage.files import decoded, read_text
from sceneset.storage.git_index import Sides, Unmerged, read_sides
from sceneset.storage.yaml_files import shortened

_MARKERS = (b"<<<<<<< ", b">>>>>>> ")


class MergeRun:
    """Merges files and collects what is to be written; nothing is changed."""

    def __init__(self, paths: Paths, unmerged: dict[str, Unmerged], prefer: Side | None) -> None:
        self.paths, self.unmerged = paths, unmerged
        self.writes: dict[str, bytes] = {}
        """New contents of source files, by path; params.yaml comes last."""
        self.deletes: list[str] = []
        self.listings: dict[str, bytes] = {}
        """DVC's listings of folders that both sides changed, by hash."""
        self.findings: list[Finding] = []
        self._prefer = prefer

    def sides(self, name: str) -> Sides:
        """Return the contents of an unmerged file."""
        return read_sides(self.paths.root, self.unmerged[name])

    def texts(self, name: str) -> Texts:
        """Return the texts of an unmerged file.

        Raises:
            FindingsError: A side is not UTF-8.
        """
        return Texts(*(decoded(data or b"", name) for data in self.sides(name)))

    def value_merge(self) -> ValueMerge:
        """Return a new merge of values, with the side that the user prefers."""
        return ValueMerge(self._prefer)

    def merge_text(
        self, name: str, merged: Callable[[Texts, str, ValueMerge], str], *, subset: str = ""
    ) -> str | None:
        """Merge a text file and keep the result; return it, or None if it is removed."""
        sides, merge = self.sides(name), self.value_merge()
        if sides.base is not None and None in (sides.ours, sides.theirs):
            values = (MISSING if data is None else data for data in sides)
            chosen = merge.value((), *values)
            self.report(name, merge, subset=subset)
            if chosen is MISSING:
                self.deletes.append(name)
                return None
            text = decoded(chosen, name)
        else:
            text = merged(self.texts(name), name, merge)
            self.report(name, merge, subset=subset)
        self.writes[name] = text.encode()
        return text

    def refuse_edited_files(self) -> None:
        """Report the source files that were edited by hand and would be overwritten."""
        # DVC writes dvc.lock, also between two attempts of a merge that was interrupted.
        for name in self.unmerged.keys() & {*self.writes, *self.deletes} - {LOCK}:
            path = self.paths.root / name
            data = path.read_bytes() if path.is_file() else b""
            has_markers = all(marker in data for marker in _MARKERS)
            if not data or has_markers or data in {*self.sides(name), self.writes.get(name)}:
                continue
            self.findings.append(
                finding(
                    "merge-conflict",
                    "was edited by hand and is not staged, so it would be overwritten",
                    file=name,
                    hint=f"to keep your version, run `git add {name}`; to have it merged, run "
                    f"`git checkout --merge {name}`",
                )
            )

    def report(self, name: str, merge: ValueMerge, *, subset: str = "") -> None:
        """Report the conflicts of a file, unless the user prefers a side."""
        if self._prefer is None:
            self.findings += capped(
                merge.conflicts, lambda conflict: _conflict_finding(conflict, name, subset)
            )

    @contextmanager
    def collected_findings(self) -> Iterator[None]:
        """Keep the findings that the block raises, so that one run reports those of all files."""
        try:
            yield
        except FindingsError as error:
            self.findings += error.findings

    @cached_property
    def withdrawn(self) -> Withdrawn:
        """The images that are withdrawn after the merge."""
        text = self.current_text(TOMBSTONES_FILE)
        return Withdrawn(parse_tombstones(text, TOMBSTONES_FILE) if text else {})

    def current_text(self, name: str) -> str:
        """Return the merged text of a file, or that of the working tree; "" if there is none."""
        if name in self.deletes:
            return ""
        if name in self.writes:
            return self.writes[name].decode()
        path = self.paths.root / name
        return read_text(path, name) if path.is_file() else ""


def _conflict_finding(conflict: Conflict, name: str, subset: str) -> Finding:
    phase, _, stem = "".join(conflict.place[:1]).partition("/")
    is_sample = bool(stem) and phase in set(Phase)
    place = conflict.place[1:] if is_sample else conflict.place
    sample = f"{phase} {stem!r}: " if is_sample else ""
    return finding(
        "merge-conflict",
        f"{sample}ours: {_shown(conflict.ours)}; theirs: {_shown(conflict.theirs)}",
        subset=subset,
        file=name,
        field=".".join(place),
        phase=phase if is_sample else "",
        stem=stem if is_sample else "",
        hint=f"edit {name} and run `git add` for it, or run `sceneset merge` with --ours or "
        "--theirs",
    )


def _shown(value: Any) -> str:
    if value is MISSING:
        return "it is removed"
    if isinstance(value, bytes):
        return "it is changed"
    if value is None:
        return "no value"
    if isinstance(value, Enum):
        value = str(value)
    return shortened(value)
