"""The registry as it is served, and how the server notices that it changed.

Each request gets one state, which never changes. At most once a second, a request checks whether
the registry's files or branches changed, and reads what changed; the others go on with the state
before. A registry that can't be read gives no state until it can be read again.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from sceneset.catalog.index import signature
from sceneset.catalog.reader import Catalog
from sceneset.catalog.sample_index import SampleIndex
from sceneset.catalog.sample_index_builder import INTERNAL, open_sample_index
from sceneset.catalog.tombstones import TOMBSTONES_FILE
from sceneset.errors import FindingsError, GitError, SceneSetError
from sceneset.progress import Notify, Progress, no_notice, no_progress
from sceneset.rules.policy import WAIVERS_FILE
from sceneset.schemas.finding import Finding
from sceneset.server.similar import SimilarSamples
from sceneset.storage.git import git
from sceneset.versions.local_files import LocalFiles

_LOOK_AGAIN = 1.0
"""Seconds between two looks at the registry's files."""

Fetch = Callable[[LocalFiles, list[tuple[str, str | None]]], int]
"""Downloads files; returns their number."""


@dataclass(frozen=True)
class Options:
    """What the server shows and may do."""

    title: str = ""
    """The name of the registry."""
    state: str = ""
    """The revision that was chosen; "" is the working tree."""
    internal: bool = False
    """Whether samples for internal use are shown."""
    fetch: Fetch | None = None
    """Downloads files that are not on this machine, if it may."""
    similar: SimilarSamples | None = None
    """Finds similar samples, if the user has vectors."""
    marks: Path | None = None
    """Folder for files that are made of marked samples; None lets the browser keep them."""
    translate: Callable[[str], str] = field(default=str)
    """Returns a message in Chinese."""


@dataclass(frozen=True)
class State:
    """One state of the registry."""

    catalog: Catalog
    index: SampleIndex
    files: LocalFiles


class BrokenError(SceneSetError):
    """The registry can't be read now; ``findings`` or the message say why."""

    def __init__(self, error: Exception) -> None:
        super().__init__(str(error))
        self.findings: list[Finding] = error.findings if isinstance(error, FindingsError) else []


class Live:
    """The registry that is served. Thread-safe."""

    def __init__(
        self,
        catalog: Catalog,
        options: Options,
        *,
        progress: Progress = no_progress,
        notify: Notify = no_notice,
    ) -> None:
        """Read the registry.

        Args:
            catalog: The registry and revision.
            options: What is shown.
            progress: Called with the subsets that are read.
            notify: Called once if another process is updating the index.

        Raises:
            FindingsError: A file of the registry can't be read.
            GitError: The withdrawals of other branches can't be read.
        """
        self.options = options
        self._catalog = catalog
        self._signature = _signature(catalog)
        self._state: State | BrokenError = self._read(progress, notify)
        self._looked = time.monotonic()
        self._lock = Lock()

    @property
    def origin(self) -> Catalog:
        """The registry as it was when the server started; for what never changes."""
        return self._catalog

    def state(self) -> State:
        """Return the present state.

        Raises:
            BrokenError: The registry can't be read now.
        """
        if time.monotonic() - self._looked >= _LOOK_AGAIN and self._lock.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._looked = time.monotonic()
                self._lock.release()
        state = self._state
        if isinstance(state, BrokenError):
            raise state
        return state

    def _look(self) -> None:
        now = _signature(self._catalog)
        if now == self._signature:
            return
        try:
            self._state = self._read()
        except (GitError, OSError) as error:  # it may pass without a change of a file
            self._state = BrokenError(error)
            return
        except FindingsError as error:
            self._state = BrokenError(error)
        self._signature = now  # files that changed while they were read differ from it

    def _read(self, progress: Progress = no_progress, notify: Notify = no_notice) -> State:
        catalog = self._catalog.again()
        left_out = frozenset() if self.options.internal else INTERNAL
        index = open_sample_index(catalog, left_out=left_out, progress=progress, notify=notify)
        index.prepare()
        return State(catalog, index, LocalFiles(catalog))


def _signature(catalog: Catalog) -> tuple[object, ...]:
    """Return what differs after a change of the registry, without reading its files.

    A revision never changes, but its samples can be withdrawn on any branch.
    """
    refs = ("for-each-ref", "--format=%(objectname) %(refname)", "refs/heads", "refs/remotes")
    if catalog.origin:
        return (git(catalog.origin.git, *refs, check=False),)
    fresh = catalog.again()
    paths = [fresh.paths.params, fresh.paths.scenes]
    paths += [fresh.root / WAIVERS_FILE, fresh.root / TOMBSTONES_FILE]
    try:
        names = fresh.names
    except FindingsError:
        names = ()
    for name in names:
        paths += [fresh.paths.entry(name), fresh.paths.tags(name), fresh.paths.scan(name)]
    return (git(fresh.root, *refs, check=False), *map(signature, paths))
