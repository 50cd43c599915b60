"""The live search page in a browser: search, filters, large pictures, marks, files of marks."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from sceneset.catalog.reader import Catalog
from sceneset.server.similar import SimilarSamples
from support.browser import (
    THEMES,
    WIDTHS,
    Pages,
    check_accessibility,
    check_width,
    expect,
    screenshots,
)
from support.build import NAME
from support.served import Server, served
from support.vectors import write_vectors

HOSTILE = "<img src=http://example.com/a.png onerror=alert(1)>"


@pytest.fixture
def server(added: Path) -> Iterator[Server]:
    with served(added) as found:
        yield found


def test_page_is_right_in_both_languages_and_themes_at_all_widths(
    server: Server, pages: Pages
) -> None:
    for language in ("en", "zh"):
        for theme in THEMES:
            for width in WIDTHS:
                page = pages.open(f"{server.url}/{language}/search.html", width=width, theme=theme)
                check_accessibility(page)
                check_width(page)
                expect(page.locator(".sample")).to_have_count(4)
        screenshots(page, f"search-{language}")


def test_search_changes_results_facets_and_address_without_reloading(
    server: Server, pages: Pages
) -> None:
    page = pages.open(f"{server.url}/en/search.html")
    page.evaluate("window.isSame = true")
    page.get_by_label("Search", exact=True).fill("滑雪")
    expect(page).to_have_url(f"{server.url}/en/search.html?text=%E6%BB%91%E9%9B%AA")
    expect(page.locator("#count")).to_have_text("4 of 4 samples")
    page.get_by_role("checkbox", name="multi 2").check()
    expect(page.locator("#count")).to_have_text("2 of 4 samples")
    expect(page.get_by_role("checkbox", name="multi 2")).to_be_checked()
    expect(page.get_by_role("checkbox", name="multi 2")).to_be_focused()
    expect(page.get_by_role("checkbox", name="train 2")).to_be_visible()
    assert page.evaluate("window.isSame")
    page.get_by_role("link", name="中文").click()
    expect(page.locator("#count")).to_have_text("4 个样本中的 2 个")
    page.go_back()
    expect(page.locator("#count")).to_have_text("2 of 4 samples")
    page.get_by_role("link", name="Show all").click()
    expect(page.locator("#count")).to_have_text("4 of 4 samples")
    page.get_by_label("Search", exact=True).fill("no such sample")
    expect(page.get_by_text("No sample matches.")).to_be_visible()


def test_more_adds_the_next_page(server: Server, pages: Pages) -> None:
    page = pages.open(f"{server.url}/en/search.html?limit=3&sort=person-share")
    page.get_by_role("link", name="Show more").click()
    expect(page.locator(".sample")).to_have_count(4)
    expect(page.get_by_role("link", name="Show more")).to_have_count(0)
    assert len({sample.get_attribute("data-key") for sample in page.locator(".sample").all()}) == 4


def test_large_picture_is_used_by_keyboard(server: Server, pages: Pages) -> None:
    page = pages.open(f"{server.url}/en/search.html")
    page.get_by_role("button", name="train/a").press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("train/a")
    check_accessibility(page)
    photo = dialog.locator("img.photo")
    expect(photo).to_have_attribute("src", f"/pictures/image/{NAME}/train/a")
    page.wait_for_function("document.querySelector('#large img.photo').naturalWidth > 0")
    page.keyboard.press("ArrowRight")
    expect(dialog).to_contain_text("train/b")
    page.keyboard.press("b")
    expect(dialog.get_by_role("checkbox")).to_be_checked()
    page.keyboard.press("m")
    expect(dialog.locator("img.mask")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.get_by_role("button", name="train/b")).to_be_focused()
    expect(page.get_by_label("Mark train/b")).to_be_checked()


def test_marks_stay_and_become_files(server: Server, pages: Pages, tmp_path: Path) -> None:
    page = pages.open(f"{server.url}/en/search.html")
    expect(page.get_by_role("heading", name="Marked samples")).to_be_hidden()
    for stem in "ac":
        page.get_by_label(f"Mark train/{stem}").check()
    page.reload()
    expect(page.locator("#basket-count")).to_have_text("2 marked")
    page.locator("#basket summary").click()
    page.get_by_label("Selection for params.yaml").check()
    check_accessibility(page)
    page.get_by_label("Name of the selection").fill("hard")
    with page.expect_download() as download:
        page.get_by_role("button", name="Make a file").click()
    assert download.value.suggested_filename == "selection-hard.yaml"
    download.value.save_as(tmp_path / "file")
    found = yaml.safe_load((tmp_path / "file").read_text())
    assert found == {"selections": {"hard": {"stems": [f"{NAME}/train/{s}" for s in "ac"]}}}
    expect(page.locator("#made")).to_contain_text("sceneset selections")
    page.get_by_label("Waivers for registry/waivers.yaml").check()
    page.get_by_label("Reason").fill("too far away")
    page.locator("select[name=rule]").select_option("person-small")
    with page.expect_download() as download:
        page.get_by_role("button", name="Make a file").click()
    assert download.value.suggested_filename == "waivers-person-small.yaml"
    page.get_by_role("button", name="Remove all marks").click()
    expect(page.get_by_role("heading", name="Marked samples")).to_be_hidden()


def test_form_works_without_scripts(server: Server, pages: Pages) -> None:
    page = pages.open(f"{server.url}/en/search.html", script=False)
    page.get_by_role("checkbox", name="multi 2").check()
    page.get_by_role("button", name="Search").click()
    expect(page.locator("#count")).to_have_text("2 of 4 samples")
    expect(page.locator(".sample")).to_have_count(2)


def test_hostile_names_run_nothing(added: Path, pages: Pages) -> None:
    tags = added / f"registry/tags/{NAME}.csv"
    head, *rows = tags.read_text().splitlines()
    columns = head.split(",")
    row = dict(zip(columns, rows[0].split(","), strict=True)) | {"source": HOSTILE}
    tags.write_text("\n".join([head, ",".join(row.values()), *rows[1:]]) + "\n")
    with served(added) as server:
        page = pages.open(f"{server.url}/en/search.html?text=onerror")
        expect(page.locator(".caption")).to_contain_text(HOSTILE)
        page.get_by_role("button", name="train/a").click()
        expect(page.get_by_role("dialog")).to_contain_text(HOSTILE)
        assert json.dumps(page.evaluate("document.querySelectorAll('img').length")) == "4"


def test_page_of_the_api_is_shown_offline(server: Server, pages: Pages) -> None:
    page = pages.open(f"{server.url}/api/docs")
    expect(page.get_by_text("/api/facets").first).to_be_visible()


def test_large_picture_has_links_to_similar_samples(added: Path, pages: Pages) -> None:
    path = write_vectors(
        added.parent / "v.parquet", {"stem": list("abc")}, [[1, 0], [1, 1], [0, 1]]
    )
    with served(added, similar=SimilarSamples.read(path, Catalog(added))) as server:
        for theme in THEMES:
            page = pages.open(f"{server.url}/en/search.html", width=390, theme=theme)
            page.locator(".tile").first.click()
            links = page.locator("#similar-list a")
            expect(links).to_have_count(2)
            expect(links.first).to_have_attribute("title", f"{NAME}/train/b, similarity 0.71")
            check_accessibility(page)
            check_width(page)
            screenshots(page, f"similar-{theme}")
        page.locator("#next").click()
        page.locator("#next").click()
        page.locator("#next").click()
        expect(page.locator("#similar-note")).to_have_text("This sample has no vector.")
        page.locator("#previous").click()
        links.first.focus()
        page.keyboard.press("Enter")
        expect(page.locator("#text")).to_have_value("train/b")
        expect(page.locator(f"[data-key='{NAME}/train/b']")).to_be_visible()
