"""The catalogue in a browser, from files and from a web server."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from sceneset.schemas.finding import Finding, finding
from sceneset.site.evaluations import read_evaluations
from support.browser import LOOKS, Pages, check_accessibility, check_width, expect, screenshots
from support.build import NAME, ROOT
from support.predictions import write_run
from support.site import HOSTILE, build

if TYPE_CHECKING:
    from playwright.sync_api import Page

FULL = "CustomSeg_Person_20240115_demo-full"
CROP = "CustomSeg_Person_20240116_demo-crop"


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The catalogue of the demo's subsets."""
    folder = tmp_path_factory.mktemp("site") / "site"
    command = [sys.executable, "-m", "sceneset", "site", "--fetch", "--to", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return folder


@pytest.fixture(params=["from files", "from a server"])
def address(
    request: pytest.FixtureRequest, site: Path, serve: Callable[[Path], str]
) -> Callable[[str], str]:
    """Return the address of a page of the catalogue."""
    root = serve(site) if request.param == "from a server" else f"{site.as_uri()}/"
    return lambda page: root + page


def count_of(page: "Page") -> int:
    """Return the number of samples that the page says it shows, once all are there."""
    expect(page.locator("#count")).to_have_text(
        re.compile(r"^[\d,]+ of [\d,]+ samples(?!.*reading)")
    )
    return int(page.locator("#count").inner_text().split()[0].replace(",", ""))


@pytest.fixture(scope="session")
def full_site(tmp_path_factory: pytest.TempPathFactory, _released_registry: Path) -> Path:
    """A catalogue with every kind of page, and texts of an attacker."""
    folder = tmp_path_factory.mktemp("full")
    root = Path(shutil.copytree(_released_registry, folder / "home", symlinks=True)) / "registry"
    (root / f"Insta360SemanticSeg/{NAME}/img_dir/train/d.jpg").unlink()
    shutil.rmtree(root / ".dvc/cache")
    entry = root / f"registry/subsets/{NAME}.yaml"
    text = HOSTILE.replace("\u202e", "")
    change(entry, "kind: full", f"kind: full\ndescription:\n  en: {json.dumps(text)}")
    selections = {"few": {"cap": 2, "description": text}, "odd": {"scenes": ["unknown"]}}
    change(root / "params.yaml", "selections: {}", f"selections: {json.dumps(selections)}")
    path = f"Insta360SemanticSeg/{NAME}/img_dir/train/b.jpg"
    findings = [
        found("a", "mask-holes", HOSTILE),
        found("a", "duplicate-near", f"looks like {path} (3 of 64 bits differ)"),
        found("b", "mask-specks", "waived").model_copy(update={"waived": HOSTILE}),
        finding("schema", HOSTILE, file="registry/scenes.yaml", row=3, field="scenes"),
    ]
    runs = []
    for name, shift in ((f"old {text[:40].replace('/', '')}", 4), ("new", 1)):
        run = write_run(folder / f"run {shift}", root, dict.fromkeys("abc", shift))
        runs.append(folder / f"{name}.parquet")
        command = [sys.executable, "-m", "sceneset", "evaluate", str(run), "--to", str(runs[-1])]
        subprocess.run(command, cwd=root, check=False, capture_output=True)
    evaluations = read_evaluations(runs)
    build(root, folder / "site", findings=findings, evaluations=evaluations)
    return folder / "site"


def found(stem: str, code: str, message: str) -> Finding:
    """Return a finding about a sample."""
    return finding(code, message, hint="do this", subset=NAME, phase="train", stem=stem)


def change(path: Path, old: str, new: str) -> None:
    """Replace a text of a file."""
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


@pytest.mark.parametrize(("language", "theme"), LOOKS)
def test_every_kind_of_page_has_no_faults(
    language: str, theme: str, pages: Pages, full_site: Path
) -> None:
    folder = full_site / language
    shown = sorted({*folder.glob("*.html"), *folder.glob("*/*.html")} - {*folder.glob("scenes/*")})
    assert len(shown) >= 9
    assert {folder / f"evaluations/{number}.html" for number in (1, 2)} <= {*shown}
    page = pages.open(full_site / "index.html", theme=theme)
    for path in [*shown, folder / "scenes/ski.html", folder / "scenes/sea.html"]:
        page.goto(path.as_uri())
        page.set_viewport_size({"width": 390, "height": 900})
        check_accessibility(page)
        check_width(page)
        page.set_viewport_size({"width": 1280, "height": 900})
        check_width(page)
        name = "-".join(path.relative_to(folder).with_suffix("").parts)
        screenshots(page, f"site-{name}-{language}")


def test_all_links_lead_somewhere(pages: Pages, site: Path) -> None:
    page = pages.open(site / "en/index.html")
    seen: set[str] = set()
    waiting = [page.url]
    while waiting:
        url = waiting.pop()
        page.goto(url)
        links = page.evaluate(
            "[...document.querySelectorAll('a[href], link[href]')].map(a => a.href)"
        )
        for link in {link.partition("#")[0] for link in links} - seen:
            seen.add(link)
            if link.endswith(".html"):
                waiting.append(link)
    assert len(seen) >= 2 * len(list(site.glob("en/**/*.html")))
    pages_of_site = {path.as_uri() for path in site.glob("*/**/*.html")}
    assert pages_of_site <= seen  # and no page is without a link to it


@pytest.mark.parametrize(("locale", "language"), [("en-US", "en"), ("zh-CN", "zh"), ("fr", "en")])
def test_first_page_chooses_the_language_of_the_reader(
    locale: str, language: str, pages: Pages, site: Path
) -> None:
    page = pages.open(site / "index.html", locale=locale)
    page.wait_for_url(f"**/{language}/index.html")
    expect(page.locator("html")).to_have_attribute("lang", {"zh": "zh-CN"}.get(language, language))


def test_language_is_kept_with_the_filters(address: Callable[[str], str], pages: Pages) -> None:
    page = pages.open(address("en/samples.html#scene=ski"))
    page.locator("#language").click()
    page.wait_for_url("**/zh/samples.html#scene=ski")
    expect(page.locator("#scene")).to_have_value("ski")
    page.goto(address("index.html"))
    page.wait_for_url("**/zh/index.html")


def test_theme_is_kept(address: Callable[[str], str], pages: Pages) -> None:
    page = pages.open(address("en/index.html"), theme="dark")
    paper = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(paper)
    page.locator("#theme").click()
    light = page.evaluate(paper)
    assert light == "rgb(255, 255, 255)" != dark
    page.goto(address("en/samples.html"))
    assert page.evaluate(paper) == light
    page.locator("#theme").click()
    assert page.evaluate(paper) == dark


def test_filters_are_in_the_address(address: Callable[[str], str], pages: Pages) -> None:
    page = pages.open(address("en/samples.html"))
    tiles = page.locator(".tile")
    expect(tiles.first).to_be_visible()
    everything = count_of(page)
    page.get_by_label("scene", exact=False).and_(page.locator("select")).first.select_option("ski")
    ski = count_of(page)
    assert 0 < ski < everything
    page.locator("#persons").select_option("multi")
    multi = count_of(page)
    assert 0 < multi < ski
    expect(page).to_have_url(re.compile("#scene=ski&persons=multi$"))
    expect(tiles).to_have_count(multi)
    page.reload()
    assert count_of(page) == multi
    expect(page.locator("#scene")).to_have_value("ski")
    page.locator("#reset").click()
    expect(page.locator("#persons")).to_have_value("")
    assert count_of(page) == everything
    expect(page).not_to_have_url(re.compile("#"))


def test_search_finds_words_in_both_languages(address: Callable[[str], str], pages: Pages) -> None:
    page = pages.open(address("en/samples.html"))
    expect(page.locator(".tile").first).to_be_visible()
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("滑雪")
    expect(page).to_have_url(re.compile("#q=%E6%BB%91%E9%9B%AA$"))
    found = count_of(page)
    assert found > 0
    page.locator("#q").fill("ski")
    expect(page).to_have_url(re.compile("#q=ski$"))
    assert count_of(page) == found
    page.locator("#q").fill("nothing like this")
    expect(page.locator(".tile")).to_have_count(0)
    expect(page.locator("#count")).to_contain_text("0")


def test_samples_can_be_seen_large_by_keyboard(address: Callable[[str], str], pages: Pages) -> None:
    page = pages.open(address(f"en/subsets/{CROP}.html"))
    tiles = page.locator(".tile")
    expect(tiles.first).to_be_visible()
    tiles.first.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    check_accessibility(page)
    names = page.locator(".tile bdi").all_inner_texts()[:2]
    name = page.locator("#large-name")
    expect(name).to_have_text(names[0])
    page.keyboard.press("ArrowRight")
    expect(name).to_have_text(names[1])
    expect(page).to_have_url(re.compile(f"sample={CROP}/{names[1]}"))
    page.reload()  # the address names the sample
    expect(name).to_have_text(names[1])
    page.keyboard.press("ArrowLeft")
    expect(name).to_have_text(names[0])
    for key, pressed in (("1", "image"), ("3", "mask"), ("2", "overlay")):
        page.keyboard.press(key)
        expect(dialog.locator("[aria-pressed=true]")).to_have_attribute("data-mode", pressed)
    for _ in range(9):
        page.keyboard.press("Tab")
        assert page.evaluate(
            "document.activeElement === document.body"
            " || document.querySelector('dialog').contains(document.activeElement)"
        )
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page).not_to_have_url(re.compile("sample="))


def test_large_sample_is_closed_by_the_back_button(
    address: Callable[[str], str], pages: Pages
) -> None:
    page = pages.open(address(f"en/subsets/{FULL}.html"), width=390)
    tile = page.locator(".tile").nth(2)
    tile.click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    check_width(page)
    page.go_back()
    expect(dialog).to_be_hidden()
    tile.click()
    dialog.locator("#next").click()
    dialog.locator("#close").click()
    expect(dialog).to_be_hidden()
    expect(tile).to_be_focused()


def test_masks_can_be_hidden(pages: Pages, site: Path) -> None:
    page = pages.open(site / f"en/subsets/{CROP}.html")
    drawing = page.locator(".tile .drawing").first
    expect(drawing).to_be_visible()
    page.keyboard.press("m")
    expect(drawing).to_be_hidden()
    page.locator("#masks").check()
    expect(drawing).to_be_visible()


def test_commands_follow_the_filters_and_are_copied(
    address: Callable[[str], str], pages: Pages
) -> None:
    page = pages.open(
        address("en/samples.html#scene=ski&phase=train"),
        permissions=["clipboard-read", "clipboard-write"],
    )
    page.locator("#commands summary").click()
    command = page.locator(".command").filter(has_text="sceneset pull")
    expect(command.locator("code")).to_have_text("sceneset pull ski --phase train --to DIR")
    command.get_by_role("button", name="copy").click()
    expect(command.get_by_role("button", name="copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == "sceneset pull ski --phase train --to DIR"


def test_pages_without_scripts_show_their_tables(pages: Pages, site: Path) -> None:
    page = pages.open(site / "en/scenes/ski.html", script=False)
    expect(page.get_by_role("table")).to_be_visible()
    expect(page.locator("noscript")).to_be_visible()
    expect(page.locator("#controls")).to_be_hidden()
