"""DVC: tracked folders and the commands that move blobs. No other file talks to it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

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


def is_current(root: Path, stages: Sequence[str]) -> bool:
    """Whether the outputs of ``stages`` are what their inputs give; no blob is needed."""
    command = (sys.executable, "-m", "dvc", "status", "--quiet", *stages)
    env = {**os.environ, "DVC_NO_ANALYTICS": "true"}
    done = subprocess.run(
        command, cwd=root, capture_output=True, check=False, stdin=subprocess.DEVNULL, env=env
    )
    return done.returncode == 0


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


class Fetched(NamedTuple):
    """What came of fetching blobs into the local cache."""

    missing: frozenset[str]
    """Hashes the remote does not have."""
    corrupt: frozenset[str]
    """Hashes whose blob on the remote is another one: cut, damaged or swapped."""
    failed: dict[str, str]
    """Hashes that could not be asked for, and what was said."""


class Blobs:
    """The blobs of a DVC project by content hash: its local cache, and its remote behind it."""

    def __init__(self, root: Path, remote: str | None = None) -> None:
        """Open the project at ``root`` with its default remote, or the one named.

        Raises:
            DvcError: there is no such project or remote.
        """
        from dvc.exceptions import DvcException
        from dvc.repo import Repo

        # A revision's text stands in no git repository; DVC need not look for one.
        config: dict[str, Any] = {"core": {"no_scm": True, "analytics": False}}
        try:
            self._repo = Repo(str(root), config=config)
            self._local = self._repo.cache.local
            self._remote_name = remote
        except DvcException as error:
            raise DvcError(str(error)) from None

    def path(self, md5: str) -> Path:
        """Return where a blob stands in the local cache, whether it is there or not."""
        return Path(self._local.oid_to_path(md5))

    def drop(self, md5: str) -> None:
        """Take a blob out of the local cache."""
        self.path(md5).unlink(missing_ok=True)

    def absent(self, hashes: Sequence[str]) -> set[str]:
        """Return the hashes whose blobs the remote does not have.

        Raises:
            DvcError: there is no remote, or it can't be asked.
        """
        from dvc.exceptions import DvcException

        try:
            remote = self._repo.cloud.get_remote_odb(self._remote_name)
            return set(hashes) - set(remote.oids_exist(list(hashes)))
        except (DvcException, OSError) as error:
            raise DvcError(f"the remote can't be asked: {error}") from None

    def fetch(self, hashes: Sequence[str]) -> Fetched:
        """Get blobs from the remote into the local cache, each verified by its hash.

        Raises:
            DvcError: there is no remote, or it can't be used as one of blobs by hash.
        """
        from dvc.exceptions import DvcException

        try:
            remote = self._repo.cloud.get_remote_odb(self._remote_name)
        except DvcException as error:
            raise DvcError(str(error)) from None
        missing: set[str] = set()
        failed: dict[str, str] = {}

        def note(md5: str, error: BaseException) -> None:
            if isinstance(error, FileNotFoundError):
                missing.add(md5)
            else:
                failed[md5] = str(error) or type(error).__name__

        sources = [remote.oid_to_path(md5) for md5 in hashes]
        self._local.add(
            sources, remote.fs, list(hashes), verify=True, check_exists=False, on_error=note
        )
        # What came and was not what its name says has been dropped by the verification.
        gone = {md5 for md5 in hashes if not self.path(md5).exists()}
        return Fetched(frozenset(missing), frozenset(gone - missing - failed.keys()), failed)


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
