"""Write suggested samples: a list to relabel, and their pictures."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from sceneset.counts import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sceneset.catalog.reader import Catalog
    from sceneset.versions.local_files import LocalFiles

    Key = tuple[str, str, str]


def check_files(args: argparse.Namespace, catalog: "Catalog") -> None:
    """Refuse files of --to and --view inside of what is registered.

    Raises:
        UsageError: A file must not be written.
    """
    from sceneset.cli.output_files import check_output_place
    from sceneset.cli.picture_sheets import check_file

    if args.view:
        check_file(args.view, catalog)
    if args.to:
        check_output_place(args.to, catalog)


def write_list(path: Path, catalog: "Catalog", keys: "Sequence[Key]") -> None:
    """Write samples in their order: a table for `tag --csv`, or a file for --stems-file."""
    from sceneset.cli.output import say
    from sceneset.edits.table_edit import table_text
    from sceneset.schemas.terms import Phase
    from sceneset.storage.files import write_text

    if path.suffix.lower() == ".txt":
        text = "".join(f"{'/'.join(key)}\n" for key in keys)
        use = f"--stems-file {path.name}"
    else:
        chosen: dict[str, set[tuple[Phase, str]]] = {}
        for subset, phase, stem in keys:
            chosen.setdefault(subset, set()).add((Phase(phase), stem))
        text = _ordered(table_text(catalog, chosen), keys)
        use = f"sceneset tag --csv {path.name}"
    write_text(path, text)
    say(f"{counted(len(keys), 'sample')} written to {path}, for {use}", style="green")


def _ordered(text: str, keys: "Sequence[Key]") -> str:
    """Return a table with its rows in the order of samples."""
    import csv
    import io

    from sceneset.storage.csv_rows import csv_text

    header, *rows = csv.reader(io.StringIO(text, newline=""))
    place = {key: number for number, key in enumerate(keys)}
    rows.sort(key=lambda row: place[row[0], row[1], row[2]])
    return csv_text(header, rows)


def write_pictures(
    args: argparse.Namespace,
    catalog: "Catalog",
    keys: "Sequence[Key]",
    texts: "Mapping[Key, Sequence[str]]",
    files: "LocalFiles",
    *,
    notes: "Sequence[str]",
) -> None:
    """Write the sheet of --view with samples in their order.

    Args:
        args: The arguments of the command.
        catalog: The registry.
        keys: The samples.
        texts: Sentences below their pictures.
        files: Reads the files.
        notes: Lines at the head of the sheet.
    """
    from sceneset.cli.commands.sources import ask_on_terminal
    from sceneset.cli.language import translate
    from sceneset.cli.output import progress, say
    from sceneset.cli.picture_sheets import (
        MOST,
        draw,
        language,
        new_sheet,
        side_of,
        write_sheet,
    )
    from sceneset.reporting.sheet_samples import entries_of

    if not keys:
        say(f"there is no sample to draw; {args.view} was not written")
        return
    shown = keys[:MOST]
    chosen = entries_of(catalog, shown, files, language=language(), texts=texts)
    if args.fetch:
        files.fetch(
            [file for one in chosen for file in one.files],
            remote=args.remote,
            ask=ask_on_terminal,
            notify=say,
            progress=progress,
        )
    side = side_of(args.view, None)
    cards = draw([one.entry for one in chosen], catalog, side=side)
    count = translate(f"{len(cards):,} of {counted(len(keys), 'listed sample')}")
    sheet = new_sheet("sceneset suggest", cards, [count, *notes])
    write_sheet(args.view, sheet, side, opens=args.open)
