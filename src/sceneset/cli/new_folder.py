"""Fill a new folder aside and put it in place, so that a kill leaves nothing half-made.

The content is made in a part folder and moved when it is complete. A folder that does not exist
yet appears with one rename. Into a folder that exists (it may hold ``.git``) the entries are moved
one by one; a list of them, written before, lets the next run go on where a killed one stopped.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sceneset.errors import NotEmptyError
from sceneset.storage.files import write_text

_INNER_PART = ".sceneset-init.part"
_CONTENT, _ENTRIES = "content", "entries.json"


@contextmanager
def new_folder(folder: Path, *, last: str) -> Iterator[Path | None]:
    """Yield a folder to fill; when the block succeeds, its entries are those of ``folder``.

    Args:
        folder: A folder that does not exist, or is empty except for ``.git``.
        last: The entry that is moved last.

    Yields:
        The folder to fill; None if a killed run had filled it and is finished now.

    Raises:
        NotEmptyError: ``folder`` holds something else, or another process is filling it.
    """
    folder = Path(os.path.normpath(folder.absolute()))
    outer = _outer_part(folder)
    is_new = not os.path.lexists(folder)
    part = outer if is_new else folder / _INNER_PART
    if not is_new and _finish_rename(outer, folder):
        yield None
        return
    if not is_new:
        _refuse_content(folder, {".git", _INNER_PART, *_moved_entries(part)})
    created = [parent for parent in part.parents if not parent.exists()]
    part.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        _lock(descriptor, folder)
        if not is_new and (part / _ENTRIES).is_file():
            _move_entries(part, folder, last)
            yield None
            return
        _empty(part)
        try:
            content = part / _CONTENT
            content.mkdir()
            yield content
        except BaseException:
            _delete(part)
            for parent in created:
                with suppress(OSError):
                    parent.rmdir()
            raise
        write_text(part / _ENTRIES, json.dumps(_names(content)))
        if is_new:
            content.rename(folder)
            _delete(part)
        else:
            _move_entries(part, folder, last)
        _delete_free(outer)
    finally:
        os.close(descriptor)


def delete_abandoned(folder: Path) -> None:
    """Delete what killed runs have left in and beside a folder that is complete."""
    folder = Path(os.path.normpath(folder.absolute()))
    for part in (_outer_part(folder), folder / _INNER_PART):
        _delete_free(part)


def _outer_part(folder: Path) -> Path:
    return folder.with_name(f".{folder.name[:200]}.init.part")


def _refuse_content(folder: Path, allowed: set[str]) -> None:
    if not folder.is_dir():
        raise NotEmptyError(f"{folder} is not a folder. Choose another name")
    others = sorted(set(_names(folder)) - allowed)
    if others:
        raise NotEmptyError(
            f"{folder} is not an empty folder: it holds {others[0]}. Choose a new one, or move "
            "its content away"
        )


def _moved_entries(part: Path) -> set[str]:
    """Return the entries that a killed run has moved out of its part folder already."""
    try:
        names = json.loads((part / _ENTRIES).read_bytes())
        return set(names) - set(_names(part / _CONTENT))
    except (OSError, ValueError, TypeError):
        return set()


def _move_entries(part: Path, folder: Path, last: str) -> None:
    content = part / _CONTENT
    if content.is_dir():
        names = sorted(_names(content), key=lambda name: (name == last, name))
        clash = [name for name in names if os.path.lexists(folder / name)]
        if clash:
            raise NotEmptyError(
                f"{folder / clash[0]} exists now. Move it away, then run this again"
            )
        for name in names:
            (content / name).rename(folder / name)
    _delete(part)


def _finish_rename(outer: Path, folder: Path) -> bool:
    """Return whether a killed run had put the new folder in place; delete what it left."""
    is_placed = (outer / _ENTRIES).is_file() and not (outer / _CONTENT).exists()
    if is_placed and folder.is_dir():
        _delete(outer)
        return True
    return False


def _lock(descriptor: int, folder: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise NotEmptyError(
            f"another command is creating {folder}. Wait until it has ended"
        ) from None


def _delete_free(part: Path) -> None:
    """Delete a part folder of a killed run, if no living process fills it."""
    with suppress(OSError):
        descriptor = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _delete(part)
        finally:
            os.close(descriptor)


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()


def _delete(part: Path) -> None:
    """Delete a part folder; the list of entries goes last, because it tells what is complete."""
    shutil.rmtree(part / _CONTENT, ignore_errors=True)
    shutil.rmtree(part, ignore_errors=True)
