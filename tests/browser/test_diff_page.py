"""Pages of `diff --html` and `review --html` in a browser."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.browser import LOOKS, Pages, check_accessibility, check_width, expect, screenshots
from support.build import Outcome
from support.changed import change_samples


def run(*words: object, cwd: Path, locale: str = "C.UTF-8") -> Outcome:
    """Run sceneset in a process."""
    command = [sys.executable, "-m", "sceneset", *map(str, words)]
    environment = {**os.environ, "LC_ALL": locale}
    done = subprocess.run(
        command, cwd=cwd, check=False, capture_output=True, encoding="utf-8", env=environment
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="session")
def diffs(tmp_path_factory: pytest.TempPathFactory, _added_registry: Path) -> Path:
    """A folder with the pages of a changed registry: diff and review in both languages."""
    folder = tmp_path_factory.mktemp("diffs")
    root = Path(shutil.copytree(_added_registry, folder / "registry", symlinks=True))
    change_samples(root)
    for language, locale in (("en", "C.UTF-8"), ("zh", "zh_CN.UTF-8")):
        for command in ("diff", "review"):
            page = folder / f"{command}.{language}.html"
            run(command, "HEAD", "--html", page, cwd=root, locale=locale)
            assert page.exists()
    return folder


@pytest.mark.parametrize("command", ["diff", "review"])
@pytest.mark.parametrize(("language", "theme"), LOOKS)
def test_page_has_no_faults(
    theme: str, language: str, command: str, pages: Pages, diffs: Path
) -> None:
    page = pages.open(diffs / f"{command}.{language}.html", theme=theme, width=390)
    check_accessibility(page)
    check_width(page)
    screenshots(page, f"{command}-{language}")
    page.set_viewport_size({"width": 1280, "height": 900})
    check_width(page)
    page.locator("button.panel").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    check_accessibility(page)
    screenshots(page, f"{command}-large-{language}", whole=False)


def test_changes_are_shown_side_by_side_or_one_by_one(pages: Pages, diffs: Path) -> None:
    page = pages.open(diffs / "diff.en.html")
    panels = page.locator(".several").first.locator("button.panel:visible")
    expect(panels).to_have_count(3)
    page.get_by_role("radio", name="before").check()
    expect(panels).to_have_count(1)
    expect(panels).to_have_attribute("data-view", "before")
    for key, view in (("2", "after"), ("3", "change")):
        page.locator("h1").click()
        page.keyboard.press(key)
        expect(panels).to_have_attribute("data-view", view)
    page.keyboard.press("0")
    expect(panels).to_have_count(3)


def test_changes_are_filtered(pages: Pages, diffs: Path) -> None:
    page = pages.open(diffs / "diff.en.html")
    everything = page.locator("figure.change:visible").count()
    page.keyboard.press("/")
    page.keyboard.type("new2")
    expect(page.locator("figure.change:visible")).to_have_count(1)
    expect(page.locator("#count")).to_have_text(f"1 / {everything}")


def test_a_change_is_seen_large_by_keyboard(pages: Pages, diffs: Path) -> None:
    page = pages.open(diffs / "diff.en.html")
    figure = page.locator("figure.change").filter(has=page.locator(".several")).first
    before = figure.locator("button.panel").first
    before.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_be_visible()
    name = page.locator("#large-caption strong")
    first = figure.locator("figcaption strong").inner_text()
    expect(name).to_have_text(first)
    shown = dialog.locator("[data-show][aria-pressed=true]")
    for key, view in (("b", "after"), ("b", "before"), ("3", "change"), ("1", "before")):
        page.keyboard.press(key)
        expect(shown).to_have_attribute("data-show", view)
    drawing = dialog.locator(".stage svg")
    whole = drawing.get_attribute("viewBox")
    page.keyboard.press("z")
    assert drawing.get_attribute("viewBox") != whole
    page.keyboard.press("z")
    assert drawing.get_attribute("viewBox") == whole
    page.keyboard.press("ArrowRight")
    expect(name).not_to_have_text(first)
    page.keyboard.press("ArrowLeft")
    expect(name).to_have_text(first)
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(before).to_be_focused()


def test_masks_of_changes_can_be_hidden(pages: Pages, diffs: Path) -> None:
    page = pages.open(diffs / "diff.en.html")
    layer = page.locator("figure.change .layer").first
    expect(layer).to_be_visible()
    page.keyboard.press("m")
    expect(layer).to_be_hidden()
    page.get_by_role("checkbox").check()
    expect(layer).to_be_visible()


def test_page_without_scripts_shows_all_changes(pages: Pages, diffs: Path) -> None:
    page = pages.open(diffs / "diff.en.html", script=False)
    assert page.locator("button.panel:visible").count() > 8
    expect(page.locator(".controls")).to_be_hidden()
