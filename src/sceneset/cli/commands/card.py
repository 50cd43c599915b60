"""Write a data card: what a version holds, whose data it is, what is known of it, and its limits.

A card is Markdown or one HTML page that needs nothing else, in English or Chinese. It has the scene
table of each subset, statistics, the findings of all rules, the leakage result, what changed, and
the commands that get the version. Everything is computed from text files and scans, so no image is
needed. Equal states give equal files.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from sceneset.cli.commands.sources import add_internal, add_source, open_catalog
from sceneset.cli.exit_codes import FINE
from sceneset.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable


EXAMPLES = r"""
  sceneset card --rev 1.2.0 --to ~/card.html
  sceneset card --rev latest --to ~/card.md --language zh
  sceneset card --to ~/cards            both formats in both languages
  sceneset card --rev 1.2.0 --repo https://example.com/people.git --to ~/card.md
"""

_SUFFIXES = (".md", ".html")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_source(parser)
    parser.add_argument(
        "--to",
        type=Path,
        required=True,
        metavar="PATH",
        help="a .md or .html file, or a folder for all cards: card.en.md, card.en.html, "
        "card.zh.md, card.zh.html",
    )
    parser.add_argument(
        "--language",
        choices=("en", "zh"),
        help="en or zh (default: a file has the language of your locale, a folder both)",
    )
    add_internal(parser)
    parser.add_argument("--json", action="store_true", help="print the outcome as one JSON object")


def run(args: argparse.Namespace) -> int:
    """Compute the card and write it."""
    from sceneset.cli.output import print_json, say
    from sceneset.cli.output_files import check_output_file
    from sceneset.counts import counted
    from sceneset.reporting.data_card import compute_data_card
    from sceneset.reporting.data_card_pages import HTML_GENERATOR, MARKDOWN_GENERATOR, card_page
    from sceneset.storage.files import atomic_write
    from sceneset.versions.foreign import restrictions_of

    catalog = open_catalog(args)
    files = _files(args.to, args.language)
    for path, _, _ in files:
        check_output_file(
            path, catalog, "card", starts=(MARKDOWN_GENERATOR,), marks=(HTML_GENERATOR,)
        )
    card = compute_data_card(catalog, left_out=restrictions_of(catalog, internal=args.internal))
    for path, language, form in files:
        text = card_page(card, language, form, translate=_translator(language))
        with atomic_write(path, fsync=False) as temporary:
            temporary.write_bytes(text.encode())
    left_out = card.left_out.samples
    if args.json:
        print_json(
            {
                "files": [str(path) for path, _, _ in files],
                "version": card.state.version or None,
                "commit": card.state.commit or None,
                "subsets": len(card.subsets),
                "samples": card.samples,
                "restricted": left_out,
                "withdrawn": card.withdrawn,
            }
        )
        return FINE
    if left_out:
        samples = counted(left_out, "sample for internal use was", "samples for internal use were")
        say(f"{samples} left out; --internal includes them, if you may", style="yellow")
    subject = f"version {card.state.version}" if card.state.version else "this state"
    for path, _, _ in files:
        say(f"the card of {subject} is written to {path}", style="green")
    return FINE


def _files(to: Path, language: str | None) -> list[tuple[Path, str, str]]:
    """Return the files to write, each with its language and its format."""
    from sceneset.cli.language import is_chinese

    suffix = to.suffix.lower()
    if suffix in _SUFFIXES and not to.is_dir():
        return [(to, language or ("zh" if is_chinese() else "en"), suffix[1:])]
    if not to.is_dir() and (to.exists() or suffix[1:].isalpha()):
        raise UsageError(f"{to}: end the name of a file with .md or .html, or name a folder")
    languages = (language,) if language else ("en", "zh")
    return [
        (to / f"card.{name}{suffix}", name, suffix[1:])
        for name in languages
        for suffix in _SUFFIXES
    ]


def _translator(language: str) -> "Callable[[str], str]":
    """Return what translates the meanings of rules into a language, whatever the locale is."""
    if language == "en":
        return str
    from sceneset.cli.catalogue import load_catalogue

    return load_catalogue().translate
