"""DVC: tracked folders and the commands that move blobs. No other file talks to it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from sceneset.registry.files import md5_of, read_text
from sceneset.registry.yamlfile import parse
from sceneset.schemas.problem import ProblemsFoundError, problem


class DvcError(Exception):
    """A dvc command failed; the message is what it said."""


class Tracked(NamedTuple):
    """What a .dvc file says of a folder, or what a folder's files add up to."""

    md5: str
    files: int
    size: int


def tracked(dvc_file: Path, shown: str, *, subset: str = "") -> Tracked:
    """Return what a folder's .dvc file records.

    Raises:
        ProblemsFoundError: it is missing or is not the .dvc file of one folder.
    """
    hint = "restore it with git, or `dvc add` the folder"
    data = parse(read_text(dvc_file, shown, hint=hint, limit=1 << 20), shown).data
    try:
        [out] = data["outs"]
        found = Tracked(str(out["md5"]), int(out["nfiles"]), int(out["size"]))
    except (KeyError, TypeError, ValueError):
        found = Tracked("", 0, 0)
    if not found.md5.endswith(".dir"):
        raise ProblemsFoundError(
            [
                problem(
                    "file-unreadable",
                    "is not the .dvc file of one folder",
                    subset=subset,
                    file=shown,
                    hint=hint,
                )
            ]
        )
    return found


def folder_digest(files: Iterable[tuple[str, str, int]]) -> Tracked:
    """Return what DVC records of a folder with these (path, md5, bytes): its .dir object's hash.

    The object is a JSON list sorted by path (dvc_data.hashfile.tree.Tree.as_bytes).
    """
    ordered = sorted(files)
    listing = json.dumps(
        [{"md5": md5, "relpath": path} for path, md5, _ in ordered], sort_keys=True
    )
    digest = md5_of(listing.encode())
    return Tracked(f"{digest}.dir", len(ordered), sum(size for *_, size in ordered))


def dvc(root: Path, *arguments: str | Path, lend: int | None = None) -> None:
    """Run one dvc command in ``root``, quietly; it holds the descriptor ``lend`` while it lives.

    Raises:
        DvcError: it failed; the message is what it wrote.
    """
    command: Sequence[str] = (sys.executable, "-m", "dvc", *map(str, arguments))
    done = subprocess.run(
        command,
        cwd=root,
        capture_output=True,
        encoding="utf-8",
        errors="backslashreplace",  # it may name files whose names are not UTF-8
        check=False,
        stdin=subprocess.DEVNULL,
        pass_fds=() if lend is None else (lend,),
        # A reporting daemon would be lent the descriptor too, and outlive the command.
        env={**os.environ, "DVC_NO_ANALYTICS": "true"},
    )
    if done.returncode:
        said = _reason(done.stderr) or _reason(done.stdout) or f"exit code {done.returncode}"
        raise DvcError(f"dvc {arguments[0]} failed: {said}")


def _reason(text: str) -> str:
    """Return what dvc said of its failure, without its advertisement and progress."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    wrong = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    plain = [line for line in lines if not line.startswith("Having any troubles")]
    return "; ".join(wrong or plain[-3:])


def is_committed(root: Path, path: Path) -> bool:
    """Whether git's last commit holds a file."""
    words = ["git", "ls-tree", "--name-only", "HEAD", "--", str(path)]
    with suppress(OSError):
        done = subprocess.run(
            words, cwd=root, capture_output=True, check=False, stdin=subprocess.DEVNULL
        )
        return done.returncode == 0 and bool(done.stdout.strip())
    return False


def add_folders(root: Path, folders: Iterable[Path], *, lend: int | None = None) -> None:
    """Put folders under DVC: their files into the cache, a .dvc file beside each."""
    dvc(root, "add", *folders, lend=lend)


def unstage(root: Path, folder: Path) -> None:
    """Give git's index back what it had of a folder: with core.autostage, `dvc add` adds to it."""
    with suppress(OSError):  # no git, nothing staged
        subprocess.run(
            ["git", "reset", "--quiet", "--", str(folder)],
            cwd=root,
            capture_output=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
