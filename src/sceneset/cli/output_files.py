"""Check files that options name before a command writes them, and warn if git would commit them."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sceneset.errors import UsageError

if TYPE_CHECKING:
    from sceneset.catalog.reader import Catalog

_START = 4096
"""Bytes at the start of a file that are searched for a mark."""


def check_output_file(
    path: Path,
    catalog: "Catalog",
    command: str,
    *,
    starts: Sequence[str] = (),
    marks: Sequence[str] = (),
    outside: Sequence[Path] = (),
) -> None:
    """Refuse a file that a command must not write or replace.

    Args:
        path: The file.
        catalog: The registry.
        command: The command, which may replace its own files.
        starts: How files of the command start.
        marks: Texts near the start of files of the command.
        outside: Folders that the file must not be in, besides those of the registry.

    Raises:
        UsageError: The file is in a folder that is registered or delivered, or it exists and the
            command did not write it.
    """
    check_output_place(path, catalog, outside)
    if not path.exists():
        return
    start = b""
    if path.is_file():
        with path.open("rb") as file:
            start = file.read(_START)
    is_own = start.startswith(tuple(text.encode() for text in starts)) or any(
        mark.encode() in start for mark in marks
    )
    if not is_own:
        raise UsageError(
            f"{path} exists and was not written by `sceneset {command}`; use another file"
        )


def check_output_place(path: Path, catalog: "Catalog", outside: Sequence[Path] = ()) -> None:
    """Refuse a file inside the folders of the registry or other folders.

    Raises:
        UsageError: The file is in such a folder.
    """
    from sceneset.paths import DATA_ROOT

    place = path.resolve()
    for folder in (catalog.project / DATA_ROOT, catalog.project / "registry", *outside):
        if place.is_relative_to(folder.resolve()):
            raise UsageError(f"{path} is inside {folder}; write it to another folder")


def warn_if_committed(path: Path) -> None:
    """Say so if git would commit a file or a folder with pictures that a command wrote."""
    from sceneset.cli.output import say
    from sceneset.cli.surroundings import larger_repository

    if repository := larger_repository(path):
        remedy = (
            "Add the folder to .gitignore, or move it"
            if path.is_dir()
            else "Move the file, or delete it after use"
        )
        say(
            f"git does not ignore {path}: `git add .` in {repository.top} would commit these "
            f"pictures. {remedy}",
            style="yellow",
        )
