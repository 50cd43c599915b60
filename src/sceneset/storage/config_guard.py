"""Check the DVC configuration of a working tree: it may have come with a clone.

Some options name a program, or a file or folder from which DVC takes programs. They are obeyed only
if the repository can't have brought what they name.
"""

import locale
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from sceneset.errors import DvcError
from sceneset.storage.files import open_regular
from sceneset.storage.foreign_config import parse_config
from sceneset.storage.git import tracked_files

_MAX_CONFIG = 1 << 20  # bytes
_DANGEROUS = (
    *("site_cache_dir", "configpath", "credentialpath", "plugins_path"),
    "bearer_token_command",
)
"""Options that name a program, or files from which programs are read."""


def check_own_config(root: Path) -> None:
    """Check that .dvc/config does not name files of the repository that can run programs.

    A working tree's configuration is the user's, as it is for DVC, but it may have come with a
    clone. So options that name a program are obeyed only where the repository does not have the
    file.

    Raises:
        DvcError: It does.
    """
    for name in (".dvc/config", ".dvc/config.local"):
        for option, value in _dangerous_options(root, name):
            inside = _is_of_the_repository(root, value)
            if option == "site_cache_dir":  # DVC resolves it in the current folder
                inside |= not Path(value).is_absolute()
            if inside or (option == "bearer_token_command" and tracked_files(root, name)):
                raise DvcError(
                    f"{name}: {option} = {value} would let the repository run a program of its "
                    "own. Delete the line; if it is yours, use a path outside of the repository "
                    "and `dvc config --global`"
                )


def _dangerous_options(root: Path, name: str) -> Iterator[tuple[str, str]]:
    """Yield the options of a configuration that can make DVC run a program, as DVC reads them.

    Raises:
        DvcError: The file is too large, not encoded in UTF-8, or is not a configuration.
    """
    try:
        with open(root / name, "rb", opener=open_regular) as file:
            data = file.read(_MAX_CONFIG + 1)
    except OSError:
        return
    if len(data) > _MAX_CONFIG:
        raise DvcError(f"{name} is larger than {_MAX_CONFIG:,} bytes")
    is_text = False
    for encoding in {"utf-8", locale.getpreferredencoding(do_setlocale=False).lower()}:  # DVC's
        with suppress(UnicodeDecodeError):
            text = data.decode(encoding)
            is_text = True
            if any(option in text.lower() for option in _DANGEROUS):
                yield from _dangerous_items(parse_config(text, name, interpolation=True))
    if not is_text:  # DVC can't read it either
        raise DvcError(f"{name} is not encoded in UTF-8. Save the file as UTF-8")


def _dangerous_items(options: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in options.items():
        if isinstance(value, dict):
            yield from _dangerous_items(value)
        elif key.lower() in _DANGEROUS:
            for item in value if isinstance(value, list) else [value]:
                yield key.lower(), str(item)


def _is_of_the_repository(root: Path, value: str) -> bool:
    """Return whether a path of a configuration may lead to a file of the repository."""
    if "\0" in value:
        return True  # no path at all
    top = os.path.realpath(root)
    expanded = os.path.expanduser(value)  # noqa: PTH111 - "~nobody" is a name too
    # DVC resolves most options in .dvc, and others in the project's folder.
    for base in (f"{top}/.dvc", top):
        written = os.path.normpath(f"{base}/{expanded}" if expanded[:1] != "/" else expanded)
        # /proc/self/cwd is another folder in each process.
        if written.lstrip("/").startswith(("proc/", "dev/")):
            return True
        # Either may be inside: a link of the repository leads out, or a link outside leads in.
        for path in {written, os.path.realpath(written)}:
            # The project may be a folder of the repository.
            if path.startswith(f"{top}{os.sep}") or tracked_files(root, path):
                return True
    return False
