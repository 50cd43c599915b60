"""The folder that a pull or export writes to: checks that it is free, and the record kept in it."""

import json
import os
from pathlib import Path
from typing import Any

from sceneset.errors import DestinationError
from sceneset.paths import DATA_ROOT
from sceneset.storage.files import write_text

_RECORD = "sceneset.json"
_OTHER_FOLDER = "choose another folder"


def write_record(to: Path, record: dict[str, Any]) -> None:
    """Write sceneset.json, which describes the pull or export in the folder ``to``."""
    text = json.dumps(record, indent=1, ensure_ascii=False, sort_keys=True)
    write_text(to / _RECORD, f"{text}\n")


def check_destination(to: Path, record: dict[str, Any]) -> None:
    """Check that a folder is new, empty, or contains an earlier run of the same pull or export.

    Args:
        to: The folder.
        record: The record that the pull or export would write.

    Raises:
        DestinationError: The folder has other content, or is tracked by DVC or git.
    """
    to = to.resolve()
    check_untracked(to)
    if not to.exists():
        return
    if not to.is_dir():
        raise DestinationError(f"{to} is not a folder; {_OTHER_FOLDER}")
    if all(_is_partial_record(path) for path in to.iterdir()):
        return
    refuse_links(to)
    before = _read_record(to / _RECORD)
    if any(before.get(key) != record.get(key) for key in ("pull", "export")):
        kind = "export" if "export" in before else "pull"
        content = f"the samples of another {kind}" if "pull" in before else "other files"
        raise DestinationError(f"{to} contains {content}; {_OTHER_FOLDER}")
    if before.get("digest") != record["digest"]:
        commit = before.get("commit")
        state = f"revision (commit {commit})" if commit else "state of the working tree"
        raise DestinationError(
            f"{to} contains the same selection of another {state}; {_OTHER_FOLDER}"
        )


def check_untracked(to: Path) -> None:
    """Refuse a folder that is tracked by git or DVC, or belongs to a registry.

    Raises:
        DestinationError: It is such a folder.
    """
    for folder in (to, *to.parents)[:-1]:
        if folder.with_name(f"{folder.name}.dvc").is_file() or folder.name in {".git", ".dvc"}:
            raise DestinationError(f"{to} is inside {folder}, which is tracked; {_OTHER_FOLDER}")
    if (to / "params.yaml").exists() or any(
        folder.name in {DATA_ROOT, "registry"} and (folder.parent / "registry/scenes.yaml").exists()
        for folder in (to, *to.parents)
    ):
        raise DestinationError(f"{to} belongs to a registry; {_OTHER_FOLDER}")


def refuse_links(to: Path) -> None:
    """Refuse folders below the destination that are symbolic links: they lead elsewhere.

    Links to files are replaced when the file is written; `pull --link sym` makes such links.
    """
    for base, folders, _ in os.walk(to):
        for name in folders:
            path = Path(base, name)
            if path.is_symlink():
                raise DestinationError(
                    f"{path} is a symbolic link, and a pull does not write through links; delete "
                    f"it, or {_OTHER_FOLDER}"
                )


def _is_partial_record(path: Path) -> bool:
    """Return whether a file is a partly written record, left by a killed process."""
    return path.name.startswith(f".{_RECORD}.") and path.name.endswith(".part")


def _read_record(path: Path) -> dict[str, Any]:
    try:
        record = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return record if isinstance(record, dict) else {}
