"""Find what a crash, a person, a merge or DVC can leave in a registry, and repair it.

Every examination returns troubles: what is wrong, where, and what repairs it. Those with a
``repair`` can be repaired without losing anything; the others say what people have to do.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

from sceneset.catalog.reader import Catalog
from sceneset.counts import counted
from sceneset.edits.doctor_listings import lost_listings, restore_listing
from sceneset.edits.doctor_repairs import (
    delete_leftovers,
    find_leftovers,
    reproduce,
    restore_lock,
    shown_age,
)
from sceneset.errors import DvcError, FindingsError
from sceneset.paths import DATA_ROOT, Paths
from sceneset.progress import Progress, no_progress, one_step
from sceneset.quality.ignored import ignored_findings
from sceneset.storage.blobs import Blobs
from sceneset.storage.conflict_markers import CONFLICT, conflict_line
from sceneset.storage.dvc import TEXT_STAGES, Project, has_hard_link_locks, outdated_stages
from sceneset.storage.dvc_lock_file import LOCK, check_complete_lock
from sceneset.storage.dvc_locks import dvc_processes, repair_rwlock, rwlock_problem
from sceneset.storage.files import read_text
from sceneset.storage.leftovers import age
from sceneset.storage.locking import processes_that_hold, write_lock
from sceneset.storage.transaction import recover
from sceneset.storage.transaction_record import State, read_record, record_folder
from sceneset.storage.yaml_bounds import MAX_YAML

_PROBE = "0" * 32


class Trouble(NamedTuple):
    """Something that keeps commands from working."""

    check: str
    """The examination that found it, for example "rwlock"."""
    file: str
    """The file, relative to the registry; "" if it is no file."""
    message: str
    """What is wrong."""
    advice: str
    """What `doctor --fix` does, or what people have to do."""
    repair: Callable[[], None] | None = None
    """Repairs it; None if only people can."""


def examine(
    root: Path, *, remote: bool = True, progress: Progress = no_progress
) -> Iterator[Trouble]:
    """Yield all troubles of a registry; nothing is changed.

    Args:
        root: The registry's top folder.
        remote: Ask the default remote whether it answers.
        progress: Called with the steps that take long.
    """
    paths = Paths(root)
    yield from _running(paths)
    yield from _rwlock(paths)
    yield from _unfinished(paths)
    merged = list(_half_merged(paths))
    yield from merged
    yield from _index(paths)
    yield from _git_ignored(paths)
    yield from _cache_types(paths)
    yield from _leftovers(paths)
    yield from _listings(paths, progress) if remote and not merged else ()
    if not merged and not rwlock_problem(root):
        yield from _generated(paths, progress)
        yield from _remote(paths, progress) if remote else ()


def _running(paths: Paths) -> Iterator[Trouble]:
    holders = processes_that_hold(paths.work / "lock")
    for pid, command in dict([*holders, *dvc_processes(paths.root)]).items():
        yield Trouble(
            "running",
            "",
            f"`{command or 'a command'}` (process {pid}) is running here",
            "wait until it has ended, then run `sceneset doctor` again",
        )


def _rwlock(paths: Paths) -> Iterator[Trouble]:
    problem = rwlock_problem(paths.root)
    if not problem:
        return
    file = ".dvc/tmp/rwlock"
    if running := dvc_processes(paths.root):
        pid = running[0][0]
        advice = f"wait until the DVC command (process {pid}) has ended, then run this again"
        yield Trouble("rwlock", file, problem, advice)
    else:
        repair = partial(_repair_rwlock, paths)
        yield Trouble("rwlock", file, problem, "delete it: no DVC command is running", repair)


def _repair_rwlock(paths: Paths) -> None:
    if not repair_rwlock(paths.root, hard_links=has_hard_link_locks(paths.root)):
        raise DvcError("DVC is running, so its list of locks stays")


def _unfinished(paths: Paths) -> Iterator[Trouble]:
    shown = paths.relative(record_folder(paths))
    try:
        record = read_record(paths)
    except FindingsError as error:
        found = error.findings[0]
        yield Trouble("transaction", found.file, found.message, found.hint)
        return
    if record is None or processes_that_hold(paths.work / "lock"):
        return
    step = "roll it back" if record.state is State.OPEN else "finish it"
    message = f"{record.command} was interrupted"
    yield Trouble("transaction", shown, message, step, partial(_recover, paths))


def _recover(paths: Paths) -> None:
    with write_lock(paths.work) as lock:
        recover(paths, lock)


def _half_merged(paths: Paths) -> Iterator[Trouble]:
    """Find text files of the registry that hold the conflict markers of git."""
    root = paths.root
    names = [LOCK, "dvc.yaml", "params.yaml", ".dvc/config"]
    for folder, suffix in (("", ".yaml"), ("subsets", ".yaml"), ("tags", ".csv")):
        names += [paths.relative(p) for p in sorted((paths.registry / folder).glob(f"*{suffix}"))]
    names += [paths.relative(path) for path in sorted(root.glob(f"{DATA_ROOT}/*/*.dvc"))]
    for name in names:
        with suppress(FindingsError, OSError):
            if name == LOCK and (root / name).stat().st_size > MAX_YAML:
                message = f"is larger than {MAX_YAML >> 20} MiB"
                yield Trouble("merge", name, message, _LOCK_ADVICE, partial(restore_lock, paths))
                continue
            text = read_text(root / name, name)
            if conflict_line(text):
                yield _merged_trouble(paths, name)
                continue
            if name == LOCK:
                try:
                    check_complete_lock(text)
                except FindingsError as error:
                    found = error.findings[0]
                    yield Trouble(
                        "merge",
                        found.place,
                        f"can't be read: {found.message}",
                        _LOCK_ADVICE,
                        partial(restore_lock, paths),
                    )


_LOCK_ADVICE = (
    "take the last committed dvc.lock (or none) and run `dvc repro --allow-missing`, which writes "
    "what is missing; the broken file is kept in .sceneset/kept"
)


def _merged_trouble(paths: Paths, name: str) -> Trouble:
    if name == LOCK:
        return Trouble("merge", name, CONFLICT, _LOCK_ADVICE, partial(restore_lock, paths))
    advice = f"run `sceneset merge`; or edit {name}, then `git add {name}`"
    return Trouble("merge", name, CONFLICT, advice)


def _index(paths: Paths) -> Iterator[Trouble]:
    path = paths.index
    if not path.is_file():
        return
    try:
        uri = f"{path.resolve().as_uri()}?mode=ro"
        with closing(sqlite3.connect(uri, uri=True, timeout=5)) as connection:
            result = connection.execute("PRAGMA quick_check(1)").fetchone()
            connection.execute("SELECT count(*) FROM file").fetchone()
        problem = "" if result == ("ok",) else str(result[0])
    except sqlite3.Error as error:
        problem = str(error)
    if problem:
        yield Trouble(
            "index",
            paths.relative(path),
            f"the index of look-ups is damaged: {problem}",
            "delete it; the next look-up builds a new one",
            partial(path.unlink, missing_ok=True),
        )


def _git_ignored(paths: Paths) -> Iterator[Trouble]:
    """Find files of the registry that git would not commit."""
    try:
        findings = ignored_findings(Catalog(paths.root))
    except FindingsError:
        return  # params.yaml can't be read, which `sceneset check` reports
    for found in findings:
        yield Trouble("ignored", found.file, found.message, found.hint)


def _cache_types(paths: Paths) -> Iterator[Trouble]:
    """Find ways to link files of the cache that the file system of the registry can't."""
    try:
        project = Project(paths.root)
    except (DvcError, OSError) as error:
        advice = "correct .dvc/config (`git diff .dvc/config` shows what was changed)"
        yield Trouble("dvc", ".dvc/config", f"DVC can't open the project: {error}", advice)
        return
    unusable = project.unusable_cache_types()
    if unusable:
        yield Trouble(
            "cache-type",
            ".dvc/config",
            f"the file system can't make {' or '.join(unusable)}s from the cache, as cache.type "
            "wants",
            "`dvc config cache.type reflink,copy` works everywhere",
        )


def _leftovers(paths: Paths) -> Iterator[Trouble]:
    found = find_leftovers(paths, is_locked=False)
    if found:
        first = os.path.relpath(found[0], paths.root) if len(found) == 1 else ""
        yield Trouble(
            "leftovers",
            first,
            f"{counted(len(found), 'temporary file')} of killed commands, for example {found[0]} "
            f"({shown_age(age(found[0]))} old)",
            f"delete {'it' if len(found) == 1 else 'them'}",
            partial(delete_leftovers, paths),
        )


def _listings(paths: Paths, progress: Progress) -> Iterator[Trouble]:
    """Find folders that DVC can't check out, because their list of files is lost."""
    for lost in lost_listings(paths, progress=progress):
        repair = partial(restore_listing, paths, lost) if lost.can_restore else None
        yield Trouble("listing", f"{lost.path}.dvc", lost.message, lost.advice, repair)


def _generated(paths: Paths, progress: Progress) -> Iterator[Trouble]:
    """Find generated files that differ from what the pipeline wrote, or that are out of date."""
    if _unreadable(paths):
        return  # `sceneset check` reports it
    try:
        outdated = partial(outdated_stages, paths.root, TEXT_STAGES)
        stages = one_step(progress, "ask DVC what is current", outdated)
    except (DvcError, FindingsError) as error:
        reason = "; ".join(map(str, error.findings)) if isinstance(error, FindingsError) else error
        yield Trouble("generated", "", str(reason), "repair what this message says first")
        return
    if stages:
        yield Trouble(
            "generated",
            "",
            f"generated files are missing, edited or out of date: {', '.join(stages)}",
            "run `dvc repro --allow-missing`, which writes them again",
            partial(reproduce, paths),
        )


def _unreadable(paths: Paths) -> bool:
    try:
        return not Catalog(paths.root).params
    except FindingsError:
        return True


def _remote(paths: Paths, progress: Progress) -> Iterator[Trouble]:
    try:
        blobs = Blobs(paths.root)
        name, _ = blobs.address()
    except DvcError as error:
        yield Trouble("remote", ".dvc/config", str(error), "sceneset remote URL")
        return
    except OSError as error:
        yield Trouble("remote", ".dvc/config", str(error), "correct .dvc/config")
        return
    try:
        blobs.sizes([_PROBE], progress=progress)
    except (DvcError, OSError) as error:
        advice = "check the network, the credentials, and the address in .dvc/config"
        yield Trouble("remote", ".dvc/config", f"{name} does not answer: {error}", advice)
