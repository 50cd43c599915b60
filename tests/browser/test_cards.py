"""The HTML files of registry/cards in a browser."""

from pathlib import Path

import pytest

from sceneset.catalog.reader import Catalog
from sceneset.reporting.cards import card_texts, read_statistics
from support.browser import LOOKS, Pages, check_accessibility, check_width, expect, screenshots
from support.build import ROOT


@pytest.fixture(scope="session")
def cards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cards of the demo's subsets."""
    folder = tmp_path_factory.mktemp("cards")
    catalog = Catalog(ROOT)
    for name, text in card_texts(catalog, *read_statistics(catalog)):
        (folder / name).write_text(text, "utf-8")
    return folder


@pytest.mark.parametrize(("language", "theme"), LOOKS)
def test_cards_have_no_faults(theme: str, language: str, pages: Pages, cards: Path) -> None:
    page = pages.open(cards / f"index.{language}.html", theme=theme, width=390)
    check_accessibility(page)
    check_width(page)
    screenshots(page, f"cards-{language}")
    for link in page.get_by_role("link").all():
        link.click()
        expect(page).to_have_title(link_name := page.get_by_role("heading").first.inner_text())
        check_accessibility(page)
        check_width(page)
        if link_name.endswith("full"):
            screenshots(page, f"card-{language}")
        page.go_back()
