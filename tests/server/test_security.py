"""Requests that do not come from the user are refused: other hosts, other pages, no token."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sceneset.server.security import Access, host_of
from support.build import NAME
from support.served import Server, served

KEY = f"{NAME}/train/a"
MARK = {"samples": [KEY]}


@pytest.fixture(scope="module")
def server(_added_registry: Path, tmp_path_factory) -> Iterator[Server]:
    import shutil

    root = tmp_path_factory.mktemp("served") / "registry"
    shutil.copytree(_added_registry, root, symlinks=True)
    with served(root) as found:
        yield found


@pytest.fixture(scope="module")
def remote(server: Server) -> Iterator[Server]:
    """The same registry as on an address that is not loopback."""
    with served(server.live.origin.root, access=Access.of("192.0.2.1")) as found:
        yield found


@pytest.mark.parametrize(
    ("host", "is_allowed"),
    [
        ("127.0.0.1:8642", True),
        ("localhost:9000", True),
        ("LOCALHOST", True),
        ("[::1]:80", True),
        ("127.0.0.2", True),
        ("evil.example:8642", False),
        ("127.0.0.1.evil.example", False),
        ("localhost.evil.example", False),
        ("192.0.2.1", False),
        ("", False),
    ],
)
def test_only_known_hosts_are_answered(server, host, is_allowed):
    found = server.get("/api/summary", host=host)
    assert (found.status == 200) == is_allowed
    if not is_allowed:
        assert found.status in {400, 421}
        assert "samples" not in found.text


def test_hosts_of_another_address_are_its_own_names_and_addresses():
    access = Access.of("data.example")
    for name in ("data.example", "192.0.2.1:80", "[2001:db8::1]:80", "127.0.0.1"):
        assert access.allows_host(name)
    assert not access.allows_host("evil.example")
    assert host_of("[2001:DB8::1]:80") == "2001:db8::1"


@pytest.mark.parametrize(
    "path", ["/", "/en/search.html", "/api/docs", f"/thumbs/{KEY}", "/nothing"]
)
def test_every_answer_has_the_headers_of_a_private_page(server, path):
    headers = server.get(path).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert not any(name.startswith("access-control") for name in headers)


def test_other_origins_get_no_permission(server):
    found = server.send(
        "OPTIONS",
        "/api/marks/stems",
        None,
        origin="http://evil.example",
        access_control_request_method="POST",
    )
    assert found.status == 405
    assert not any(name.startswith("access-control") for name in found.headers)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"origin": "http://127.0.0.1:{port}"}, 200),
        ({"origin": "http://127.0.0.1:{port}", "sec_fetch_site": "same-origin"}, 200),
        ({"origin": "http://evil.example"}, 403),
        ({"origin": "http://127.0.0.1:1"}, 403),
        ({"origin": "https://127.0.0.1:{port}"}, 403),
        ({"origin": "null"}, 403),
        ({"sec_fetch_site": "cross-site"}, 403),
        ({"sec_fetch_site": "same-site"}, 403),
        ({"content_type": "text/plain"}, 415),
        ({"content_type": "application/x-www-form-urlencoded"}, 415),
        ({"content_length": "100000000"}, 413),
    ],
    ids=str,
)
def test_only_own_pages_and_programs_may_post(server, headers, status):
    shown = {name: value.format(port=server.port) for name, value in headers.items()}
    assert server.post("/api/marks/stems", MARK, **shown).status == status


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE"])
def test_other_methods_are_refused(server, method):
    assert server.get(f"/api/samples/{KEY}", method).status == 405


@pytest.mark.parametrize("path", ["/", "/api/samples", "/live/search.js", f"/thumbs/{KEY}"])
def test_nothing_is_shown_without_the_token(remote, path):
    refused = remote.get(path)
    assert (refused.status, NAME in refused.text) == (401, False)
    for wrong in ("", "x", remote.access.token[:-1], f"{remote.access.token}x", "\u00e9"):
        assert remote.get(f"/api/summary?token={wrong}").status == 401
    assert remote.get(path, authorization="Bearer wrong").status == 401
    allowed = remote.get(path, authorization=f"Bearer {remote.access.token}")
    assert allowed.status in {200, 307}


def test_token_moves_from_the_address_to_a_cookie(remote):
    first = remote.get(f"/en/search.html?text=a&token={remote.access.token}")
    assert (first.status, first.headers["location"]) == (303, "/en/search.html?text=a")
    cookie = first.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    page = remote.get("/en/search.html?text=a", cookie=cookie.partition(";")[0])
    assert page.status == 200
    assert remote.access.token not in page.text
    name = cookie.partition("=")[0]
    assert remote.get("/", cookie=f"{name}=wrong").status == 401
    assert remote.get("/", cookie="x=\x7f; =;").status == 401


def test_redirect_with_a_token_stays_on_the_server(remote):
    found = remote.get(f"//evil.example/?token={remote.access.token}")
    assert found.headers.get("location", "/") == "/evil.example/"


def test_post_needs_the_token_too(remote):
    path = "/api/marks/stems"
    assert remote.post(path, MARK).status == 401
    assert remote.post(f"{path}?token={remote.access.token}", MARK).status == 401
    found = remote.post(path, MARK, authorization=f"Bearer {remote.access.token}")
    assert found.status == 200
