"""List the annotation formats that sceneset reads and writes.

`sceneset add` reads deliveries in these formats and recognizes them; `sceneset export` writes
selections. The last column says what a format does not keep. Formats of plug-ins are listed too.
"""

import argparse
from collections.abc import Iterator

from sceneset.cli.exit_codes import FINE

EXAMPLES = """
  sceneset formats
  sceneset formats in
  sceneset formats out --json
"""

_DIRECTIONS = ("in", "out")
_LABELS = {"custom": "the layout of mmsegmentation: img_dir, ann_dir, split_dir"}
"""Titles of formats that no module describes."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "direction",
        nargs="?",
        choices=_DIRECTIONS,
        help="in: what `add` reads; out: what `export` writes (default: both)",
    )
    parser.add_argument("--json", action="store_true", help="print a list of JSON objects")


def run(args: argparse.Namespace) -> int:
    """Print the formats."""
    from sceneset.cli.language import translate
    from sceneset.cli.output import print_json, print_table, print_text

    directions = [args.direction] if args.direction else _DIRECTIONS
    found = {direction: list(_formats(direction)) for direction in directions}
    if args.json:
        fields = ("name", "title", "loses")
        print_json(
            [
                {"direction": direction, **dict(zip(fields, row, strict=True))}
                for direction, rows in found.items()
                for row in rows
            ]
        )
        return FINE
    headings = {
        "in": "Read by `sceneset add DELIVERY --format F`",
        "out": "Written by `sceneset export F --to DIR`",
    }
    for number, (direction, rows) in enumerate(found.items()):
        print_text("\n" * (number > 0) + translate(headings[direction]), style="bold")
        print_table(
            ("name", "format", "does not keep"),
            [(name, translate(title), translate(loses)) for name, title, loses in rows],
        )
    return FINE


def _formats(direction: str) -> Iterator[tuple[str, str, str]]:
    """Yield name, title and losses of the formats; a plug-in that can't be loaded says so."""
    from sceneset.errors import UsageError
    from sceneset.exports.registry import exporter_names, find_exporter
    from sceneset.formats.registry import find_format, format_names

    for name in format_names() if direction == "in" else exporter_names():
        if name in _LABELS:
            yield name, _LABELS[name], ""
            continue
        try:
            found = find_format(name) if direction == "in" else find_exporter(name)
        except UsageError as error:
            yield name, str(error), ""
            continue
        yield name, found.title, getattr(found, "loses", "")
