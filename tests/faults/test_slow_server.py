"""A slow server is waited for while it sends; one that stops sending is given up."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest

from sceneset.storage import s3_store
from sceneset.storage.dvc import open_store
from sceneset.storage.object_store import SILENT, Store
from support.build import Run, dvc, git
from support.servers import KEYS

DATA = bytes(range(200)) * 10
PIECES = 20
IDLE = 1.0  # seconds


class Pace(NamedTuple):
    """How a server sends bodies."""

    seconds: float
    """Between two pieces."""
    stops_after: int = PIECES
    """Pieces of each response; then it sends nothing more."""


class SlowServer(ThreadingHTTPServer):
    """Serves objects, slowly."""

    daemon_threads = True

    def __init__(self, pace: Pace, objects: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.pace, self.objects = pace, objects
        self.stopped = threading.Event()
        self.requests: list[str] = []


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: SlowServer

    def do_GET(self) -> None:
        data = self.server.objects.get(self.path)
        if data is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        start = self._send_head(data)
        self.server.requests.append(f"{self.path} {start}")
        size = -(-len(data) // PIECES)
        for number, at in enumerate(range(start, len(data), size)):
            if number == self.server.pace.stops_after:
                self.server.stopped.wait()  # the client gives up; otherwise the test would not end
                return
            try:
                self.wfile.write(data[at : at + size])
                self.wfile.flush()
            except OSError:
                return
            self.server.stopped.wait(self.server.pace.seconds)

    def do_HEAD(self) -> None:
        data = self.server.objects.get(self.path)
        if data is None:
            self.send_error(HTTPStatus.NOT_FOUND)
        else:
            self._send_head(data)

    def _send_head(self, data: bytes) -> int:
        """Send the status and headers; return the first byte to send."""
        wanted = self.headers.get("Range", "")
        start = int(wanted.removeprefix("bytes=").split("-")[0]) if wanted else 0
        self.send_response(HTTPStatus.PARTIAL_CONTENT if wanted else HTTPStatus.OK)
        if wanted:
            self.send_header("Content-Range", f"bytes {start}-{len(data) - 1}/{len(data)}")
        self.send_header("Content-Length", str(len(data) - start))
        self.send_header("ETag", '"1"')
        self.send_header("Last-Modified", "Mon, 15 Jan 2024 00:00:00 GMT")
        self.end_headers()
        return start

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def slow_server(pace: Pace, objects: dict[str, bytes]) -> Iterator[SlowServer]:
    """Run a server on loopback."""
    server = SlowServer(pace, objects)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.stopped.set()
        server.shutdown()
        server.server_close()
        thread.join(30)


def s3_options(server: SlowServer) -> dict[str, str]:
    return {
        "url": "s3://bucket/people",
        "endpointurl": f"http://127.0.0.1:{server.server_port}",
        "access_key_id": KEYS["AWS_ACCESS_KEY_ID"],
        "secret_access_key": KEYS["AWS_SECRET_ACCESS_KEY"],
        "region": "us-east-1",
    }


def http_options(server: SlowServer) -> dict[str, object]:
    url = f"http://127.0.0.1:{server.server_port}/bucket/people"
    return {"url": url, "read_timeout": IDLE, "connect_timeout": 10}


def open_slow(kind: str, server: SlowServer) -> Store:
    options = s3_options(server) if kind == "s3" else http_options(server)
    return open_store("store", {"store": options})


@pytest.fixture(autouse=True)
def _short_idle_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(s3_store._TIMEOUTS, "read_timeout", f"{IDLE}s")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


MD5 = "0123456789abcdef0123456789abcdef"
OBJECTS = {f"/bucket/people/files/md5/{MD5[:2]}/{MD5[2:]}": DATA}


@pytest.mark.parametrize("kind", ["s3", "http"])
def test_response_goes_on_beyond_the_idle_limit_while_bytes_arrive(kind: str) -> None:
    pace = Pace(seconds=3 * IDLE / PIECES)
    with slow_server(pace, OBJECTS) as server:
        assert open_slow(kind, server).get(MD5) == DATA
        assert len(server.requests) == 1, "no request was repeated"


@pytest.mark.parametrize("kind", ["s3", "http"])
@pytest.mark.parametrize("pieces", [0, 3])
def test_response_that_stops_is_given_up_with_an_error(kind: str, pieces: int) -> None:
    with slow_server(Pace(seconds=0, stops_after=pieces), OBJECTS) as server:
        store = open_slow(kind, server)
        with pytest.raises(OSError, match=f"^{SILENT}$"):
            store.get(MD5)
        assert server.requests


def test_no_limit_ends_a_whole_response() -> None:
    """The first test can't take as long as the limit that there once was, an hour."""
    limit = s3_store._TIMEOUTS["timeout"]
    assert isinstance(limit, timedelta)
    assert limit > timedelta(days=365)


def test_pull_from_a_server_that_stops_sending_ends_in_one_line(
    ready: Path, tmp_path: Path, sceneset: Run
) -> None:
    store = ready.parent / "store"
    objects = {
        f"/bucket/people/{path.relative_to(store).as_posix()}": path.read_bytes()
        for path in store.rglob("*")
        if path.is_file()
    }
    shutil.rmtree(ready / ".dvc/cache")
    shutil.rmtree(ready / "Insta360SemanticSeg")
    git(ready, "checkout", "--", "Insta360SemanticSeg")
    with slow_server(Pace(seconds=0, stops_after=3), objects) as server:
        dvc(ready, "remote", "remove", "store")
        for name, value in s3_options(server).items():
            words = ("add", "--default", "store", value) if name == "url" else (
                "modify", "--local", "store", name, value)  # fmt: skip
            dvc(ready, "remote", *words)
        outcome = sceneset("pull", "ski", "--to", tmp_path / "out", cwd=ready)
    assert outcome.code == 1, outcome.out
    [line] = filter(None, outcome.err.splitlines())
    assert line == f"sceneset: the remote can't be reached: {SILENT}"
