"""The pages of the static catalogue, made in the background and served at the same addresses."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from threading import Event, Lock, Thread
from typing import TypeVar

from sceneset.catalog.reader import Catalog
from sceneset.errors import SceneSetError
from sceneset.server.state import State
from sceneset.server.texts import text_in
from sceneset.site.build import build_site
from sceneset.site.folder import OWN
from sceneset.site.options import SiteOptions

Collect = Callable[[Catalog], SiteOptions]
"""Returns what the pages show of a state of the registry."""
T = TypeVar("T")

MOST = 20_000
"""Samples of a registry whose pages are made without the option: each needs a picture."""


class _StoppedError(Exception):
    """The server ends."""


class SitePages:
    """The pages of the registry's present state, as soon as they are made. Thread-safe.

    Pages of an earlier state are not shown: an image may have been withdrawn since.
    """

    def __init__(self, folder: Path, collect: Collect | None) -> None:
        """Use a folder for the pages.

        Args:
            folder: An empty folder of this server's own.
            collect: Returns what the pages show; None makes no pages.
        """
        self._folder, self._collect = folder, collect
        self._stopped = Event()
        self._lock = Lock()
        self._ready: State | None = None
        self._problem = ""
        self._thread: Thread | None = None

    def start(self, state: State) -> None:
        """Begin to make the pages of a state, unless pages are being made already."""
        with self._lock:
            is_running = self._thread is not None and self._thread.is_alive()
            if self._collect is None or self._stopped.is_set() or is_running:
                return
            self._thread = Thread(target=self._make, args=(state,), daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Stop making pages, and wait until nothing is written any more."""
        self._stopped.set()
        if self._thread:
            self._thread.join()

    @property
    def is_ready(self) -> bool:
        """Whether there are no pages, or all of them are made."""
        return self._collect is None or self._ready is not None

    def has_pages(self, state: State) -> bool:
        """Return whether the pages of a state are made."""
        return self._ready is state

    def read(self, state: State, path: str) -> bytes | None:
        """Return a file of the pages, or None if there is none or the pages are not made yet."""
        if self._ready is not state:
            self._ready = None
            self.start(state)
            return None
        parts = path.split("/")
        is_own = parts[0] in OWN or path == "index.html"
        if not is_own or any(not part or part.startswith(".") or "\\" in part for part in parts):
            return None
        try:
            return (self._folder / path).read_bytes()
        except (OSError, ValueError):
            return None

    def reason(self, language: str) -> str:
        """Return why there are no pages."""
        if self._problem:
            return self._problem
        return text_in(language, "no_pages" if self._collect is None else "building")

    def _make(self, state: State) -> None:
        try:
            assert self._collect, "pages are made"
            catalog = state.catalog.again()
            options = self._collect(catalog)
            options.has_search = True
            build_site(catalog, self._folder, options, progress=self._progress)
            self._problem = ""
            self._ready = state
        except _StoppedError:
            return
        except (SceneSetError, OSError) as error:
            self._problem = str(error)

    def _progress(self, items: Iterable[T], total: int, what: str) -> Iterator[T]:  # noqa: ARG002
        """Yield items until the server ends."""
        for item in items:
            if self._stopped.is_set():
                raise _StoppedError
            yield item
