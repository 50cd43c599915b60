"""Draw pictures of samples with their masks, as one HTML page or PNG file.

Persons are filled and outlined, pixels to be ignored (255) are hatched. Images are shown as their
EXIF orientation says, and masks are turned with them. Files are read from the working tree or the
cache and verified by their hashes; --fetch downloads others. A file that is not available leaves a
gray picture with the reason, and exit code 1. Withdrawn samples are never shown.
"""

import argparse
from typing import TYPE_CHECKING

from sceneset.cli.argument_types import whole_number
from sceneset.cli.commands.sources import (
    add_fetch,
    add_internal,
    add_query,
    add_remote,
    add_source,
    ask_on_terminal,
    open_catalog,
    open_current_index,
    query_options,
)
from sceneset.cli.exit_codes import FINDINGS, FINE
from sceneset.cli.picture_sheets import MOST, add_open, sheet_file
from sceneset.cli.terminal_pictures import AUTOMATIC, PROTOCOLS
from sceneset.errors import NothingFoundError, UsageError
from sceneset.paths import PICTURES

if TYPE_CHECKING:
    from sceneset.catalog.reader import Catalog
    from sceneset.cli.sheet_places import Place
    from sceneset.reporting.sheet_samples import Choice

EXAMPLES = r"""
  sceneset view ski --open
  sceneset view 滑雪 冲浪 --phase val --to ~/snow-sea.html
  sceneset view --subset demo-full --sort person-share --to ~/small.png
  sceneset view --sample demo-full/train/ski_0000 --to ~/ski_0000.png
  sceneset view ski --rev 1.2.0 --fetch --to ~/ski.html
  sceneset view ski --limit 6 --terminal
"""

_MOST_IN_TERMINAL = 12


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_query(parser)
    add_source(parser)
    place = parser.add_mutually_exclusive_group()
    place.add_argument(
        "--to",
        type=sheet_file,
        metavar="FILE",
        help=f"the .html or .png file to write (default: {PICTURES} in the registry)",
    )
    place.add_argument(
        "--terminal",
        nargs="?",
        const=AUTOMATIC,
        choices=(AUTOMATIC, *PROTOCOLS),
        help="draw the pictures in the terminal and write no file, if the terminal shows pictures; "
        "names how they are sent, if that is not found out (default: auto)",
    )
    add_open(parser)
    parser.add_argument(
        "--sample", metavar="SUBSET/PHASE/STEM", help="draw this sample only, large"
    )
    parser.add_argument(
        "--limit",
        type=whole_number(1, 100_000),
        metavar="N",
        help=f"samples to draw (default: {MOST}, or {_MOST_IN_TERMINAL} with --terminal)",
    )
    parser.add_argument(
        "--sort",
        choices=("name", "person-share", "size"),
        default="name",
        help="draw the first samples by subset, phase and stem (default), or those with the "
        "smallest share of person pixels, or the smallest images",
    )
    parser.add_argument(
        "--reverse", action="store_true", help="sort the other way: the largest first"
    )
    parser.add_argument(
        "--size",
        type=whole_number(32, 8192),
        metavar="PIXELS",
        help="longer side of a picture (default: 480 in an .html file, 256 in a .png file, 192 in "
        "the terminal, 1600 with --sample)",
    )
    add_fetch(parser)
    add_internal(parser)
    add_remote(parser)
    parser.add_argument("--json", action="store_true", help="print the outcome as one JSON object")


def run(args: argparse.Namespace) -> int:
    """Choose the samples, draw them, and write the sheet."""
    from sceneset.cli.output import print_json, progress, say
    from sceneset.cli.picture_sheets import draw, language, new_sheet
    from sceneset.cli.sheet_places import FilePlace, TerminalPlace
    from sceneset.reporting.sheet_samples import entries_of
    from sceneset.versions.local_files import LocalFiles

    if args.terminal and (args.json or args.open):
        option = "--json" if args.json else "--open"
        raise UsageError(f"{option} does not go with --terminal; leave one of them out")
    terminal = TerminalPlace(args) if args.terminal else None
    catalog = open_catalog(args)
    place: Place = terminal or FilePlace(args, catalog)
    choice = _choose(args, catalog)
    if not choice.keys:
        raise NothingFoundError(_why_nothing(choice))
    files = LocalFiles(catalog)
    chosen = entries_of(catalog, choice.keys, files, language=language())
    fetched = 0
    if args.fetch:
        fetched = files.fetch(
            [file for one in chosen for file in one.files],
            remote=args.remote,
            ask=ask_on_terminal,
            notify=say,
            progress=progress,
        )
    cards = draw([one.entry for one in chosen], catalog, side=place.side)
    sheet = new_sheet(_title(args), cards, [_count_text(choice, len(cards))])
    if not args.json:
        _say_left_out(choice)
    place.show(sheet)
    if args.json:
        print_json(
            {
                "file": str(place.file),
                "selected": choice.selected,
                "shown": len(cards),
                "incomplete": [
                    {
                        "sample": f"{card.entry.subset}/{card.entry.name}",
                        "reason": card.problem,
                    }
                    for card in cards
                    if card.problem
                ],
                "withdrawn": choice.withdrawn,
                "restricted": choice.restricted,
                "fetched": fetched,
            }
        )
    return FINDINGS if sheet.missing else FINE


def _choose(args: argparse.Namespace, catalog: "Catalog") -> "Choice":
    """Return the samples that the arguments select."""
    from sceneset.reporting.sheet_samples import choose
    from sceneset.versions.foreign import restrictions_of

    left_out = restrictions_of(catalog, internal=args.internal)
    if args.sample is not None:
        if args.scene or args.subset or args.phase or args.persons:
            raise UsageError("--sample names one sample; leave out scenes, --subset and the like")
        return choose(catalog, [_group_of(args.sample, catalog)], limit=1, left_out=left_out)
    index = open_current_index(args)
    groups = index.samples(index.resolve_query(**query_options(args)))
    return choose(
        catalog,
        groups,
        limit=args.limit or (_MOST_IN_TERMINAL if args.terminal else MOST),
        sort=args.sort,
        reverse=args.reverse,
        left_out=left_out,
    )


if TYPE_CHECKING:
    from sceneset.catalog.index import SampleGroup


def _group_of(sample: str, catalog: "Catalog") -> "SampleGroup":
    """Return the sample that SUBSET/PHASE/STEM names.

    Raises:
        UnknownNameError: There is no such subset or sample.
    """
    import difflib

    from sceneset.catalog.index import SampleGroup
    from sceneset.catalog.query import resolve_query
    from sceneset.errors import UnknownNameError

    parts = sample.split("/")
    if len(parts) != 3:
        raise UsageError(f"--sample {sample}: write SUBSET/PHASE/STEM")
    [name] = resolve_query(catalog, subsets=parts[:1]).subsets
    keys = {f"{tag.phase}/{tag.stem}" for tag in catalog.tags(name)}
    wanted = f"{parts[1]}/{parts[2]}"
    if wanted not in keys:
        nearest = difflib.get_close_matches(wanted, keys, n=3)
        hint = f" Nearest: {', '.join(nearest)}" if nearest else ""
        raise UnknownNameError(f"{name} has no sample {wanted!r}.{hint}")
    return SampleGroup(name, parts[1], catalog.entry(name).img_suffix, [parts[2]])


def _title(args: argparse.Namespace) -> str:
    """Return the selection in the words of the user."""
    if args.sample is not None:
        return str(args.sample)
    words = [", ".join(args.scene), args.persons, ", ".join(args.phase), ", ".join(args.subset)]
    words += [args.rev and f"--rev {args.rev}"]
    return " · ".join(filter(None, words)) or "sceneset"


def _count_text(choice: "Choice", shown: int) -> str:
    from sceneset.cli.language import translate
    from sceneset.counts import counted

    if shown == choice.selected:
        return translate(counted(shown, "sample"))
    return translate(f"{shown:,} of {choice.selected:,} selected samples")


def _why_nothing(choice: "Choice") -> str:
    from sceneset.counts import counted

    text = "no sample matches"
    if choice.withdrawn:
        text += f"; {counted(choice.withdrawn, 'sample is', 'samples are')} withdrawn"
    if choice.restricted:
        text += f"; {counted(choice.restricted, 'sample is', 'samples are')} for internal use"
    return f"{text}; nothing was written"


def _say_left_out(choice: "Choice") -> None:
    from sceneset.cli.output import say
    from sceneset.counts import counted

    if choice.withdrawn:
        left_out = counted(choice.withdrawn, "withdrawn sample was", "withdrawn samples were")
        say(f"{left_out} left out", style="yellow")
    if choice.restricted:
        left_out = counted(
            choice.restricted, "sample for internal use was", "samples for internal use were"
        )
        say(f"{left_out} left out; --internal includes them, if you may", style="yellow")
