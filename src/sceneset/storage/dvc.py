"""DVC: its commands, its cache and its remotes. No other file talks to it."""

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from sceneset.errors import DvcError
from sceneset.storage.dvc_digests import Tracked
from sceneset.storage.git import environment
from sceneset.storage.object_store import FileSystemStore, S3ObjectStore, Store

TEXT_STAGES = ("check", "splits", "stats", "leakage", "manifest", "card")
"""The stages of dvc.yaml that read only small files: they run in a clone without blobs."""


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
        env=_environment(),
    )
    if done.returncode:
        said = _reason(done.stderr) or _reason(done.stdout) or f"exit code {done.returncode}"
        raise DvcError(f"dvc {arguments[0]} failed: {said}")


def is_current(root: Path, stages: Sequence[str]) -> bool:
    """Whether the outputs of ``stages`` are what their inputs give; no blob is needed."""
    command = (sys.executable, "-m", "dvc", "status", "--quiet", *stages)
    done = subprocess.run(
        command,
        cwd=root,
        capture_output=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env=_environment(),
    )
    return done.returncode == 0


def _environment() -> dict[str, str]:
    # Stages are `python -m sceneset...`: that must be this Python, activated or not. And a
    # reporting daemon would be lent a lock's descriptor, and outlive the command.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return {**environment(), "DVC_NO_ANALYTICS": "true", "PATH": path}


def _reason(text: str) -> str:
    """Return what dvc said of its failure, without its advertisement and progress."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    wrong = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    plain = [line for line in lines if not line.startswith("Having any troubles")]
    return "; ".join(wrong or plain[-3:])


class Locked(NamedTuple):
    """What a stage has read and written, by path."""

    deps: Mapping[str, Tracked]
    algorithm: int
    outs: Mapping[str, Tracked]


def add_folders(root: Path, folders: Iterable[Path], *, lend: int | None = None) -> None:
    """Put folders under DVC: their files into the cache, a .dvc file beside each."""
    dvc(root, "add", *folders, lend=lend)


def relocked(text: str, recorded: Mapping[str, Tracked], gone: Iterable[str]) -> str:
    """Return dvc.lock with other contents of some paths, and without the stages ``gone``.

    For commands that change what a stage reads and writes alike, as the stage would have.
    """
    from dvc.utils.serialize import dumps_yaml, loads_yaml

    lock = loads_yaml(text) or {}
    stages = lock.get("stages") or {}
    for name in gone:
        stages.pop(name, None)
    for stage in stages.values():
        for entry in [*stage.get("deps", ()), *stage.get("outs", ())]:
            new = recorded.get(entry["path"])
            if new:
                entry |= {"md5": new.md5, "size": new.size}
                if "nfiles" in entry:
                    entry["nfiles"] = new.files
    return str(dumps_yaml(lock))


def locked_stage(text: str, pipeline: str, stage: str, item: str, said: Locked) -> str | None:
    """Return dvc.lock with one item of a foreach stage as DVC would write it after a run.

    None where the pipeline has no such stage, or one that is made in another way.
    """
    from dvc.utils.serialize import dumps_yaml, loads_yaml

    try:
        made = loads_yaml(pipeline)["stages"][stage]["do"]
        command = made["cmd"].replace("${item}", item)
        command = command.replace(f"${{algorithms.{stage}}}", str(said.algorithm))
    except (LookupError, TypeError, AttributeError):
        return None
    lock = loads_yaml(text) or {"schema": "2.0"}
    lock.setdefault("stages", {})[f"{stage}@{item}"] = {
        "cmd": command,
        "deps": [_locked(path, found) for path, found in sorted(said.deps.items())],
        "outs": [_locked(path, found) for path, found in sorted(said.outs.items())],
    }
    return str(dumps_yaml(lock))


def _locked(path: str, found: Tracked) -> dict[str, Any]:
    files = {"nfiles": found.files} if found.md5.endswith(".dir") else {}
    return {"path": path, "hash": "md5", "md5": found.md5, "size": found.size} | files


class Project:
    """A DVC project: where its blobs stand on this machine, and the remotes they come from."""

    def __init__(self, root: Path) -> None:
        """Open the project at ``root``.

        Raises:
            DvcError: there is none.
        """
        from dvc.exceptions import DvcException
        from dvc.repo import Repo

        # A revision's text stands in no git repository; DVC need not look for one.
        config: dict[str, Any] = {"core": {"no_scm": True, "analytics": False}}
        try:
            self._repo = Repo(str(root), config=config)
        except DvcException as error:
            raise DvcError(str(error)) from None
        self._cache = self._repo.cache.local

    def blob(self, md5: str) -> Path:
        """Return where a blob stands in the cache, whether it is there or not."""
        return Path(self._cache.oid_to_path(md5))

    def make_folder(self, folder: Path) -> None:
        """Make a folder of the cache, for whom the project shares it with."""
        self._cache.makedirs(str(folder))

    def protect(self, path: Path) -> None:
        """Make a blob of the cache read-only: DVC takes those that are as verified."""
        self._cache.protect(str(path))

    def hashes(self, folder: Path) -> dict[str, str]:
        """Return the md5 of every file of a folder, by its path below it.

        DVC remembers those of files that have not changed; only the others are read.
        """
        from dvc.fs import LocalFileSystem
        from dvc_data.hashfile.build import build

        fs = LocalFileSystem(url=str(self._repo.root_dir))
        path = fs.abspath(str(folder))
        tree: Any  # a listing: of a folder it is never a file
        _, _, tree = build(self._cache, path, fs, "md5", dry_run=True, ignore=self._repo.dvcignore)
        return {"/".join(key): str(found.value) for key, _, found in tree}

    def store(self, name: str | None = None) -> Store:
        """Return the default remote, or the one named.

        Raises:
            DvcError: there is no such remote, or it keeps files under other names than hashes.
        """
        return open_store(*self.address(name))

    def address(self, name: str | None = None) -> tuple[str, dict[str, Any]]:
        """Return what another machine needs to open a remote: its name, and how it is reached.

        Raises:
            DvcError: there is no such remote.
        """
        name = name or self._repo.config["core"].get("remote")
        if not name:
            raise DvcError("there is no DVC remote; set one: sceneset remote URL")
        remotes = {known: dict(said) for known, said in self._repo.config["remote"].items()}
        if name.lower() not in remotes:
            raise DvcError(f"there is no DVC remote {name}; `dvc remote list` names them")
        return name, _needed(name.lower(), remotes)


def _needed(name: str, remotes: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """Return a remote, and those that its URL refers to; no other's secrets go with it."""
    found: dict[str, Any] = {}
    while name in remotes and name not in found:
        found[name] = remotes[name]
        url = urlsplit(str(found[name].get("url", "")))
        name = url.netloc.lower() if url.scheme == "remote" else ""
    return found


_SECRET = re.compile(
    r"password|passphrase|secret|token|access_key_id|account_key|connection_string"
)


def without_secrets(remotes: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return remotes without what lets their owner in: whoever opens them has his own way."""
    return {
        name: {key: value for key, value in said.items() if not _SECRET.search(key)}
        for name, said in remotes.items()
    }


def open_store(name: str, remotes: Mapping[str, Any]) -> Store:
    """Return the remote that ``Project.address`` told of, here or on another machine.

    Raises:
        DvcError: it can't be opened, or it keeps files under other names than hashes.
    """
    from dvc.exceptions import DvcException
    from dvc.fs import get_cloud_fs
    from dvc_objects.fs.errors import AuthError, RemoteMissingDepsError
    from dvc_objects.fs.errors import ConfigError as OptionError

    try:
        kind, options, path = get_cloud_fs({"remote": remotes}, name=name)
        if options.get("worktree") or options.get("version_aware"):
            raise DvcError(f"the remote {name} is no store of blobs by hash (version_aware)")
        folder = f"{path.rstrip('/')}/files/md5"
        if kind.protocol == "s3":
            said = {k: v for k, v in options.items() if (k, v) != _SSL and k not in _NO_MATTER}
            bucket, _, prefix = folder.partition("/")
            if said.keys() <= S3ObjectStore.OPTIONS:
                with suppress(LookupError, ImportError):
                    return S3ObjectStore(bucket, prefix, said)
        if kind.protocol == "local" and not Path(path).is_dir():
            raise DvcError(f"the remote {name} is {path}, and there is no such folder")
        return FileSystemStore(kind(**options), folder)
    except RemoteMissingDepsError as error:
        raise DvcError(f"{name} needs a library: pip install dvc[{error.protocol}]") from None
    except (DvcException, AuthError, OptionError) as error:
        raise DvcError(str(error)) from None


_SSL = ("use_ssl", True)
_NO_MATTER = {"url", "host", "verify", "jobs", "checksum_jobs", "listobjects", "read_only"}
"""Options of a remote that say nothing of how it is reached."""
