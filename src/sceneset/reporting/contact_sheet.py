"""Contact sheets: small pictures of samples with their masks, as one PNG file.

The pictures are drawn in threads; the decoders release Python's lock.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from sceneset.counts import counted
from sceneset.errors import BlobError, FindingsError, UndecodableError, UsageError
from sceneset.imaging.pillow_warnings import no_warnings
from sceneset.progress import Progress, no_progress
from sceneset.reporting.page_words import WORDS, shared_words
from sceneset.schemas.base import Localized
from sceneset.schemas.params import Limits
from sceneset.threads import map_in_threads

if TYPE_CHECKING:
    from sceneset.imaging.overlay import Overlay

Source = Callable[[], bytes]
"""Reads a file; raises BlobError or FindingsError."""
Translate = Callable[[str], str]
"""Returns a message in the reader's language."""

PNG_SIDE = 256
PAGE_SIDE = 480
SINGLE_SIDE = 1600
"""Longer side of a picture in pixels: on a PNG sheet, on a page, and if there is only one."""

TEXTS = {
    **shared_words("person", "ignored", "no_mask", "mask"),
    "other": WORDS["other_values"],
    "image": Localized(en="image", zh="图片"),
}
_PERSONS = {
    **shared_words("single", "multi"),
    "mixed": Localized(en="mixed", zh="单人和多人"),
}


def persons_text(persons: str | None, language: str) -> str:
    """Return the number of persons of a sample in words; "" if it is unknown."""
    return _PERSONS[persons].text(language) if persons else ""


@dataclass(frozen=True)
class Entry:
    """A sample to show. The texts may come from anywhere: they are shown as text only."""

    phase: str
    stem: str
    suffix: str
    """Of the image, ".jpg" or ".png"."""
    image: Source
    mask: Source | None
    subset: str = ""
    facts: tuple[str, ...] = ()
    """Short facts: scenes, persons, sizes."""
    texts: tuple[str, ...] = ()
    """Sentences: the findings about the sample."""

    @property
    def name(self) -> str:
        """Phase and stem."""
        return f"{self.phase}/{self.stem}"


class Card(NamedTuple):
    """A sample with its picture."""

    entry: Entry
    overlay: "Overlay | None"
    problem: str = ""
    """Why the image or, if there is a picture, the mask is not shown."""


@dataclass
class ContactSheet:
    """What a sheet shows; texts are in the reader's language."""

    title: str
    cards: list[Card]
    notes: list[str] = field(default_factory=list)
    language: str = "en"

    @property
    def missing(self) -> int:
        """Number of samples whose image or mask is not shown."""
        return sum(bool(card.problem) for card in self.cards)

    def text(self, name: str) -> str:
        """Return a text of ``TEXTS``."""
        return TEXTS[name].text(self.language)

    def legend(self) -> list[tuple[tuple[int, int, int], str]]:
        """Return the colors that the pictures have, with what they mean."""
        from sceneset.imaging.overlay import COLOURS, Paint

        known = ((Paint.PERSON, "person"), (Paint.IGNORED, "ignored"), (Paint.OTHER, "other"))
        painted = {
            paint for card in self.cards if card.overlay for paint in card.overlay.painted()
        } | {Paint.PERSON}
        return [(COLOURS[paint][:3], self.text(name)) for paint, name in known if paint in painted]


def draw_cards(
    entries: Sequence[Entry],
    limits: Limits,
    *,
    side: int,
    language: str = "en",
    translate: Translate = str,
    progress: Progress = no_progress,
) -> list[Card]:
    """Return the samples with their pictures, in their order.

    Args:
        entries: The samples.
        limits: Largest and smallest sizes accepted.
        side: Longer side of a picture in pixels.
        language: "en" or "zh".
        translate: Translates messages about files that are not shown.
        progress: Called with the pictures.
    """

    def draw(entry: Entry) -> Card:
        return _draw_card(entry, limits, side, language, translate)

    with no_warnings():
        return list(progress(map_in_threads(draw, entries), len(entries), "draw"))


def _draw_card(
    entry: Entry, limits: Limits, side: int, language: str, translate: Translate
) -> Card:
    from sceneset.imaging.overlay import draw_overlay

    def problem(name: str, message: str) -> str:
        colon = "：" if language == "zh" else ": "
        return f"{TEXTS[name].text(language)}{colon}{translate(message)}"

    mask, why = None, ""
    try:
        image = entry.image()
    except (BlobError, FindingsError) as error:
        return Card(entry, None, problem("image", reason_of(error)))
    try:
        mask = entry.mask() if entry.mask else None
        why = "" if entry.mask else TEXTS["no_mask"].text(language)
    except (BlobError, FindingsError) as error:
        why = problem("mask", reason_of(error))
    try:
        overlay = draw_overlay(image, entry.suffix, mask, side, limits)
    except UndecodableError as error:
        return Card(entry, None, problem("image", error.message))
    if overlay.problem:
        why = problem("mask", overlay.problem)
    return Card(entry, overlay, why)


def reason_of(error: BlobError | FindingsError | UndecodableError) -> str:
    """Return why a picture can't be drawn."""
    if isinstance(error, FindingsError):
        return error.findings[0].message
    return error.message if isinstance(error, UndecodableError) else str(error)


class DrawnSheet(NamedTuple):
    """A PNG file."""

    png: bytes
    missing: str
    """Characters that are drawn as "?", because no font of this machine has them."""


def sheet_png(sheet: ContactSheet, side: int, room: int = 1600) -> DrawnSheet:
    """Return a sheet as a PNG file.

    Args:
        sheet: The sheet.
        side: Longer side of its pictures in pixels.
        room: Width of the sheet, about.

    Raises:
        UsageError: The sheet would be too large.
    """
    from sceneset.imaging.sheet import Legend, SheetTooLargeError, Tile, draw_sheet

    tiles = [
        Tile(
            card.overlay.composed() if card.overlay else None,
            card.problem,
            tuple(filter(None, (card.entry.name, card.entry.subset, " · ".join(card.entry.facts)))),
            (*((card.problem,) if card.overlay and card.problem else ()), *card.entry.texts),
        )
        for card in sheet.cards
    ]
    try:
        legend = [Legend(colour, text) for colour, text in sheet.legend()]
        drawn = draw_sheet(sheet.title, sheet.notes, legend, tiles, side, room=room)
    except SheetTooLargeError:
        raise UsageError(
            f"{counted(len(tiles), 'picture')} of {side} pixels are too many for one PNG file; "
            "write an .html file, or use --limit or --size"
        ) from None
    return DrawnSheet(drawn.png, drawn.missing)
