"""Real S3 servers on the loopback interface, started and stopped for a test."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple, Self

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

BUCKET = "bucket"
KEYS = {
    "AWS_ACCESS_KEY_ID": "test-access-key",
    "AWS_SECRET_ACCESS_KEY": "test-secret-key",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    # rclone sends no checksum of the whole object with ranged reads.
    "AWS_RESPONSE_CHECKSUM_VALIDATION": "when_required",
    "no_proxy": "127.0.0.1",
}
SECRETS = (KEYS["AWS_ACCESS_KEY_ID"], KEYS["AWS_SECRET_ACCESS_KEY"], "the-session-token")
"""Credentials of a user, which no foreign server may receive; the last is AWS_SESSION_TOKEN."""


class Listener:
    """An HTTP server on loopback that has nothing and writes down what it is sent."""

    def __init__(self, status: int = 404, headers: Mapping[str, str] | None = None) -> None:
        self.requests: list[str] = []
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                listener.requests.append(f"{self.requestline}\n{self.headers}")
                self.send_response(status)
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _answer  # noqa: N815

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def received(self, secret: str) -> bool:
        return any(secret in request for request in self.requests)


class S3(NamedTuple):
    """A running server."""

    url: str
    log: Path
    folder: Path | None
    """Where its objects are stored, if it stores them as files."""

    def requests(self, method: str) -> list[str]:
        """Return the paths of the logged requests of one HTTP method, in order.

        rclone logs requests only if it was started with ``verbose``.
        """
        if self.folder:
            lines = self.log.read_text("utf-8", "replace").splitlines()
            return [line.split("Object: ")[1] for line in lines if f": {method} OBJECT " in line]
        return [
            line.split(f'"{method} ')[1].split()[0]
            for line in self.log.read_text("utf-8", "replace").splitlines()
            if f'"{method} ' in line
        ]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _command(kind: str, port: int, folder: Path, *, verbose: bool) -> list[str]:
    programs = Path(sys.executable).parent
    if kind == "moto":
        return [str(programs / "moto_server"), "-H", "127.0.0.1", "-p", str(port)]
    rclone = shutil.which("rclone", path=str(programs)) or "rclone"
    key = ",".join((KEYS["AWS_ACCESS_KEY_ID"], KEYS["AWS_SECRET_ACCESS_KEY"]))
    where = ["--addr", f"127.0.0.1:{port}", "--auth-key", key, "--config", os.devnull]
    return [rclone, "serve", "s3", *where, *["-vv"] * verbose, str(folder)]


@contextlib.contextmanager
def s3_server(
    kind: str, home: Path, *, verbose: bool = False, objects: Path | None = None
) -> Iterator[S3]:
    """Run an S3 server with one bucket.

    Args:
        kind: "moto" or "rclone".
        home: A new folder for its log and objects.
        verbose: Log every request (rclone).
        objects: Folder of another rclone server's objects to serve; default: an empty one.
    """
    port, folder = _free_port(), objects or home / "objects"
    home.mkdir(parents=True)
    folder.mkdir(exist_ok=True)
    server = S3(f"http://127.0.0.1:{port}", home / "log", folder if kind == "rclone" else None)
    with server.log.open("wb") as log:
        process = subprocess.Popen(
            _command(kind, port, folder, verbose=verbose),
            stdout=log,
            stderr=log,
            env={**os.environ, **KEYS},
        )
    try:
        _make_bucket(server.url, process)
        yield server
    finally:
        process.terminate()
        process.wait(30)


def _make_bucket(url: str, process: "subprocess.Popen[bytes]") -> None:
    """Wait until the server answers, and create the bucket if it does not exist."""
    client = boto3.client(
        "s3",
        endpoint_url=url,
        aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
        region_name=KEYS["AWS_DEFAULT_REGION"],
        config=Config(retries={"max_attempts": 0}),
    )
    deadline = time.monotonic() + 60
    while True:
        try:
            existing = {bucket["Name"] for bucket in client.list_buckets()["Buckets"]}
            if BUCKET not in existing:
                client.create_bucket(Bucket=BUCKET)
            break
        except (BotoCoreError, ClientError):
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.1)  # between two attempts
    client.close()
