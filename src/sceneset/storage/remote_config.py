"""Write a remote into .dvc/config with all its options at once.

DVC would need a command for each option, and a kill between two of them would leave a remote
without `verify`. DVC 3.67 also empties the file and fails if any value in it has a character that
is not ASCII, such as a folder with a Chinese name. It reads such a file correctly.
"""

import io
import re
from collections.abc import Mapping
from pathlib import Path

from sceneset.errors import DvcError
from sceneset.storage.files import atomic_write, read_text
from sceneset.storage.locking import exclusive_lock

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*", re.ASCII)


def is_ascii(root: Path) -> bool:
    """Return whether `dvc config` and `dvc remote` can change a project's configuration."""
    return read_text(root / ".dvc/config", ".dvc/config").isascii()


def write_remote(root: Path, name: str, options: Mapping[str, str], *, force: bool) -> None:
    """Add a remote to .dvc/config and make it the default; the file is replaced atomically.

    Args:
        root: The DVC project.
        name: The remote. DVC knows all names in lower case.
        options: Its options; they replace those of a remote of the same name.
        force: Whether there may be a remote of this name with other options.

    Raises:
        DvcError: There is a remote of this name with other options, or the file or the name is not
            valid.
    """
    if not _NAME.fullmatch(name):
        raise DvcError(f"{name!r} can't be the name of a remote; use letters, digits, '-' and '_'")
    with exclusive_lock(root / ".sceneset/config.lock"):  # two commands may set two remotes
        _write_remote(root / ".dvc/config", name, options, force=force)


def _write_remote(path: Path, name: str, options: Mapping[str, str], *, force: bool) -> None:
    from configobj import ConfigObj, ConfigObjError

    lines = read_text(path, ".dvc/config").splitlines()
    try:
        config = ConfigObj(lines, interpolation=False)
    except ConfigObjError as error:
        raise DvcError(f".dvc/config can't be read: {error}") from None
    name = name.lower()
    section = f'remote "{name}"'
    for known in [known for known in config.sections if known.lower() == section]:
        if not force and config[known] != dict(options):
            raise DvcError(f"there is a remote {name} already. Use --force to replace it")
        del config[known]
    config[section] = dict(options)
    config.setdefault("core", {})["remote"] = name
    config.encoding = "utf-8"
    file = io.BytesIO()
    config.write(file)
    # Under the lock, a fixed name: the next run replaces what a killed one leaves.
    with atomic_write(path, temporary=path.with_name(".config.part")) as temporary:
        temporary.write_bytes(file.getvalue())
