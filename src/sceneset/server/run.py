"""Run the web server until it is interrupted."""

import errno
import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from typing import TYPE_CHECKING

import uvicorn

from sceneset.errors import UsageError
from sceneset.server.app import create_app
from sceneset.server.pictures import Pictures
from sceneset.server.security import Access
from sceneset.server.site_pages import Collect, SitePages
from sceneset.server.state import Live
from sceneset.storage.leftovers import temporary_folder

if TYPE_CHECKING:
    from starlette.types import ASGIApp

_PENDING = 5
"""Seconds that running requests may take after Ctrl-C."""


@contextmanager
def application(live: Live, access: Access, collect: Collect | None) -> Iterator["ASGIApp"]:
    """Yield the application of a registry, and end what it started at the end of the block.

    Args:
        live: The registry.
        access: Who may use it.
        collect: Returns what the pages of the catalogue show; None makes no pages.
    """
    options = live.options
    with temporary_folder() as folder:
        pages = SitePages(folder / "site", collect)
        pictures = Pictures(live.origin.project, options.fetch, options.translate)
        with closing(pages), closing(pictures):
            pages.start(live.state())
            yield create_app(live, pictures, access, pages)


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens on an address; port 0 chooses a free port.

    Raises:
        UsageError: The port is in use, or this machine does not have the address.
    """
    try:
        family, *_, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (OSError, UnicodeError) as error:
        raise UsageError(f"--host {host}: {error}") from None
    found = socket.socket(family, socket.SOCK_STREAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(address)
        found.listen(128)
    except OSError as error:
        found.close()
        if error.errno == errno.EADDRINUSE:
            message = f"port {port} is in use; choose another one with --port, or 0 for any"
            raise UsageError(message) from None
        raise UsageError(f"can't listen on {host}, port {port}: {error.strerror}") from None
    return found


def address_of(listening: socket.socket, access: Access) -> str:
    """Return the address to open in a browser."""
    port = listening.getsockname()[1]
    host = access.host
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - compared, not bound
        host = socket.gethostname()
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}/{f'?token={access.token}' if access.token else ''}"


def server_of(app: "ASGIApp", started: Callable[[], None]) -> uvicorn.Server:
    """Return a server of an application.

    Args:
        app: The application.
        started: Called when requests are answered.
    """

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            started()

    config = uvicorn.Config(
        app,
        access_log=False,  # addresses have tokens and names of samples
        log_config=None,
        server_header=False,
        ws="none",
        timeout_graceful_shutdown=_PENDING,
    )
    return Server(config)


def serve(app: "ASGIApp", listening: socket.socket, started: Callable[[], None]) -> None:
    """Answer requests until Ctrl-C; see ``server_of``. The socket is closed at the end."""
    with closing(listening), suppress(KeyboardInterrupt):
        server_of(app, started).run(sockets=[listening])
