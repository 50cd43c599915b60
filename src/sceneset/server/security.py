"""Refuse requests that do not come from the user: wrong hosts, other pages, no token.

A page of any web site can make a browser send requests to this server, and by rebinding its own
name to 127.0.0.1 even read the answers. So only known names are accepted in the Host header, only
this server's own pages may post, and without loopback each request needs a token.
"""

import hmac
import ipaddress
import secrets
import socket
from http.cookies import CookieError, SimpleCookie
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl, urlencode

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'none'; img-src 'self' data:; script-src 'self'; "
    "style-src 'self' 'unsafe-inline'; connect-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
"""The Content-Security-Policy of all answers but the page of the API."""
API_POLICY = POLICY.replace("script-src 'self'", "script-src 'self' 'unsafe-inline'").replace(
    "img-src 'self' data:", "img-src 'self' data: blob:; worker-src blob:"
)
"""That of the page of the API, whose script is in the page; it shows nothing of the registry."""
_API_PAGES = ("/api/docs", "/api/redoc")
_READING = {"GET", "HEAD"}
_MAX_BODY = 8 << 20
"""Bytes of a request; 10,000 marked samples have less."""


class Access(NamedTuple):
    """Who may use the server."""

    host: str
    """The address that the server listens on, as the user gave it."""
    token: str = ""
    """What every request needs, "" on loopback."""

    @classmethod
    def of(cls, host: str) -> "Access":
        """Return the access for an address: with a new token unless it is a loopback one."""
        return cls(host, "" if is_loopback(host) else secrets.token_urlsafe(24))

    def allows_host(self, header: str) -> bool:
        """Return whether a Host header names this server.

        An attacker's page can only reach the server by a name of its own. Port forwarding may
        change the port.
        """
        name = host_of(header)
        if is_loopback(name):
            return True
        if is_loopback(self.host) or not name:
            return False
        return _is_address(name) or name in {
            self.host.lower(),
            socket.gethostname().lower(),
            socket.getfqdn().lower(),
        }


def is_loopback(host: str) -> bool:
    """Return whether only programs of this machine can reach an address."""
    if host.lower() == "localhost":
        return True
    return _is_address(host) and ipaddress.ip_address(host).is_loopback


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def host_of(header: str) -> str:
    """Return the name or address in a Host header, without the port, in lower case."""
    header = header.strip().lower()
    if header.startswith("["):
        return header[1:].partition("]")[0]
    return header.partition(":")[0]


class Guard:
    """ASGI middleware that checks every request and adds headers to every answer."""

    def __init__(self, app: "ASGIApp", access: Access) -> None:
        self._app, self._access = app, access

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """Answer a request."""
        if scope["type"] != "http":  # the start and the end of the server; there is no websocket
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): v.decode("latin-1") for name, v in scope["headers"]}
        policy = API_POLICY if scope["path"] in _API_PAGES else POLICY

        async def guarded(message: "Message") -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_answer_headers(policy)]
            await send(message)

        refusal = self._refusal(scope, headers)
        if refusal is None:
            await self._app(scope, receive, guarded)
        else:
            from starlette.responses import PlainTextResponse

            response = PlainTextResponse(f"{refusal.text}\n", refusal.status, refusal.headers)
            await response(scope, receive, guarded)

    def _refusal(self, scope: "Scope", headers: dict[str, str]) -> "_Refusal | None":
        """Return the answer to a request that is not allowed, or None."""
        host = headers.get("host", "")
        if not self._access.allows_host(host):
            return _Refusal(421, f"this server is not called {host_of(host)[:80]!r}")
        if scope["method"] not in {*_READING, "POST"}:
            return _Refusal(405, "use GET; samples are marked with POST", {"allow": "GET, POST"})
        if scope["method"] == "POST" and (refusal := _refused_post(scope, headers, host)):
            return refusal
        return self._without_token(scope, headers) if self._access.token else None

    def _without_token(self, scope: "Scope", headers: dict[str, str]) -> "_Refusal | None":
        cookie = cookie_name(scope)
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        given = dict(query).get("token", "")
        if given and scope["method"] in _READING and self._is_token(given):
            # The token leaves the address, which people copy, and stays in a cookie.
            rest = urlencode([pair for pair in query if pair[0] != "token"])
            path = scope["raw_path"].decode("latin-1") if scope.get("raw_path") else scope["path"]
            location = f"/{path.lstrip('/')}{'?' if rest else ''}{rest}"
            value = f"{cookie}={self._access.token}; HttpOnly; SameSite=Strict; Path=/"
            return _Refusal(303, "", {"location": location, "set-cookie": value})
        authorization = headers.get("authorization", "")
        if authorization.startswith("Bearer ") and self._is_token(authorization[7:].strip()):
            return None
        try:
            found = SimpleCookie(headers.get("cookie", "")).get(cookie)
        except CookieError:
            found = None
        if found is not None and self._is_token(found.value):
            return None
        text = "open the address that `sceneset serve` printed: it ends with a token"
        return _Refusal(401, text, {"www-authenticate": "Bearer"})

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self._access.token.encode())


class _Refusal(NamedTuple):
    """An answer instead of the one that was requested."""

    status: int
    text: str
    headers: dict[str, str] | None = None


def cookie_name(scope: "Scope") -> str:
    """Return the name of the cookie: servers on other ports of one host share its cookies."""
    server = scope.get("server") or ("", 0)
    return f"sceneset-{server[1]}"


def _refused_post(scope: "Scope", headers: dict[str, str], host: str) -> _Refusal | None:
    origin, site = headers.get("origin"), headers.get("sec-fetch-site")
    own = f"{scope['scheme']}://{host}".lower()
    if (origin is not None and origin.lower() != own) or site not in {None, "same-origin"}:
        return _Refusal(403, "another page may not send this")
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return _Refusal(415, "send JSON")
    length = headers.get("content-length", "")
    if not length.isascii() or not length.isdigit():
        return _Refusal(411, "say how long the request is")
    if int(length) > _MAX_BODY:
        return _Refusal(413, "the request is too large")
    return None


def _answer_headers(policy: str) -> list[tuple[bytes, bytes]]:
    found = {
        "content-security-policy": policy,
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cross-origin-resource-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "x-frame-options": "DENY",
    }
    return [(name.encode(), value.encode()) for name, value in found.items()]
