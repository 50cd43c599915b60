"""The site of the documentation in a browser, from a disk: search, languages, themes, widths."""

import subprocess
import sys
from pathlib import Path

import pytest

from support.browser import LOOKS, Pages, check_accessibility, check_width, expect, screenshots
from support.build import ROOT


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs") / "site"
    command = [sys.executable, str(ROOT / "docs/website/build.py"), str(folder)]
    subprocess.run(command, check=True)
    return folder


@pytest.mark.parametrize(
    ("language", "words", "page"),
    [
        ("en", "quarantine", "adding-a-subset"),
        ("en", "滑雪", "getting-started"),
        ("en", "mask-coarse", "problems"),
        ("zh", "滑雪", "getting-started"),
        ("zh", "交付数据", "adding-a-subset"),
        ("zh", "mask-coarse", "problems"),
    ],
)
def test_search_finds_a_page_without_a_server(
    language: str, words: str, page: str, site: Path, pages: Pages
) -> None:
    window = pages.open(site / language / "index.html")
    window.locator("input[name=q]").fill(words)
    window.locator("input[name=q]").press("Enter")
    found = window.locator(f"#search-results a[href^='{page}.html']")
    expect(found.first).to_be_visible()
    screenshots(window, f"docs-search-{language}")
    found.first.click()
    expect(window.locator("article h1").first).to_be_visible()


def test_search_without_a_result_says_so(site: Path, pages: Pages) -> None:
    window = pages.open(site / "zh/index.html")
    window.locator("input[name=q]").fill("饕餮")
    window.locator("input[name=q]").press("Enter")
    expect(window.locator(".search-summary")).not_to_be_empty()
    assert window.locator("#search-results li").count() == 0


@pytest.mark.parametrize(("locale", "language"), [("en-US", "en"), ("zh-CN", "zh"), ("fr", "en")])
def test_first_page_leads_to_the_language_of_the_reader(
    locale: str, language: str, site: Path, pages: Pages
) -> None:
    window = pages.open(site / "index.html", locale=locale)
    window.wait_for_url(f"**/{language}/index.html")
    assert window.locator("html").get_attribute("lang") == {"en": "en", "zh": "zh-CN"}[language]


def test_first_page_has_links_where_scripts_are_off(site: Path, pages: Pages) -> None:
    window = pages.open(site / "index.html", script=False)
    window.get_by_text("中文文档").click()
    window.wait_for_url("**/zh/index.html")


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", ["split", "adr/0004-scan-guards", "search"])
def test_other_language_is_the_same_page(name: str, width: int, site: Path, pages: Pages) -> None:
    window = pages.open(site / f"en/{name}.html", width=width)
    place = ".sidebar-sticky" if width == 1280 else "article"
    window.locator(f"{place} .site-language a").click()
    window.wait_for_url(f"**/zh/{name}.html")
    window.locator(f"{place} .site-language a").click()
    window.wait_for_url(f"**/en/{name}.html")


@pytest.mark.parametrize(
    ("name", "language", "theme"),
    [
        *(("index", *look) for look in LOOKS),
        ("cli", *LOOKS[0]),  # the longest pages: checking one takes seconds
        ("formats", *LOOKS[1]),
    ],
)
def test_pages_are_accessible_and_fit_a_phone(
    name: str, language: str, theme: str, site: Path, pages: Pages
) -> None:
    window = pages.open(site / language / f"{name}.html", theme=theme)
    check_accessibility(window)
    window.set_viewport_size({"width": 390, "height": 900})
    check_width(window)
    check_accessibility(window)
    screenshots(window, f"docs-{name}-{language}", themes=[theme])
