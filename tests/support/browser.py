"""A real browser for tests of pages: it reports whatever a page does wrong.

Debian's chromium runs without a window, once for each process of pytest. Host names resolve to
nothing in it, so that a page which asks for something outside can't get it, and the test fails.
"""

import asyncio
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from support.build import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

NAMES = ("chromium", "chromium-browser", "google-chrome")
"""Programs that can be the browser; SCENESET_BROWSER names another one."""

MISSING = (
    "there is no browser: install chromium (apt-get install chromium), "
    "or name one in SCENESET_BROWSER"
)

WIDTHS = (1280, 390)
THEMES = ("light", "dark")
LOOKS = (("en", "light"), ("zh", "dark"))
"""Languages and themes of tests that cost too much for all pairs; neither depends on the other."""
SCREENSHOTS = ROOT / "build/screenshots"
"""Where SCENESET_SCREENSHOTS=1 puts pictures of the pages."""

WAIT = 20_000
"""How long actions and assertions wait at most, in milliseconds."""

# Without these, chromium asks its maker's servers for updates and lists.
_ARGUMENTS = (
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--disable-background-networking",
    "--disable-component-update",
)


def browser_program() -> str | None:
    """Return the path of the browser, if there is one."""
    chosen = os.environ.get("SCENESET_BROWSER")
    return next(filter(None, map(shutil.which, [chosen] if chosen else NAMES)), None)


@contextmanager
def started_browser(program: str) -> Iterator["Browser"]:
    """Start a browser, and end it."""
    from playwright.sync_api import sync_playwright

    driver = sync_playwright().start()
    try:
        browser = driver.chromium.launch(
            executable_path=program,
            args=_ARGUMENTS,
            chromium_sandbox=os.geteuid() != 0,  # root can't have one
        )
        asyncio._set_running_loop(None)
        yield browser
    finally:
        with running(driver):
            driver.stop()  # it ends the browser


@contextmanager
def running(used: Any) -> Iterator[None]:
    """Let this thread use a browser, or any other object of Playwright.

    Playwright marks its event loop as running in the thread also between calls, where it has
    control again only at the next one. Tests that use asyncio would fail in the same process.
    """
    asyncio._set_running_loop(used._loop)
    try:
        yield
    finally:
        asyncio._set_running_loop(None)


def expect(target: Any) -> Any:
    """Return Playwright's assertions about a page or an element; they wait for what they state."""
    from playwright.sync_api import expect as of  # importing it is slow

    of.set_options(timeout=WAIT)
    return of(target)


class Pages:
    """The pages that a test opens, and what is wrong with them.

    Attributes:
        faults: Errors, messages on the console and in dialogs, requests that failed or that went
            elsewhere. A test that expects some compares them and clears the list; any others fail
            the test.
    """

    def __init__(self, browser: "Browser") -> None:
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self.faults: list[str] = []

    def open(
        self,
        target: Path | str,
        *,
        width: int = WIDTHS[0],
        height: int = 900,
        theme: str = "light",
        locale: str = "en-US",
        script: bool = True,
        **options: Any,
    ) -> "Page":
        """Open a file, or an address of a server on loopback, as a new user.

        Args:
            target: Path of a file, or an address.
            width: Width of the window in pixels.
            height: Its height.
            theme: "light" or "dark": what the user's system prefers.
            locale: The user's language, "en-US" or "zh-CN".
            script: Whether scripts run.
            options: More arguments of Playwright's ``new_context``.
        """
        url = target.absolute().as_uri() if isinstance(target, Path) else target
        context = self._browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=theme,
            locale=locale,
            java_script_enabled=script,
            reduced_motion="reduce",
            **options,
        )
        self._contexts.append(context)
        context.set_default_timeout(WAIT)
        self._watch(context, url)
        page = context.new_page()
        page.goto(url)
        return page

    def _watch(self, context: "BrowserContext", url: str) -> None:
        """Write what is wrong with the pages of a window to ``faults``."""
        add = self.faults.append
        origin = _origin(url)

        def check(address: str) -> None:
            if _origin(address) not in {origin, "data", "blob"}:
                add(f"asks for {address[:200]}")

        def failed(request: Any) -> None:
            # A page that is left or closed ends its requests.
            if request.failure != "net::ERR_ABORTED":
                add(f"{request.failure}: {request.url[:200]}")

        def log(message: Any) -> None:
            if message.type in {"error", "warning"}:
                add(f"console: {message.text}")

        def dismiss(dialog: Any) -> None:
            add(f"{dialog.type}: {dialog.message}")
            dialog.dismiss()

        context.on("dialog", dismiss)
        context.on("request", lambda request: check(request.url))
        context.on("requestfailed", failed)
        context.on("console", log)
        context.on("weberror", lambda error: add(f"error: {error.error}"))
        context.on("page", lambda page: page.on("websocket", lambda socket: check(socket.url)))

    def close(self) -> None:
        """Close all pages."""
        for context in self._contexts:
            context.close()
        self._contexts.clear()


def _origin(url: str) -> str:
    """Return the scheme of a file or of data, and else the scheme and host of an address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else parts.scheme


@cache
def _axe() -> Any:
    from axe_playwright_python.sync_playwright import Axe

    return Axe()


def accessibility_faults(page: "Page") -> list[str]:
    """Return what axe-core finds: the rule, its impact, the element and a hint for each."""
    # Without preload it reads no style sheet a second time, which policies of pages forbid.
    options = {"resultTypes": ["violations"], "preload": False}
    found = _axe().run(page, options=options).response["violations"]
    return [
        f"{rule['id']} ({rule['impact']}): {' '.join(map(str, node['target']))}: "
        f"{' '.join(node['failureSummary'].split())}: {node['html'][:200]}"
        for rule in found
        for node in rule["nodes"]
    ]


def check_accessibility(page: "Page") -> None:
    """Fail if axe-core finds anything on a page as it is now."""
    found = accessibility_faults(page)
    assert not found, "\n".join(found)


def check_width(page: "Page") -> None:
    """Fail if a page must be scrolled sideways."""
    excess = page.evaluate(
        "document.scrollingElement.scrollWidth - document.scrollingElement.clientWidth"
    )
    if excess > 0:
        wide = page.evaluate(
            "[...document.querySelectorAll('body *')]"
            ".filter(e => e.getBoundingClientRect().right > innerWidth + 1)"
            ".slice(0, 5).map(e => e.outerHTML.slice(0, 120))"
        )
        raise AssertionError(f"{excess} pixels too wide: {wide}")


def screenshots(
    page: "Page",
    name: str,
    *,
    widths: Sequence[int] = WIDTHS,
    themes: Sequence[str] = THEMES,
    whole: bool = True,
) -> None:
    """Write pictures of a page for people to look at, if SCENESET_SCREENSHOTS is set.

    Args:
        page: The page.
        name: The first part of the names of the files.
        widths: Widths of the window in pixels.
        themes: What the user's system prefers.
        whole: Whether to show the whole page, and not only what is in the window.
    """
    if not os.environ.get("SCENESET_SCREENSHOTS"):
        return
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    before = page.viewport_size
    assert before
    was_dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    for theme in themes:
        page.emulate_media(color_scheme=theme)
        for width in widths:
            page.set_viewport_size({"width": width, "height": 900})
            page.screenshot(path=SCREENSHOTS / f"{name}-{width}-{theme}.png", full_page=whole)
    page.emulate_media(color_scheme="dark" if was_dark else "light")
    page.set_viewport_size(before)
