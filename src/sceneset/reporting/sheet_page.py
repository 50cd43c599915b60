"""A contact sheet as one HTML file that needs nothing else: no server, no library, no network.

Pictures are data in the page, and masks are pictures of their own above them, so that a reader can
hide them. Names and findings come from files that other people wrote. They are escaped by the
template, and the page's policy lets the browser run only the page's own script and load nothing.
"""

from sceneset.reporting.contact_sheet import Card, ContactSheet
from sceneset.reporting.page import data_uri, html_environment, policy, resource, style_of
from sceneset.reporting.page_words import shared_words
from sceneset.schemas.base import Localized

GENERATOR = '<meta name="generator" content="sceneset view">'
"""The line of a page by which its next writer knows that it may be replaced."""

_TEXTS = {
    **shared_words("show_masks", "close", "previous", "next"),
    "size": Localized(en="size", zh="大小"),
    "filter": Localized(en="filter by name, scene or finding", zh="按名称、场景或问题筛选"),
}


def sheet_page(sheet: ContactSheet) -> str:
    """Return a sheet as the text of an HTML page."""
    script = resource("sheet.js")
    return (
        html_environment()
        .get_template("sheet.html.jinja")
        .render(
            sheet=sheet,
            generator=GENERATOR,
            style=style_of("sheet.css"),
            script=script,
            policy=policy([script]),
            cards=[_fields(card) for card in sheet.cards],
            legend=[(f"rgb{colour}", text) for colour, text in sheet.legend()],
            label=lambda name: _TEXTS[name].text(sheet.language),
        )
    )


def _fields(card: Card) -> dict[str, object]:
    """Return what the template shows of a sample."""
    entry, overlay = card.entry, card.overlay
    height, width = overlay.photo.shape[:2] if overlay else (9, 16)
    return {
        "name": entry.name,
        "subset": entry.subset,
        "facts": " · ".join(entry.facts),
        "texts": entry.texts,
        "problem": card.problem,
        "width": width,
        "height": height,
        "photo": data_uri("jpeg", overlay.photo_jpeg()) if overlay else "",
        "paints": data_uri("png", overlay.paints_png()) if overlay and overlay.has_mask else "",
    }
