"""Markdown that commands write loads nothing from a server, whatever texts people give."""

from collections.abc import Iterator
from pathlib import Path

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

from sceneset.catalog.reader import Catalog
from sceneset.quality.evaluate import all_findings
from sceneset.reporting.cards import card_texts, read_statistics
from sceneset.reporting.data_card import compute_data_card
from sceneset.reporting.data_card_pages import card_page
from sceneset.reporting.markdown import findings_markdown
from sceneset.reporting.review import Review, review_page
from sceneset.schemas.version import Version, VersionChanges
from sceneset.versions.changelog import with_version
from support.build import NAME, Run

HOSTILE = (
    "![x](http://example.com/x.png) <img src=https://example.com/y.png> [z](http://example.com) "
    "\\![u](http://example.com/u.png) \\<img src=http://example.com/v.png> ![ref] https://example.com"
)
"""An image in each of Markdown's forms, HTML, and links. It may be the name of a scene."""


def tokens_of(text: str) -> Iterator[Token]:
    """Yield what a reader of Markdown on a code host makes of a text."""
    for token in MarkdownIt("commonmark", {"html": True}).enable("table").parse(text):
        yield token
        yield from token.children or ()


def remote_parts(text: str, *, links: bool = False) -> list[str]:
    """Return the images, HTML and links of a text that lead to a server."""
    found = []
    for token in tokens_of(text):
        target = str(token.attrs.get("src") or token.attrs.get("href") or "")
        is_html = token.type in {"html_block", "html_inline"} and "example.com" in token.content
        if token.type == "image" or is_html or (not links and "//" in target):
            found.append(f"{token.type} {token.content} {target}")
    return found


def put_everywhere(root: Path, text: str) -> None:
    """Make a text the name of the scene ski, and all descriptions of the subset."""
    path = root / "registry/scenes.yaml"
    scenes = yaml.safe_load(path.read_text("utf-8"))
    [ski] = [scene for scene in scenes["scenes"] if scene["key"] == "ski"]
    ski["name"] = {"en": text, "zh": f"{text} 滑雪"}
    path.write_text(yaml.safe_dump(scenes, allow_unicode=True), "utf-8")
    path = root / f"registry/subsets/{NAME}.yaml"
    entry = yaml.safe_load(path.read_text("utf-8"))
    entry |= {"category": text, "description": {"en": text, "zh": text}}
    entry["splits"][0]["description"] = {"en": text, "zh": text}
    path.write_text(yaml.safe_dump(entry, allow_unicode=True), "utf-8")


def test_the_parser_finds_what_a_text_of_people_would_load() -> None:
    found = remote_parts(f"{HOSTILE}\n\n[ref]: http://example.com/r.png")
    assert {part.split()[0] for part in found} == {"image", "html_inline", "link_open"}


def test_texts_of_people_load_nothing_in_cards_pages_and_exports(
    added: Path, tmp_path: Path, sceneset: Run
) -> None:
    put_everywhere(added, HOSTILE)
    catalog = Catalog(added)
    pages = dict(card_texts(catalog, *read_statistics(catalog)))
    assert {"index.en.md", "index.zh.md", f"{NAME}.en.md", f"{NAME}.zh.md"} < pages.keys()
    card = compute_data_card(catalog)
    pages |= {
        f"data-card.{language}.md": card_page(card, language, "md") for language in ("en", "zh")
    }
    outcome = sceneset("export", "hf", HOSTILE, "--to", tmp_path / "out", cwd=added)
    assert outcome.code == 0, outcome.err
    pages["README.md"] = (tmp_path / "out/README.md").read_text("utf-8")
    tags = added / f"registry/tags/{NAME}.csv"
    tags.write_text(tags.read_text("utf-8").replace("train,a,ski", f"train,a,{HOSTILE}a"), "utf-8")
    findings = all_findings(Catalog(added), None)
    listed = findings_markdown(findings)
    pages["review"] = review_page(Review(findings, findings), "main", listed)
    for name, text in pages.items():
        if not name.endswith(".html"):
            assert remote_parts(text) == [], name
    for name in (f"{NAME}.en.md", "data-card.en.md", "data-card.zh.md", "README.md", "review"):
        assert "example.com" in pages[name], f"{name} shows the text"


def test_notes_of_a_release_load_nothing_and_keep_their_links() -> None:
    record = Version(version="1.0.0", notes=HOSTILE, state="0" * 32, samples=3, subsets={},
                     changes=VersionChanges(step="major", samples={}))  # fmt: skip
    text = with_version("", record)
    assert remote_parts(f"{text}\n[ref]: http://example.com/r.png", links=True) == []
    assert any(token.attrs.get("href") == "http://example.com" for token in tokens_of(text))
    assert "\\\\<" not in text
