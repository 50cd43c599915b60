"""A browser for all tests of this folder, which are marked `browser`."""

import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.browser import MISSING, Pages, browser_program, running, started_browser

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="session")
def _browser() -> Iterator["Browser"]:
    program = browser_program()
    if program is None:
        pytest.skip(MISSING)
    with started_browser(program) as browser:
        yield browser


@pytest.fixture
def pages(_browser: "Browser") -> Iterator[Pages]:
    """Open pages; whatever is wrong with them fails the test at its end."""
    with running(_browser):
        opened = Pages(_browser)
        try:
            yield opened
        finally:
            opened.close()
    assert not opened.faults, "\n".join(opened.faults)


class _Handler(SimpleHTTPRequestHandler):
    """A plain server of files that prints nothing."""

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def serve() -> Iterator[Callable[[Path], str]]:
    """Serve folders on loopback; returns their addresses, which end with a slash."""
    servers: list[ThreadingHTTPServer] = []

    def start(folder: Path) -> str:
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=str(folder)))
        servers.append(server)
        serve_forever = partial(server.serve_forever, poll_interval=0.02)
        threading.Thread(target=serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()
