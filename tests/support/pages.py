"""What a page of the documentation and its translation have in common."""

import os
import re
from collections import Counter
from typing import NamedTuple

from support.build import ROOT

ENGLISH = {
    path.stem: path.relative_to(ROOT).as_posix()
    for path in sorted(ROOT.glob("docs/*.md"))
    if path.stem not in {"cli", "api", "problems"}  # generated, in English only
}
"""The pages that people write, by name."""
CHINESE = {
    path.stem: path.relative_to(ROOT).as_posix() for path in sorted(ROOT.glob("docs/zh/**/*.md"))
}
_BLOCK = re.compile(r"^ *```.*?^ *```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^]]*\]\(([^)#\s]*)(#[^)\s]*)?\)")
_SPAN = re.compile(r"`([^`]+)`")


class Outline(NamedTuple):
    """A page without the words of its language."""

    levels: list[int]
    """Levels of the headings."""
    blocks: list[str]
    links: Counter[str]
    """Files that the page links to, as paths of the English pages."""
    spans: set[str]
    """Commands, names and values in the text."""
    rows: list[tuple[int, Counter[str]]]
    """Rows of tables: the number of cells, and the numbers in them."""
    points: int
    """Points of lists."""
    paragraphs: int


def prose(text: str) -> str:
    """Return a page without its code blocks."""
    return _BLOCK.sub("", text)


def outline(page: str) -> Outline:
    """Return what the page of another language must have, too."""
    text = (ROOT / page).read_text("utf-8")
    written = prose(text)
    return Outline(
        [len(level) for level in re.findall(r"^(#+) ", written, re.MULTILINE)],
        _BLOCK.findall(text),
        links(page),
        {" ".join(span.split()) for span in _SPAN.findall(written)},
        [
            (row.count("|"), Counter(re.findall(r"\d+(?:[,.]\d+)*", row)))
            for row in re.findall(r"^ *\|.*$", written, re.MULTILINE)
        ],
        len(re.findall(r"^ *- ", written, re.MULTILINE)),
        len(re.findall(r"\n\n+(?=\S)", written)),
    )


def anchors(page: str) -> list[str]:
    """Return the anchors of the headings of a page, as GitHub names them."""
    titles = re.findall(r"^#+ (.+)$", prose((ROOT / page).read_text("utf-8")), re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles]


def anchored_links(page: str) -> list[tuple[str, str]]:
    """Return the file that each link of a page leads to, and the anchor in it ("" for none)."""
    folder = (ROOT / page).parent.relative_to(ROOT)
    return [
        (link if "://" in link else os.path.normpath(folder / link) if link else page, anchor[1:])
        for link, anchor in _LINK.findall(prose((ROOT / page).read_text("utf-8")))
    ]


def links(page: str) -> Counter[str]:
    """Return the files that a page links to; a Chinese page counts as the English one."""
    return Counter(
        "docs/" + link.removeprefix("docs/zh/") if link.startswith("docs/zh/") else link
        for link, _ in anchored_links(page)
    )
