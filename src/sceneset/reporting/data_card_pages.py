"""Data cards as Markdown and as HTML files that need nothing else, in English and Chinese."""

import re
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from sceneset.reporting import data_card_access as access
from sceneset.reporting import data_card_data as data
from sceneset.reporting import data_card_history as history
from sceneset.reporting import data_card_measures as measures
from sceneset.reporting.cards import label
from sceneset.reporting.data_card import DataCard
from sceneset.reporting.data_card_blocks import Code, Section, words
from sceneset.reporting.data_card_history import Translate
from sceneset.reporting.data_card_limits import limits
from sceneset.reporting.markdown import escape_cell
from sceneset.reporting.page import (
    LANGUAGE_TAGS,
    html_environment,
    policy,
    style_of,
    template_environment,
)

if TYPE_CHECKING:
    from jinja2 import Environment

LANGUAGES = ("en", "zh")
FORMATS = ("md", "html")
MARKDOWN_GENERATOR = "<!-- Written by `sceneset card` -->"
HTML_GENERATOR = '<meta name="generator" content="sceneset card">'
"""The lines of files by which their next writer knows that they may be replaced."""


def card_title(card: DataCard, language: str) -> str:
    """Return the title: the dataset and its version, or what else the state is."""
    state = card.state
    here = words(language, "working tree", "工作区")
    title = label("title", language)
    if state.version:
        return f"{title} {state.version}"
    name = state.commit[:12] or here
    return words(language, f"{title} ({name})", f"{title}（{name}）")


def card_sections(card: DataCard, language: str, translate: Translate) -> list[Section]:
    """Return all sections of a card in "en" or "zh".

    Args:
        card: The card.
        language: The language.
        translate: Translates the meanings of rules into this language.
    """
    found = (
        data.summary(card, language),
        data.subsets(card, language),
        data.licences(card.provenance, language),
        measures.scenes(card, language),
        measures.statistics(card, language),
        history.rules(card, language, translate),
        history.leakage(card, language, translate),
        history.changes(card, language),
        access.access(card, language),
        limits(card, language),
        access.made(card, language),
    )
    return [section for section in found if section and section.blocks]


def card_page(
    card: DataCard, language: str, form: str, *, translate: Translate = lambda text: text
) -> str:
    """Return a card in one of LANGUAGES and one of FORMATS; equal cards give equal bytes.

    Args:
        card: The card.
        language: "en" or "zh".
        form: "md" or "html".
        translate: Translates the meanings of rules into the language.
    """
    sections = card_sections(card, language, translate)
    title, note = card_title(card, language), data.left_out_text(card, language)
    if form == "md":
        head = f"{MARKDOWN_GENERATOR}\n\n# {escape_line(title)}\n\n"
        return head + (f"{escape_line(note)}\n\n" if note else "") + sections_markdown(sections)
    environment = html_environment()
    return environment.get_template("data_card.html.jinja").render(
        title=title,
        note=note,
        sections=sections,
        lang=LANGUAGE_TAGS[language],
        contents=words(language, "Contents", "目录"),
        generator=HTML_GENERATOR,
        style=style_of("data_card.css"),
        policy=policy(),
        label=lambda name: label(name, language),
        is_code=_is_code,
    )


def sections_markdown(sections: Sequence[Section]) -> str:
    """Return sections as Markdown, for cards and for the README of a Hugging Face export."""
    template = _markdown_environment().get_template("data_card.md.jinja")
    text = template.render(sections=sections)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def escape_line(text: object) -> str:
    """Return text as a line of Markdown that is a paragraph, whatever it begins with."""
    escaped = escape_cell(text).strip()
    # Headings, quotes, lists, rules, fences and numbered items begin with these.
    escaped = re.sub(r"^[#>+=_-]", lambda found: f"&#{ord(found[0])};", escaped)
    return re.sub(
        r"^(\d{1,9})([.)])(?=\s|$)", lambda found: f"{found[1]}&#{ord(found[2])};", escaped
    )


def _cell(value: object) -> str:
    return f"`{value}`" if _is_code(value) else escape_cell(value)


def _is_code(value: object) -> bool:
    return isinstance(value, Code)


@cache
def _markdown_environment() -> "Environment":
    environment = template_environment("sceneset.reporting", is_html=False)
    environment.filters["cell"] = _cell
    environment.filters["line"] = escape_line
    return environment
