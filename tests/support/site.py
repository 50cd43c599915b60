"""Build catalogues in this process, and read their pages as text, links and tables."""

import json
import re
from collections.abc import Sequence
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote

from sceneset.catalog.reader import Catalog
from sceneset.cli.catalogue import load_catalogue
from sceneset.schemas.provenance import Restriction
from sceneset.site.build import build_site
from sceneset.site.collect import site_options
from sceneset.site.options import SiteOptions, SiteReport
from sceneset.versions.records import read_records

HOSTILE = "<script>alert(1)</script>\u202e \"'& ](javascript:alert(2))"
"""A text that must be shown as it is."""


def build(
    root: Path, to: Path, *, left_out: Sequence[Restriction] = (), **changes: Any
) -> SiteReport:
    """Build the catalogue of a registry; ``changes`` are fields of the options.

    With ``findings`` among them, the rules are not evaluated.
    """
    catalog, translate = Catalog(root), load_catalogue().translate
    if "findings" in changes:
        versions = read_records(catalog)
        options = SiteOptions(translate=translate, title=root.name, versions=versions)
    else:
        options = site_options(catalog, translate=translate)
    options.left_out = left_out
    for name, value in changes.items():
        setattr(options, name, value)
    return build_site(catalog, to, options)


def script_values(path: Path) -> Any:
    """Return the values that a data file hands to the pages' script."""
    match = re.fullmatch(r"sceneset\.\w+\((.*)\);\n", path.read_text("utf-8"))
    assert match
    return json.loads(f"[{match[1]}]")[1]


class Read(HTMLParser):
    """What a page shows."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: dict[str, list[str]] = {}
        """Texts of the links, by address."""
        self.tables: dict[str, list[list[str]]] = {}
        """Rows of the tables, by the heading or label before them."""
        self.headings: list[tuple[int, str]] = []
        self.ids: list[str] = []
        self.scripts: list[dict[str, str | None]] = []
        self._open: list[str] = []
        self._link = ""
        self._table = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self._separate(tag)
        if "id" in values:
            self.ids.append(values["id"] or "")
        if tag == "script":
            self.scripts.append(values)
        if tag == "a":
            self._link = values.get("href") or ""
            self.links.setdefault(self._link, []).append("")
        if re.fullmatch("h[1-6]", tag):
            self.headings.append((int(tag[1]), ""))
        if tag == "table":
            self._table = self.headings[-1][1]
            self.tables.setdefault(self._table, [])
        if tag == "tr":
            self.tables[self._table].append([])
        if tag in {"td", "th"}:
            self.tables[self._table][-1].append("")
        if tag not in {"meta", "link", "input", "img", "br"}:
            self._open.append(tag)

    def _separate(self, tag: str) -> None:
        if tag not in {"a", "b", "bdi", "code", "small", "span", "strong"}:
            self.words.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self._separate(tag)
        if tag in self._open:
            while self._open.pop() != tag:
                pass

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] in {"script", "style"}:
            return
        self.words.append(data)
        if "a" in self._open:
            self.links[self._link][-1] += data
        if any(re.fullmatch("h[1-6]", tag) for tag in self._open):
            level, text = self.headings[-1]
            self.headings[-1] = (level, text + data)
        if {"td", "th"} & set(self._open):
            self.tables[self._table][-1][-1] += data

    @property
    def text(self) -> str:
        """All words of the page."""
        return " ".join("".join(self.words).split())

    def rows(self, heading: str) -> list[list[str]]:
        """Return the rows of the tables below a heading."""
        return [[" ".join(cell.split()) for cell in row] for row in self.tables[heading]]


def read(to: Path, path: str) -> Read:
    """Return what a page shows, for example "en/index.html", and check what all pages have."""
    page = Read((to / path).read_text("utf-8"))
    levels = [level for level, _ in page.headings]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert len(page.ids) == len(set(page.ids))
    allowed = {None, "application/json"}
    assert all(script.get("type") in allowed for script in page.scripts)
    assert all("src" in script for script in page.scripts if "type" not in script)
    return page


def fragment(address: str) -> dict[str, str]:
    """Return the filters at the end of an address."""
    _, _, end = address.partition("#")
    return {name: values[-1] for name, values in parse_qs(unquote(end)).items()}
