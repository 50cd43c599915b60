"""Data cards in a browser."""

import subprocess
import sys
from pathlib import Path

import pytest

from support.browser import LOOKS, Pages, check_accessibility, check_width, expect, screenshots
from support.build import ROOT


@pytest.fixture(scope="session")
def data_cards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data cards of the demo's subsets."""
    folder = tmp_path_factory.mktemp("data-cards")
    command = [sys.executable, "-m", "sceneset", "card", "--to", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return folder


@pytest.mark.parametrize(("language", "theme"), LOOKS)
def test_data_card_has_no_faults(theme: str, language: str, pages: Pages, data_cards: Path) -> None:
    page = pages.open(data_cards / f"card.{language}.html", theme=theme, width=390)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    check_accessibility(page)
    check_width(page)
    page.set_viewport_size({"width": 1280, "height": 900})
    check_width(page)
    screenshots(page, f"data-card-{language}")


def test_links_of_a_data_card_have_targets(pages: Pages, data_cards: Path) -> None:
    page = pages.open(data_cards / "card.en.html")
    missing = page.evaluate(
        "[...document.links].map(link => link.getAttribute('href'))"
        ".filter(href => href.startsWith('#') && !document.getElementById(href.slice(1)))"
    )
    assert missing == []
