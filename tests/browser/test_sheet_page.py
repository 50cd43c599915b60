"""Contact sheets in a browser: filter, masks, large pictures by mouse and keyboard."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from sceneset.errors import BlobMissingError
from sceneset.reporting.contact_sheet import ContactSheet, Entry, draw_cards
from sceneset.reporting.sheet_page import sheet_page
from sceneset.schemas.params import Limits
from support.browser import LOOKS, Pages, check_accessibility, check_width, expect, screenshots
from support.build import NAME, Run, write_mask

HOSTILE = (
    "</script><img src=http://example.com/a.png onerror=alert(1)>\u202e[x](http://example.com)"
)
SIZES = ((480, 270), (270, 480), (64, 48))
Sheet = Callable[..., Path]


def picture(seed: int, *, mask: bool = False) -> bytes:
    """Return a photo of a person before a sky as a PNG file, or its mask."""
    size = SIZES[seed % len(SIZES)]
    width, height = size
    x, y = width // 3 + seed * 3 % (width // 4), height // 4
    if mask:
        image = Image.new("L", size)
        paint: object = 1
    else:
        sky = np.linspace((90, 140, 200), (240, 240, 250), height).astype(np.uint8)
        image = Image.fromarray(np.repeat(sky[:, None], width, axis=1))
        paint = (170, 60 + 15 * seed % 190, 50)
    drawn = ImageDraw.Draw(image)
    drawn.ellipse((x, y, x + width // 6, y + height // 5), fill=paint)
    drawn.rectangle((x, y + height // 5, x + width // 5, height - height // 6), fill=paint)
    if mask and seed % 2:
        drawn.line((0, 2, width, 2), fill=255, width=3)
    data = io.BytesIO()
    image.save(data, "PNG")
    return data.getvalue()


def missing() -> bytes:
    raise BlobMissingError("is not on this machine; --fetch downloads it from " + "/a/folder" * 60)


def entry(number: int) -> Entry:
    """Return one of the samples: 2 has no image, 4 no mask, 5 comes from an attacker."""
    return Entry(
        phase="train" if number < 5 else "val",
        stem=HOSTILE if number == 5 else f"{'ski' if number % 2 else 'surf'}_{number:04}",
        suffix=".png",
        image=missing if number == 2 else lambda: picture(number),
        mask=missing if number == 4 else lambda: picture(number, mask=True),
        subset=HOSTILE if number == 5 else NAME,
        facts=("single", "480 x 270", "12.5 %"),
        texts=("the mask holds the value 38 [mask-values]",) if number % 4 == 3 else (),
    )


@pytest.fixture
def sheet(tmp_path: Path) -> Sheet:
    def write(*numbers: int, language: str = "en", title: str = "ski surf") -> Path:
        cards = draw_cards(
            [entry(number) for number in numbers or range(8)],
            Limits(min_side=16),
            side=480,
            language=language,
        )
        count = f"{len(cards)} 个样本" if language == "zh" else f"{len(cards)} samples"
        path = tmp_path / "view.html"
        path.write_text(sheet_page(ContactSheet(title, cards, [count], language)), "utf-8")
        return path

    return write


@pytest.mark.parametrize(("language", "theme"), LOOKS)
def test_sheet_has_no_faults(theme: str, language: str, pages: Pages, sheet: Sheet) -> None:
    page = pages.open(sheet(language=language), theme=theme, width=390)
    check_accessibility(page)
    check_width(page)
    page.set_viewport_size({"width": 1280, "height": 900})
    check_width(page)
    page.get_by_role("button").first.click()
    expect(page.get_by_role("dialog")).to_be_visible()
    check_accessibility(page)
    screenshots(page, f"sheet-large-{language}", whole=False)
    page.keyboard.press("Escape")
    screenshots(page, f"sheet-{language}")


def test_filter_leaves_the_samples_that_have_all_words(pages: Pages, sheet: Sheet) -> None:
    page = pages.open(sheet())
    figures, count = page.locator("figure:visible"), page.locator("#count")
    expect(figures).to_have_count(8)
    expect(count).to_have_text("")
    page.keyboard.press("/")
    field = page.get_by_role("searchbox", name="filter by name, scene or finding")
    expect(field).to_be_focused()
    expect(field).to_have_value("")
    for text, left in (("SURF", 4), ("ski", 3), ("ski mask-values", 2), ("ski nothing", 0)):
        field.fill(text)
        expect(figures).to_have_count(left)
        expect(count).to_have_text(f"{left} / 8")
    field.fill("m")  # typing is not a shortcut
    expect(page.get_by_role("checkbox")).to_be_checked()
    field.fill("")
    expect(figures).to_have_count(8)
    expect(count).to_have_text("")


def test_masks_are_hidden_and_shown_again(pages: Pages, sheet: Sheet) -> None:
    page = pages.open(sheet(1))
    mask = page.locator("main .mask")
    expect(mask).to_be_visible()
    page.get_by_role("checkbox", name="masks").uncheck()
    expect(mask).to_be_hidden()
    page.keyboard.press("m")
    expect(mask).to_be_visible()
    page.get_by_role("button").first.click()
    large = page.locator("dialog .mask")
    expect(large).to_be_visible()
    page.keyboard.press("M")
    expect(large).to_be_hidden()
    page.keyboard.press("Escape")
    expect(page.get_by_role("checkbox")).not_to_be_checked()


def test_size_of_pictures_can_be_changed(pages: Pages, sheet: Sheet) -> None:
    page = pages.open(sheet())
    tile = page.locator("figure").first
    before = tile.bounding_box()
    page.get_by_role("slider", name="size").fill("600")
    after = tile.bounding_box()
    assert before
    assert after
    assert after["width"] >= 600 > before["width"] >= 240
    check_width(page)


def test_large_pictures_by_keyboard(pages: Pages, sheet: Sheet) -> None:
    page = pages.open(sheet())
    tiles = page.locator(".tile")
    tiles.nth(0).focus()
    page.keyboard.press("Tab")
    expect(tiles.nth(1)).to_be_focused()
    page.keyboard.press("Enter")
    dialog, caption = page.get_by_role("dialog"), page.locator("#large-caption strong")
    expect(dialog).to_be_visible()
    expect(caption).to_have_text("train/ski_0001")
    page.keyboard.press("ArrowRight")
    expect(caption).to_have_text("train/ski_0003")  # 2 has no picture
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(caption).to_have_text("val/ski_0007")
    for _ in range(5):  # the rest of the page can't be reached
        page.keyboard.press("Tab")
        assert page.evaluate(
            "document.activeElement === document.body"
            " || document.querySelector('dialog').contains(document.activeElement)"
        )
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(tiles.last).to_be_focused()


def test_large_pictures_by_mouse(pages: Pages, sheet: Sheet) -> None:
    page = pages.open(sheet(), width=390, height=700)
    page.get_by_role("searchbox").fill("ski")
    page.get_by_role("button", name="train/ski_0001").click()
    dialog, caption = page.get_by_role("dialog"), page.locator("#large-caption strong")
    shown = page.locator("dialog .picture img").first
    assert shown.get_attribute("src") == page.locator(".tile img").nth(2).get_attribute("src")
    check_width(page)
    page.get_by_role("button", name="next").click()
    expect(caption).to_have_text("train/ski_0003")
    page.get_by_role("button", name="next").click()
    expect(caption).to_have_text("val/ski_0007")  # what the filter hides is left out
    page.get_by_role("button", name="next").click()
    expect(caption).to_have_text("train/ski_0001")
    page.get_by_role("button", name="previous").click()
    expect(caption).to_have_text("val/ski_0007")
    page.get_by_role("button", name="close").click()
    expect(dialog).to_be_hidden()
    page.get_by_role("button", name="val/ski_0007").click()
    page.locator("dialog .picture").click()
    expect(dialog).to_be_hidden()


def test_names_of_others_are_text(pages: Pages, sheet: Sheet) -> None:
    page = pages.open(sheet(5, title=HOSTILE))
    expect(page.get_by_role("heading")).to_have_text(HOSTILE)
    expect(page.locator("figcaption strong")).to_have_text(f"val/{HOSTILE}")
    page.get_by_role("button").first.click()
    expect(page.locator("#large-caption strong")).to_have_text(f"val/{HOSTILE}")
    sources = page.evaluate("[...document.images].map(image => image.src.slice(0, 11))")
    assert set(sources) == {"data:image/"}


def test_sheet_without_scripts_shows_everything(pages: Pages, sheet: Sheet) -> None:
    page = pages.open(sheet(), script=False)
    expect(page.locator("figure:visible")).to_have_count(8)
    expect(page.locator(".missing")).to_contain_text("is not on this machine")
    expect(page.locator(".controls")).to_be_hidden()


@pytest.mark.parametrize(("locale", "word"), [("C.UTF-8", "filter"), ("zh_CN.UTF-8", "筛选")])
def test_pictures_of_a_delivery(
    locale: str,
    word: str,
    pages: Pages,
    registry: Path,
    delivery: Path,
    sceneset: Run,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("LC_ALL", locale)
    write_mask(delivery / "ann_dir/train/b.png", person=38)
    to = tmp_path / "view.html"
    outcome = sceneset("add", delivery, "--name", NAME, "--dry-run", "--view", to, cwd=registry)
    assert outcome.code == 1
    page = pages.open(to)
    check_accessibility(page)
    page.get_by_placeholder(word).fill("mask-values")
    expect(page.locator("figure:visible")).to_have_count(1)
    expect(page.locator(".finding:visible")).to_contain_text("38")
    check_width(page)
