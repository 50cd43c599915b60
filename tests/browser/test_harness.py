"""The browser of these tests reports what pages do wrong, or other tests could not fail."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

from support.browser import Pages, accessibility_faults, check_width, running
from support.build import ROOT
from support.waiting import wait_until

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

HEAD = '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>t</title>'
Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_page(body: str, head: str = "") -> Path:
        path = tmp_path / "page.html"
        path.write_text(f"{HEAD}{head}</head><body>{body}</body></html>", "utf-8")
        return path

    return write_page


def expect_fault(fault: str, page: "Page", pages: Pages) -> None:
    """Wait until a fault is reported, and accept it."""

    def is_reported() -> bool:
        page.wait_for_timeout(20)  # events of the page come in
        return any(fault in found for found in pages.faults)

    assert wait_until(is_reported), pages.faults
    pages.faults.clear()


def test_good_page_has_no_faults(pages: Pages, write: Write) -> None:
    page = pages.open(write("<main><h1>Title</h1></main>"), width=390)
    check_width(page)
    assert accessibility_faults(page) == []


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("<script>console.error('this is wrong')</script>", "console: this is wrong"),
        ("<script>setTimeout(() => { throw new Error('thrown') })</script>", "thrown"),
        ("<script>Promise.reject(new Error('rejected'))</script>", "rejected"),
        ("<img src='http://example.com/a.png'>", "asks for http://example.com/a.png"),
        ("<img src='http://127.0.0.1:9/a.png'>", "asks for http://127.0.0.1:9/a.png"),
        ("<script>new WebSocket('ws://127.0.0.1:9/')</script>", "asks for ws://127.0.0.1:9/"),
        ("<script>setTimeout(() => alert('shown'))</script>", "alert: shown"),
        ("<img src='missing.png'>", "net::ERR_FILE_NOT_FOUND: file:///"),
        ("<div onclick='1'></div>", "Content Security Policy"),
    ],
)
def test_faults_of_a_page_are_reported(body: str, fault: str, pages: Pages, write: Write) -> None:
    policy = (
        "<meta http-equiv='Content-Security-Policy' "
        "content=\"script-src 'sha256-unknown'; img-src 'none'\">"
    )
    page = pages.open(write(body, policy if "Policy" in fault else ""))
    expect_fault(fault, page, pages)


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ("<main><h1>A</h1><button></button></main>", "button-name (critical)"),
        ("<main><h1>A</h1><p style='color:#bbb'>Faint</p></main>", "color-contrast (serious)"),
        ("<main><h1>A</h1><h3>B</h3></main>", "heading-order (moderate)"),
    ],
)
def test_inaccessible_elements_are_reported(
    body: str, rule: str, pages: Pages, write: Write
) -> None:
    [found] = accessibility_faults(pages.open(write(body)))
    assert found.startswith(rule)


def test_page_that_is_too_wide_is_reported(pages: Pages, write: Write) -> None:
    page = pages.open(write("<p style='width: 500px'>wide</p>"), width=390)
    with pytest.raises(AssertionError, match="pixels too wide"):
        check_width(page)


def test_system_preferences_reach_the_page(pages: Pages, write: Write) -> None:
    page = pages.open(write("<p>a</p>"), width=390, theme="dark", locale="zh-CN")
    assert page.evaluate(
        "[innerWidth, matchMedia('(prefers-color-scheme: dark)').matches, navigator.language]"
    ) == [390, True, "zh-CN"]


def test_own_server_may_be_used_and_its_errors_are_reported(
    pages: Pages, tmp_path: Path, serve: Callable[[Path], str]
) -> None:
    picture = tmp_path / "a.svg"
    picture.write_text('<svg xmlns="http://www.w3.org/2000/svg"/>', "utf-8")
    (tmp_path / "index.html").write_text(f"{HEAD}</head><body><img src=a.svg>", "utf-8")
    page = pages.open(serve(tmp_path))
    assert pages.faults == []
    picture.unlink()
    page.reload()
    expect_fault("404", page, pages)


def test_asyncio_works_between_tests(_browser: "Browser") -> None:
    with running(_browser):
        opened = Pages(_browser)
        opened.open("about:blank")
        opened.close()

    async def answer() -> int:
        return 42

    assert asyncio.run(answer()) == 42


STARTED = """
import sys
from support.browser import browser_program, running, started_browser
with started_browser(browser_program()) as browser, running(browser):
    browser.new_page().goto("about:blank")
    print("ready", flush=True)
    sys.stdin.read()
"""


def processes_with(mark: str) -> list[str]:
    """Return the running processes that have a text in their environment."""
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark.encode() in path.read_bytes():
                found.append((path.parent / "cmdline").read_text("utf-8"))
        except OSError:
            continue  # it has ended
    return found


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize("end", ["normally", "by a signal"])
def test_no_process_is_left(end: str, _browser: "Browser") -> None:
    mark = f"SCENESET_MARK={uuid4().hex}"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "tests")}
    environment[mark.partition("=")[0]] = mark.partition("=")[2]
    with subprocess.Popen(
        [sys.executable, "-c", STARTED],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
    ) as started:
        assert started.stdout
        assert started.stdout.readline() == b"ready\n"
        assert len(processes_with(mark)) > 2
        if end == "by a signal":
            started.kill()
    assert started.returncode == (0 if end == "normally" else -9)
    assert wait_until(lambda: not processes_with(mark)), processes_with(mark)
