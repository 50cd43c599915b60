"""The sources of the site: the pages of docs/ in one language, with links that lead to its pages.

The pages are written for GitHub: a link is a path in the repository. Here it becomes the path of a
page of the site. A page without a Chinese translation is taken in English.
"""

import os
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from markdown_it import MarkdownIt
from myst_parser.slugs import github_slugify, unique_slug

DOCS = Path(__file__).resolve().parents[1]
ROOT = DOCS.parent
sys.path.insert(0, str(DOCS))

from generate import CHINESE  # noqa: E402 - a module of docs/

_AT_TOP = ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md")
"""Pages outside of docs/ that the site has, too."""
_LINK = re.compile(r"(?<!!)\[(?P<text>[^]]*)\]\((?P<path>[^)#\s]*)(?P<anchor>#[^)\s]*)?\)")
_FENCED = re.compile(r"(^```.*?^```$)", re.MULTILINE | re.DOTALL)
_HAN, _STOPS = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff", "，。、；：！？）（”“》《"
_CHINESE_BREAK = re.compile(
    rf"(?<=[{_HAN}{_STOPS}])\n[ \t]*(?=[{_HAN}{_STOPS}])"
    rf"|(?<=[{_STOPS}])\n[ \t]*(?=[A-Za-z\[]|`(?!``))"
)
"""Ends of lines inside of a Chinese paragraph, which browsers would show as blanks."""
_PICTURE = re.compile(r"!\[(?P<text>[^]]*)\]\((?P<path>[^)\s]+)\)")

NAVIGATION: dict[tuple[str, str], tuple[str, ...]] = {
    ("Start", "入门"): ("getting-started",),
    ("By role", "按角色"): ("data-engineer", "training-engineer", "reviewer", "annotator"),
    ("Take data in", "接收数据"): (
        "adding-a-subset",
        "formats",
        "crop",
        "scanning",
        "people",
        "looking",
    ),
    ("Change", "修改"): ("changing", "split", "selections"),
    ("Check", "检查"): ("rules", "leakage", "suggest", "ci"),
    ("Publish and use", "发布与使用"): (
        "states",
        "cards",
        "catalogue",
        "serve",
        "training",
        "evaluate",
        "walk-train-evaluate",
        "plan",
        "fineness",
        "sql",
        "remotes",
    ),
    ("Recover", "恢复"): ("doctor", "withdrawing"),
    ("Reference", "参考"): ("cli", "api", "problems", "files", "glossary", "performance"),
    ("Project", "项目"): ("adr/index", "changelog", "contributing", "security"),
}
"""The pages of the sidebar, by their captions in English and Chinese."""


class Page(NamedTuple):
    """A page of the site: where it is written, and what else it is called."""

    english: Path
    chinese: Path

    def source(self, language: str) -> Path:
        """Return the file with the text of the page."""
        return self.chinese if language == "zh" and self.chinese.is_file() else self.english


def pages() -> dict[str, Page]:
    """Return the pages of the site by their names, those of people first."""
    found = {
        "index": Page(DOCS / "README.md", DOCS / "zh/README.md"),
        **{path.stem: Page(path, DOCS / "zh" / path.name) for path in sorted(DOCS.glob("*.md"))},
        **{
            f"adr/{path.stem}": Page(path, DOCS / "zh/adr" / path.name)
            for path in sorted((DOCS / "adr").glob("*.md"))
        },
        **{
            name.removesuffix(".md").lower(): Page(ROOT / name, DOCS / "zh" / name)
            for name in _AT_TOP
        },
    }
    del found["README"]
    return found


def write_sources(language: str, folder: Path) -> list[str]:
    """Write the sources of the site in one language, and return the pages that are in English."""
    found = pages()
    if language == "zh":
        for name, text in CHINESE.items():
            path = folder / "generated" / f"{name}.md"
            write(path, text())
            found[name] = found[name]._replace(chinese=path)
    names = {path: name for name, page in found.items() for path in page}
    names |= {ROOT / "README.md": "index", DOCS / "adr": "adr/index", DOCS: "index"}
    for name, page in found.items():
        source = page.source(language)

        # Links of generated pages are those of their pages in English.
        base = (page.english if folder in source.parents else source).parent

        def link(target: Path, anchor: str, base: Path = base, name: str = name) -> str | None:
            to = names.get(Path(os.path.normpath(base / target)))
            if to is None:
                return None
            anchor = anchor_in(anchor, found[to], language) if anchor and to in found else anchor
            return os.path.relpath(f"{to}.md", Path(name).parent) + anchor

        def picture(match: re.Match[str], base: Path = base, name: str = name) -> str:
            path = base / match["path"]
            if "://" in match["path"]:
                return match[0]
            shutil.copy(path, folder / path.name)
            return f"![{match['text']}]({os.path.relpath(path.name, Path(name).parent)})"

        text = _PICTURE.sub(picture, with_links(source.read_text("utf-8"), link))
        if language == "zh":
            text = with_joined_lines(text)
        if name == "index":
            text += _contents(found, language)
        write(folder / f"{name}.md", text)
    title = "设计决定" if language == "zh" else "Design decisions"
    decisions = "\n".join(name.removeprefix("adr/") for name in found if name.startswith("adr/"))
    text = f"# {title}\n\n```{{toctree}}\n:maxdepth: 1\n\n{decisions}\n```\n"
    write(folder / "adr/index.md", text)
    return [name for name, page in found.items() if page.source(language) == page.english]


def write(path: Path, text: str) -> None:
    """Write a source of the site."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8", newline="\n")


def _contents(found: dict[str, Page], language: str) -> str:
    """Return the table of contents that Sphinx needs: every page once, with captions."""
    listed = {name for names in NAVIGATION.values() for name in names} | {"index"}
    more = [name for name in found if name not in listed and not name.startswith("adr/")]
    groups = {captions[language == "zh"]: [*names] for captions, names in NAVIGATION.items()}
    if more:
        groups["更多" if language == "zh" else "More"] = more
    return "".join(
        f"\n```{{toctree}}\n:hidden:\n:caption: {caption}\n\n" + "\n".join(names) + "\n```\n"
        for caption, names in groups.items()
    )


def with_links(text: str, link: Callable[[Path, str], str | None]) -> str:
    """Return a text with other links.

    Args:
        text: A page in Markdown.
        link: Returns what to write instead of a path and its anchor, such as "#files" or ""; None
            leaves the words of the link only.
    """

    def replace(match: re.Match[str]) -> str:
        if not match["path"] or ":" in match["path"]:
            return match[0]
        to = link(Path(match["path"]), match["anchor"] or "")
        return match["text"] if to is None else f"[{match['text']}]({to})"

    return _outside_fences(text, lambda part: _LINK.sub(replace, part))


def with_joined_lines(text: str) -> str:
    """Return a text with each Chinese paragraph on one line, because Chinese has no blanks."""
    return _outside_fences(text, lambda part: _CHINESE_BREAK.sub("", part))


def _outside_fences(text: str, change: Callable[[str], str]) -> str:
    """Return a text with everything changed that is not in a block of code."""
    parts = _FENCED.split(text)
    return "".join(part if part.startswith("```") else change(part) for part in parts)


def anchor_in(anchor: str, page: Page, language: str) -> str:
    """Return the anchor of a heading ("#files"), also if it is one of the other language.

    That is so for links from and to pages without a translation. The headings of both languages are
    the same in number and order.
    """
    source = page.source(language)
    there, anchor = headings(source.read_text("utf-8")), anchor.removeprefix("#")
    if anchor not in there and page.english.is_file() and page.chinese.is_file():
        english = headings(page.english.read_text("utf-8"))
        if anchor in english and len(english) == len(there):
            anchor = there[english.index(anchor)]
    elif anchor not in there and language == "zh":
        return ""  # the page is there in English: its Chinese headings are not known
    return f"#{anchor}"


def headings(text: str) -> list[str]:
    """Return the anchors of the headings of a page, as GitHub and the site name them."""
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    anchors: list[str] = []
    for place, token in enumerate(tokens):
        if token.type == "heading_open":
            words = tokens[place + 1].children or ()
            title = "".join(one.content for one in words if one.type in {"text", "code_inline"})
            anchors.append(unique_slug(github_slugify(title), anchors))
    return anchors
