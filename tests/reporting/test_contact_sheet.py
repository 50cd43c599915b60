"""Contact sheets as pages: text stays text, nothing is loaded, nothing else runs."""

import base64
import hashlib
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from sceneset.errors import BlobMissingError, UsageError, fail
from sceneset.imaging.overlay import COLOURS, Paint
from sceneset.reporting.contact_sheet import ContactSheet, Entry, draw_cards, sheet_png
from sceneset.reporting.sheet_page import GENERATOR, sheet_page
from sceneset.schemas.params import Limits
from support.images import encoded

HOSTILE = "</script><script>alert('x')</script><img src=http://example.com/a.png onerror=alert(1)>"
PHOTO = encoded(Image.new("RGB", (40, 20), (100, 110, 120)), "PNG")
MASK = np.zeros((20, 40), np.uint8)
MASK[5:15, 10:30] = 1


def entry(**fields: object) -> Entry:
    given = {
        "phase": "train",
        "stem": "a",
        "suffix": ".png",
        "image": lambda: PHOTO,
        "mask": lambda: encoded(Image.fromarray(MASK), "PNG"),
    }
    return Entry(**(given | fields))


def gone() -> bytes:
    raise BlobMissingError("is not on this machine; --fetch downloads it")


def unreadable() -> bytes:
    fail("file-unreadable", "Permission denied", file="a.png")


def sheet_of(*entries: Entry, language: str = "en", title: str = "ski") -> ContactSheet:
    cards = draw_cards(entries, Limits(), side=64, language=language)
    return ContactSheet(title, cards, ["1 sample"], language)


class Page(HTMLParser):
    """Elements, attributes and texts of a page, as a browser sees them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.scripts: list[str] = []
        self._inside = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, tag):
        self._inside = ""

    def handle_data(self, data):
        if self._inside == "script":
            self.scripts.append(data)
        elif self._inside != "style" and data.strip():
            self.texts.append(data.strip())


def test_page_refers_to_nothing_outside_and_allows_only_its_own_script():
    text = sheet_page(sheet_of(entry(), entry(image=gone)))
    page = Page(text)
    for tag, attributes in page.elements:
        assert tag not in {"link", "iframe", "object", "embed", "base", "form", "a"}
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "href", "srcset", "action", "data", "poster", "background"):
            assert (attributes.get(name) or "data:").startswith("data:")
    assert "url(" not in text
    assert "@import" not in text
    [policy] = [a["content"] for t, a in page.elements if a.get("http-equiv")]
    [script] = page.scripts
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert "default-src 'none'" in policy
    assert f"script-src 'sha256-{digest}'" in policy
    assert not re.findall(r"fetch\(|XMLHttpRequest|import\(|innerHTML|eval\(", script)
    assert GENERATOR in text[:4096]


@pytest.mark.parametrize(
    "text", [HOSTILE, "{{ 7 * 7 }}", '" onload="x', "\N{HEBREW LETTER ALEF}\N{ARABIC LETTER BEH}"]
)
def test_hostile_names_and_findings_are_text(text):
    shown = entry(stem=text, subset=text, facts=(text,), texts=(text,))
    page = Page(sheet_page(sheet_of(shown, title=text)))
    plain = Page(sheet_page(sheet_of(entry(subset="s", facts=("f",), texts=("t",)))))
    assert [tag for tag, _ in page.elements] == [tag for tag, _ in plain.elements]
    assert page.texts.count(text) == 5  # the title twice, subset, facts, finding
    assert f"train/{text}" in page.texts
    assert page.scripts == plain.scripts


def test_pictures_of_a_page_are_the_photo_and_the_mask_above_it():
    page = Page(sheet_page(sheet_of(entry())))
    photo, mask = [
        Image.open(io.BytesIO(base64.b64decode(attributes["src"].partition(",")[2])))
        for tag, attributes in page.elements
        if tag == "img"
    ]
    assert photo.convert("RGB").getpixel((20, 10)) == pytest.approx((100, 110, 120), abs=3)
    assert mask.convert("RGBA").getpixel((20, 10)) == COLOURS[Paint.PERSON]
    assert mask.convert("RGBA").getpixel((10, 10)) == COLOURS[Paint.LINE]
    assert mask.convert("RGBA").getpixel((0, 0))[3] == 0


@pytest.mark.parametrize(
    ("fields", "reason", "has_photo"),
    [
        ({"image": gone}, "image: is not on this machine; --fetch downloads it", False),
        ({"mask": gone}, "mask: is not on this machine; --fetch downloads it", True),
        ({"image": unreadable}, "image: Permission denied", False),
        ({"image": lambda: PHOTO[:50]}, "image: is truncated: its end is missing", False),
        ({"mask": lambda: PHOTO}, "mask: is an RGB image, not one channel of 8 bits", True),
        ({"mask": None}, "no usable mask", True),
    ],
)
def test_what_is_not_shown_has_a_reason(fields, reason, has_photo):
    sheet = sheet_of(entry(**fields))
    page = Page(sheet_page(sheet))
    assert reason in page.texts
    assert ("img" in {tag for tag, _ in page.elements}) == has_photo
    assert sheet.missing == 1


def test_page_and_legend_are_in_the_language_of_the_sheet():
    ignored = MASK.copy()
    ignored[:, 35:] = 255
    shown = entry(mask=lambda: encoded(Image.fromarray(ignored), "PNG"))
    page = Page(sheet_page(sheet_of(shown, language="zh")))
    assert ("html", {"lang": "zh-CN"}) in page.elements
    assert {"人", "忽略（255）", "标注（M）"} <= set(page.texts)
    english = Page(sheet_page(sheet_of(shown))).texts
    assert {"person", "ignored (255)", "masks (M)"} <= set(english)
    assert "other values" not in english


def test_cards_keep_the_order_of_the_samples_when_they_are_drawn_in_threads():
    entries = [entry(stem=f"{number:03}") for number in range(150)]
    cards = draw_cards(entries, Limits(), side=32)
    assert [card.entry.stem for card in cards] == [one.stem for one in entries]


def test_png_sheet_that_would_be_too_large_is_refused_with_advice():
    cards = draw_cards([entry(image=gone)], Limits(), side=2000) * 100
    with pytest.raises(UsageError, match="html"):
        sheet_png(ContactSheet("x", cards), 2000)
