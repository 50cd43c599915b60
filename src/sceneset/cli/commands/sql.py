"""Query the tags and scans of a state with SQL. Nothing is changed, and no image is read.

The tables are samples (subset, phase, stem, kind, scenes, persons, boxes, source, image_path,
mask_path), scans (subset and the columns of registry/scans) and scenes, which is the
vocabulary and not the images: scene, en, zh, file_stem, aliases. docs/sql.md describes them. Needs
the extra "sql": pip install 'sceneset[sql]'.
"""

import argparse
import sys
from pathlib import Path

from sceneset.cli.argument_types import whole_number
from sceneset.cli.commands.sources import add_source, open_catalog
from sceneset.cli.exit_codes import FINE

EXAMPLES = """
  sceneset sql "select subset, phase, count(*) from samples group by all"
  sceneset sql "select stem, width from scans where width < 640" --csv
  sceneset sql "select unnest(scenes) scene, count(*) from samples group by 1"
  sceneset sql --parquet index.parquet --rev 1.2.0
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "query",
        nargs="?",
        metavar="QUERY",
        help="one SELECT statement (with --parquet, default: samples joined with scans)",
    )
    add_source(parser)
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--csv", action="store_true", help="print CSV instead of a table")
    shape.add_argument("--json", action="store_true", help="print a list of JSON objects")
    shape.add_argument(
        "--parquet", type=Path, metavar="FILE", help="write all rows to a Parquet file"
    )
    parser.add_argument(
        "--limit",
        type=whole_number(1, 10**9),
        metavar="N",
        help="largest number of rows to print (default: 1000)",
    )


def run(args: argparse.Namespace) -> int:
    """Print the rows, or write them."""
    from sceneset.cli.output import print_json, print_table, say
    from sceneset.counts import counted
    from sceneset.errors import UsageError
    from sceneset.reporting.sql import EVERYTHING, query, write_parquet

    if args.parquet is not None:
        if args.limit is not None:
            raise UsageError("--limit has no meaning with --parquet; write `limit` in the query")
        count = write_parquet(open_catalog(args), args.query or EVERYTHING, args.parquet)
        say(f"{counted(count, 'row')} written to {args.parquet}", style="green")
        return FINE
    if args.query is None:
        raise UsageError("give a query, or --parquet FILE; `sceneset help sql` shows examples")
    limit = args.limit or 1000
    answer = query(open_catalog(args), args.query, limit)
    rows = [[_plain(value) for value in row] for row in answer.rows]
    if args.json:
        print_json([dict(zip(answer.columns, row, strict=True)) for row in rows])
    elif args.csv:
        _print_csv(answer.columns, [[_text(value) for value in row] for row in rows])
    else:
        cells = [[_text(value) for value in row] for row in rows]
        print_table(answer.columns, cells, groups_digits=False)
    if not answer.is_complete:
        say(f"only the first {counted(limit, 'row')} printed; use --limit", style="yellow")
    return FINE


def _plain(value: object) -> object:
    """Return a value that JSON can hold."""
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, float) and value - value != 0:  # infinite or not a number
        return str(value)
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def _text(value: object) -> object:
    """Return a value as a cell: lists as words."""
    return ";".join(map(str, value)) if isinstance(value, list) else value


def _print_csv(columns: "list[str]", rows: "list[list[object]]") -> None:
    import csv

    from sceneset.cli.streams import ignore_closed_pipe

    with ignore_closed_pipe():
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
