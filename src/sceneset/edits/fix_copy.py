"""Copy the files of a delivery that `sceneset fix` does not change: none is left out."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from sceneset.edits.fix_delivery_sample import unused_path
from sceneset.errors import UsageError
from sceneset.storage.files import copy_file


def copy_other_files(
    folder: Path, to: Path, names: Mapping[Path, str], texts: Mapping[Path, bytes]
) -> None:
    """Copy everything but the samples that were written already.

    Empty folders, links and named pipes are created again. A file that macOS wrote beside an image
    (``._a.jpg``) keeps the name of its image.

    Args:
        folder: The delivery.
        to: The folder of the copy.
        names: The new names of the files that were written, by path.
        texts: New contents of other files, by path.

    Raises:
        OSError: A file or folder can't be read or written.
        UsageError: A file can't be copied because of what it is.
    """
    for base, folders, files in os.walk(folder, onerror=_raise):
        target_folder = to / Path(base).relative_to(folder)
        target_folder.mkdir(parents=True, exist_ok=True)
        folders.sort()
        for name in sorted([*files, *(name for name in folders if Path(base, name).is_symlink())]):
            path = Path(base, name)
            if path in names:
                continue
            if path in texts:
                unused_path(target_folder / name).write_bytes(texts[path])
                continue
            owner = path.with_name(name.removeprefix("._"))
            new_name = f"._{names[owner]}" if owner != path and owner in names else name
            _copy(path, unused_path(target_folder / new_name), folder)


def _raise(error: OSError) -> None:
    raise error


def _copy(path: Path, target: Path, folder: Path) -> None:
    mode = path.lstat().st_mode
    if stat.S_ISLNK(mode):
        target.symlink_to(_link_text(path, folder))
    elif stat.S_ISREG(mode):
        copy_file(path, target)
    elif stat.S_ISFIFO(mode):
        os.mkfifo(target)
    else:
        raise UsageError(
            f"{path} is a socket or a device, which can't be copied; remove it from the delivery"
        )


def _link_text(link: Path, folder: Path) -> Path:
    """Return what the copy of a link points to: the same file, or its copy in the delivery."""
    text = link.readlink()
    if text.is_absolute():
        return text
    pointed = Path(os.path.normpath(link.parent.resolve() / text))
    return text if pointed.is_relative_to(folder.resolve()) else pointed
