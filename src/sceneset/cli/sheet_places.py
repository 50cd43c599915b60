"""Where `sceneset view` shows its pictures: in a file, or in the terminal."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sceneset.errors import UsageError
from sceneset.paths import PICTURES

if TYPE_CHECKING:
    from sceneset.catalog.reader import Catalog
    from sceneset.reporting.contact_sheet import ContactSheet


class Place(Protocol):
    """A place for a sheet."""

    file: Path | None
    side: int
    """Longer side of pictures in pixels."""

    def show(self, sheet: "ContactSheet") -> None:
        """Show a sheet there."""


class FilePlace:
    """The file that a sheet is written to."""

    def __init__(self, args: argparse.Namespace, catalog: "Catalog") -> None:
        from sceneset.cli.picture_sheets import check_file, side_of

        path: Path = args.to or _default_file(catalog)
        self.file: Path | None = path
        self._path, self._opens = path, args.open
        check_file(path, catalog)
        self.side = side_of(path, args.size, is_single=args.sample is not None)

    def show(self, sheet: "ContactSheet") -> None:
        """Write the file."""
        from sceneset.cli.picture_sheets import write_sheet

        write_sheet(self._path, sheet, self.side, opens=self._opens)


class TerminalPlace:
    """The terminal that a sheet is drawn in."""

    file: Path | None = None

    def __init__(self, args: argparse.Namespace) -> None:
        from sceneset.cli.terminal_pictures import find_protocol, side_in_terminal

        self._protocol = find_protocol(args.terminal)
        self.side = side_in_terminal(args.size, is_single=args.sample is not None)

    def show(self, sheet: "ContactSheet") -> None:
        """Draw the sheet."""
        from sceneset.cli.terminal_pictures import show_sheet

        show_sheet(sheet, self.side, self._protocol)


def _default_file(catalog: "Catalog") -> Path:
    from sceneset.versions.foreign import is_foreign

    if is_foreign(catalog):
        raise UsageError("with a URL in --repo, say where to write the pictures: --to FILE")
    return catalog.project / PICTURES
