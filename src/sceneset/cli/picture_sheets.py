"""Write contact sheets for commands: the options, the file, and the browser that opens it."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from sceneset.cli.language import is_chinese, translate
from sceneset.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sceneset.catalog.reader import Catalog
    from sceneset.reporting.contact_sheet import Card, ContactSheet, Entry
    from sceneset.schemas.finding import Finding

FORMS = (".html", ".png")
MOST = 60
"""Pictures of a sheet, unless an option says otherwise."""
_MAX_TITLE = 200


def add_sheet(parser: argparse.ArgumentParser, subject: str) -> None:
    """Add --view and --open.

    Args:
        parser: The parser.
        subject: Help: what --view draws.
    """
    parser.add_argument("--view", type=sheet_file, metavar="FILE", help=subject)
    add_open(parser)


def add_open(parser: argparse.ArgumentParser) -> None:
    """Add --open."""
    parser.add_argument(
        "--open", action="store_true", help="open the written pictures in your browser"
    )


def sheet_file(text: str) -> Path:
    """Return the path of a sheet; for argparse."""
    path = Path(text)
    if path.suffix.lower() not in FORMS:
        raise argparse.ArgumentTypeError(
            f"{text!r}: end the name with .html (one page, to be opened in a browser) or .png"
        )
    return path


def check_options(args: argparse.Namespace) -> None:
    """Refuse --open without --view.

    Raises:
        UsageError: There is nothing to open.
    """
    if args.open and not args.view:
        raise UsageError("--open opens the file of --view; add --view FILE")


def check_file(path: Path, catalog: "Catalog", *, outside: "Sequence[Path]" = ()) -> None:
    """Refuse a file that a sheet must not be written to.

    Args:
        path: The file.
        catalog: The registry whose pictures are drawn.
        outside: Folders that the file must not be in.

    Raises:
        UsageError: The file is in a folder that is registered or delivered, or it exists and is no
            sheet.
    """
    from sceneset.cli.output_files import check_output_file
    from sceneset.imaging.sheet import GENERATOR as PNG_GENERATOR
    from sceneset.reporting.diff_page import GENERATOR as DIFF_GENERATOR
    from sceneset.reporting.sheet_page import GENERATOR

    marks = (GENERATOR, DIFF_GENERATOR, f"tEXtSoftware\0{PNG_GENERATOR}")
    check_output_file(path, catalog, "view", marks=marks, outside=outside)


def draw(entries: "Sequence[Entry]", catalog: "Catalog", *, side: int) -> "list[Card]":
    """Return samples with their pictures, and show the progress."""
    from sceneset.cli.output import progress
    from sceneset.reporting.contact_sheet import draw_cards

    return draw_cards(
        entries,
        catalog.params.limits,
        side=side,
        language=language(),
        translate=translate,
        progress=progress,
    )


def language() -> str:
    """Return the language of sheets."""
    return "zh" if is_chinese() else "en"


def side_of(path: Path, size: int | None, *, is_single: bool = False) -> int:
    """Return the longer side of pictures in pixels; a page has larger ones than a PNG file."""
    from sceneset.reporting.contact_sheet import PAGE_SIDE, PNG_SIDE, SINGLE_SIDE

    if size is not None:
        return size
    if is_single:
        return SINGLE_SIDE
    return PNG_SIDE if path.suffix.lower() == ".png" else PAGE_SIDE


def new_sheet(title: str, cards: "list[Card]", notes: "Sequence[str]") -> "ContactSheet":
    """Return a sheet; its texts are in the reader's language."""
    from sceneset.catalog.subset_folder import printable
    from sceneset.reporting.contact_sheet import ContactSheet

    shown = title if len(title) <= _MAX_TITLE else f"{title[:_MAX_TITLE]}..."
    return ContactSheet(printable(shown), cards, [*notes], language())


def write_sheet(path: Path, sheet: "ContactSheet", side: int, *, opens: bool) -> None:
    """Write a sheet, say what it does not show, and open it."""
    from sceneset.cli.output import say
    from sceneset.cli.output_files import warn_if_committed
    from sceneset.counts import counted
    from sceneset.storage.files import atomic_write

    missing = ""
    if path.suffix.lower() == ".png":
        from sceneset.reporting.contact_sheet import sheet_png

        drawn = sheet_png(sheet, side)
        data, missing = drawn.png, drawn.missing
    else:
        from sceneset.reporting.sheet_page import sheet_page

        data = sheet_page(sheet).encode()
    with atomic_write(path, fsync=False) as temporary:
        temporary.write_bytes(data)
    say_left_out(sheet, missing)
    pictures = counted(len(sheet.cards), "picture")
    say(f"{pictures} written to {path}", style="green")
    warn_if_committed(path)
    if opens:
        open_page(path)


def say_left_out(sheet: "ContactSheet", missing: str) -> None:
    """Say what a sheet does not show: characters without a font, and pictures."""
    from sceneset.cli.output import say
    from sceneset.counts import counted

    if missing:
        say(
            f"no font of this machine has {missing[:10]!r}, so the PNG file shows question marks; "
            "an .html file has all names",
            style="yellow",
        )
    if sheet.missing:
        not_shown = counted(sheet.missing, "picture is", "pictures are")
        say(f"{not_shown} incomplete: {_reasons(sheet)}", style="yellow")


def _reasons(sheet: "ContactSheet") -> str:
    """Return the most frequent reason for which pictures are incomplete."""
    from collections import Counter

    reasons = Counter(card.problem for card in sheet.cards if card.problem)
    [(first, _)] = reasons.most_common(1)
    return first if len(reasons) == 1 else f"{first}, ..."


def open_page(path: Path) -> None:
    """Open a file in the user's browser; only the page's own script runs there."""
    import webbrowser

    from sceneset.cli.output import say

    if not webbrowser.open(path.resolve().as_uri()):
        say(f"no browser was found; open {path} yourself", style="yellow")


def finding_texts(
    findings: "Sequence[Finding]",
) -> "dict[tuple[str, str, str], list[str]]":
    """Return what findings say about single samples, by subset, phase and stem."""
    texts: dict[tuple[str, str, str], list[str]] = {}
    for found in findings:
        if found.stem and found.phase:
            text = f"{translate(found.message)} [{found.code}]"
            texts.setdefault((found.subset, found.phase, found.stem), []).append(text)
    return texts


def shown_findings(findings: "Sequence[Finding]", args: argparse.Namespace) -> "list[Finding]":
    """Return the findings on single samples whose pictures --view draws.

    These are the findings that --rule selects, at most --limit of each rule; with neither --limit
    nor --all, the first MOST samples are drawn.
    """
    from sceneset.cli.findings import View
    from sceneset.schemas.finding import in_order

    view = View.of(args)
    kept: list[Finding] = []
    counts: dict[str, int] = {}
    for found in in_order(findings):
        if found.waived or not found.stem or not found.phase or not view.selects(found):
            continue
        counts[found.code] = counts.get(found.code, 0) + 1
        if not view.has_limit or counts[found.code] <= view.limit:
            kept.append(found)
    return kept


def limit_of(args: argparse.Namespace, count: int) -> int:
    """Return how many of the samples of findings are drawn."""
    return count if args.shown_all or args.shown_limit is not None else min(count, MOST)
