"""Start the live catalogue in this process, and send it requests."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from sceneset.catalog.reader import Catalog
from sceneset.server import run
from sceneset.server.security import Access
from sceneset.server.site_pages import Collect
from sceneset.server.state import Live, Options


class Answer(NamedTuple):
    """An answer of the server."""

    status: int
    headers: dict[str, str]
    data: bytes

    @property
    def text(self) -> str:
        return self.data.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.data)


class Server(NamedTuple):
    """A running server."""

    port: int
    live: Live
    access: Access

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str, method: str = "GET", **headers: str) -> Answer:
        """Send a request; underscores in names of headers are hyphens."""
        return self.send(method, path, None, **headers)

    def post(self, path: str, value: object, **headers: str) -> Answer:
        """Send JSON, as a program does that is no browser."""
        body = json.dumps(value).encode()
        return self.send("POST", path, body, **{"content_type": "application/json", **headers})

    def send(self, method: str, path: str, body: bytes | None, **headers: str) -> Answer:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, quote(path, safe="/?&=%:+"), body, named)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, found, answer.read())
        finally:
            connection.close()


@contextmanager
def served(
    root: Path, *, access: Access | None = None, collect: Collect | None = None, **options: Any
) -> Iterator[Server]:
    """Serve a registry on a free port of loopback; the registry is looked at in each request.

    Args:
        root: The registry.
        access: Who may use the server, instead of this machine.
        collect: Makes the pages of the catalogue.
        options: Fields of `Options`.
    """
    live = Live(Catalog(root), Options(title=root.name, **options))
    access = access or Access.of("127.0.0.1")
    listening = run.listen("127.0.0.1", 0)
    started = threading.Event()
    with run.application(live, access, collect) as app:
        server = run.server_of(app, started.set)
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            assert started.wait(30)
            yield Server(listening.getsockname()[1], live, access)
        finally:
            server.should_exit = True
            thread.join()
            listening.close()
