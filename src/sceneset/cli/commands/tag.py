"""Change the tags of samples: scenes, number of persons, boxes and sources.

Samples are chosen by scene and by further options; a sample must meet all options. Rows of the
scene table follow: new scenes get a row, and rows that become empty are removed. Generated files
are made again. No image is needed.

For many different values, write a table with --to-csv, edit it, and read it with --csv. A table is
refused if its samples were changed meanwhile.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from sceneset.cli.commands.sample_options import (
    add_change,
    add_samples,
    add_source_from,
    choice_of,
    choice_words,
    has_choice,
    show_edited,
)
from sceneset.cli.commands.sources import find_catalog
from sceneset.cli.exit_codes import FINE
from sceneset.errors import UsageError
from sceneset.schemas.terms import Persons

if TYPE_CHECKING:
    from sceneset.catalog.reader import Catalog
    from sceneset.edits.draft import Draft
    from sceneset.edits.retag import Retagged, TagEdit
    from sceneset.schemas.scene import Vocabulary
    from sceneset.schemas.tag import SceneMembership

EXAMPLES = r"""
  sceneset tag city --match 'piste_*' --add ski --remove city
  sceneset tag --subset web --stems-file stems.txt --add ski:multi
  sceneset tag ski --persons multi --boxes 2
  sceneset tag ski --source-from '(.+)_\d+$'   dance_00080 gets dance
  sceneset tag ski --to-csv ski.csv            write a table, then edit it
  sceneset tag --csv ski.csv --dry-run         show what the edited table does
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_samples(parser)
    for option, what in (("--add", "add a scene"), ("--remove", "remove a scene")):
        parser.add_argument(
            option,
            action="append",
            default=[],
            metavar="SCENE",
            help=f"{what}; ski:multi means several persons in this scene (can be repeated)",
        )
    parser.add_argument(
        "--persons",
        choices=[*(p.value for p in Persons), "none"],
        help="number of persons per image; replaces the values of single scenes",
    )
    parser.add_argument(
        "--boxes", type=_boxes, metavar="N", help="number of detection boxes, or none"
    )
    sources = parser.add_mutually_exclusive_group()
    sources.add_argument(
        "--source", metavar="TEXT", help="video, session or original image; '' for none"
    )
    add_source_from(sources)
    parser.add_argument(
        "--csv", type=Path, metavar="FILE", help="read the tags from an edited table"
    )
    parser.add_argument(
        "--to-csv", type=Path, metavar="FILE", help="write the tags to a table, for editing"
    )
    add_change(parser)


def _boxes(text: str) -> int | str:
    if text == "none" or (text.isascii() and text.isdigit()):
        return text if text == "none" else int(text)
    raise argparse.ArgumentTypeError(f"{text!r}: use a whole number or none")


def run(args: argparse.Namespace) -> int:
    """Change the tags, or write or take a table."""
    from sceneset.cli.output import say
    from sceneset.counts import counted
    from sceneset.edits.edit_registry import edit_registry
    from sceneset.storage.transaction import Command

    catalog = find_catalog()
    if args.to_csv:
        return _write_table(args, catalog)
    if args.csv:
        plan, words = _table_plan(args)
    else:
        plan, words = _edit_plan(args, catalog)
    command = Command.of("tag", *words)
    edited = edit_registry(catalog, command, plan, dry_run=args.dry_run, notify=say)
    result = edited.result if edited else None
    if result and result.unmatched and not args.json:
        count = counted(len(result.unmatched), "stem does", "stems do")
        say(f"{count} not match --source-from (first: {result.unmatched[0]})", style="yellow")
    samples = result.samples if result else 0
    done = counted(samples, "sample was", "samples were") + " tagged"
    planned = f"{counted(samples, 'sample')} would be tagged; nothing was changed"
    details = {"tagged": result.samples, "unmatched": result.unmatched} if result else None
    return show_edited(edited, args, done=done, planned=planned, details=details)


def _edit_plan(args: argparse.Namespace, catalog: "Catalog") -> "tuple[_Plan, list[str]]":
    from sceneset.catalog.sample_choice import choose_samples
    from sceneset.edits.retag import retag

    edit = _edit_of(args, catalog.vocabulary)
    choice_of(args, catalog)  # wrong names are reported before the lock is taken

    def plan(catalog: "Catalog", draft: "Draft") -> "Retagged":
        return retag(catalog, draft, choose_samples(catalog, *choice_of(args, catalog)), edit)

    pattern = edit.source_pattern
    words = [*choice_words(args), repr(edit._replace(source_pattern=None))]
    return plan, [*words, pattern.pattern if pattern else ""]


def _edit_of(args: argparse.Namespace, vocabulary: "Vocabulary") -> "TagEdit":
    from sceneset.edits.retag import TagEdit

    values: list[tuple[str, Persons | int | str | None]] = []
    if args.persons:
        values.append(("persons", None if args.persons == "none" else Persons(args.persons)))
    if args.boxes is not None:
        values.append(("boxes", None if args.boxes == "none" else args.boxes))
    if args.source is not None:
        values.append(("source", _line(args.source)))
    edit = TagEdit(
        tuple(_membership(vocabulary, text) for text in args.add),
        tuple(_membership(vocabulary, text) for text in args.remove),
        tuple(values),
        args.source_from,
    )
    if edit == TagEdit():
        raise UsageError(
            "say what to change: --add, --remove, --persons, --boxes, --source, --source-from or "
            "--csv"
        )
    return edit


def _line(text: str) -> str:
    if any(ord(character) < 32 for character in text):
        raise UsageError(f"--source {text!r}: use one line of text")
    return text.strip()


def _membership(vocabulary: "Vocabulary", text: str) -> "SceneMembership":
    from sceneset.errors import UnknownNameError
    from sceneset.schemas.tag import SceneMembership
    from sceneset.schemas.terms import TOTAL

    name, colon, persons = text.rpartition(":")
    if not colon or persons not in set(Persons):
        name, persons = text, ""
    key = vocabulary.find(name)
    if key == TOTAL:
        raise UsageError(f"{TOTAL} contains every sample; it is no scene to add or to remove")
    if key is None:
        nearest = ", ".join(vocabulary.nearest(name))
        raise UnknownNameError(
            f"no scene is called {name!r}. {f'Nearest: {nearest}. ' if nearest else ''}"
            "`sceneset scene add` adds a scene"
        )
    return SceneMembership(key, Persons(persons) if persons else None)


def _table_plan(args: argparse.Namespace) -> "tuple[_Plan, list[str]]":
    from sceneset.edits.table_edit import take_table
    from sceneset.storage.files import md5_of, read_bytes

    if has_choice(args):
        raise UsageError("--csv names its samples itself; give no scene and no other choice")
    if args.add or args.remove or args.persons or args.boxes is not None or args.source_from:
        raise UsageError("--csv has the new values; give no other change")

    def plan(catalog: "Catalog", draft: "Draft") -> "Retagged":
        return take_table(catalog, draft, args.csv)

    return plan, ["csv", md5_of(read_bytes(args.csv, args.csv.name))]


def _write_table(args: argparse.Namespace, catalog: "Catalog") -> int:
    from sceneset.catalog.sample_choice import choose_samples
    from sceneset.cli.output import say
    from sceneset.counts import counted
    from sceneset.edits.table_edit import table_text
    from sceneset.storage.files import write_text

    chosen = choose_samples(catalog, *choice_of(args, catalog))
    write_text(args.to_csv, table_text(catalog, chosen))
    count = counted(sum(map(len, chosen.values())), "sample")
    say(f"{count} written to {args.to_csv}. Edit the file, then: sceneset tag --csv {args.to_csv}")
    return FINE


if TYPE_CHECKING:
    from collections.abc import Callable

    _Plan = Callable[[Catalog, Draft], Retagged]
