"""Run DVC commands and use DVC's cache and remotes. No other module imports or runs dvc."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from sceneset.errors import DvcError
from sceneset.storage.config_guard import check_own_config
from sceneset.storage.dvc_locks import repair_rwlock, rwlock_problem
from sceneset.storage.dvc_messages import BUSY, DISK_ADVICE, advice_for, is_full, reason_of
from sceneset.storage.git import git_environment, repository_guard
from sceneset.storage.locking import lending_environment
from sceneset.storage.object_store import FileSystemStore, Store
from sceneset.storage.pipeline_guard import check_dvc_files
from sceneset.storage.remote_options import required_remotes
from sceneset.storage.s3_store import S3ObjectStore
from sceneset.storage.safe_path import safe_path
from sceneset.storage.user_cache import shared_blobs

_BUSY_TIMEOUT, _BUSY_INTERVAL = 20, 0.5  # seconds
TEXT_STAGES = ("check", "splits", "stats", "leakage", "manifest", "card")
"""The stages of dvc.yaml that read only small files: they run in a clone without blobs."""


def dvc(root: Path, *arguments: str | Path, lend: int | None = None) -> None:
    """Run a dvc command in ``root`` without output.

    Args:
        root: The DVC project.
        arguments: The command and its arguments.
        lend: A file descriptor that the command inherits, for example the write lock's.

    Raises:
        DvcError: The command failed; the message is dvc's own.
    """
    done = _run(root, *map(str, arguments), lend=lend)
    if done.returncode:
        reason = reason_of(done.stderr) or reason_of(done.stdout) or f"exit code {done.returncode}"
        raise DvcError(f"dvc {arguments[0]} failed: {reason}{advice_for(root, reason)}")


def is_current(root: Path, stages: Sequence[str]) -> bool:
    """Return whether the outputs of ``stages`` are up to date; no blob is needed.

    Raises:
        DvcError: DVC can't tell, for example because it can't write to its own folders.
    """
    return not outdated_stages(root, stages)


def outdated_stages(root: Path, stages: Sequence[str]) -> list[str]:
    """Return those of ``stages`` whose outputs are edited or out of date; no blob is needed.

    Raises:
        DvcError: DVC can't tell, for example because it can't write to its own folders.
    """
    # With --quiet, "out of date" and any failure give the same exit code, and no message.
    done = _run(root, "status", "--json", *stages)
    if done.returncode == 0:
        with suppress(ValueError):
            return sorted(json.loads(done.stdout[done.stdout.index("{") :]))
    reason = reason_of(done.stderr) or reason_of(done.stdout) or f"exit code {done.returncode}"
    raise DvcError(
        f"dvc status failed, so it is not known whether files are current: {reason}"
        f"{advice_for(root, reason)}"
    )


def _run(
    root: Path, *arguments: str, lend: int | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run a dvc command; repair DVC's locks first, and wait for other commands to end."""
    check_dvc_files(root, runs_stages=arguments[0] == "repro")
    give_up = time.monotonic() + _BUSY_TIMEOUT
    while True:
        if rwlock_problem(root):
            repair_rwlock(root, hard_links=has_hard_link_locks(root))
        done = _run_once(root, *arguments, lend=lend)
        is_busy = done.returncode and any(text in done.stderr for text in BUSY)
        if not is_busy or time.monotonic() >= give_up:
            return done
        time.sleep(_BUSY_INTERVAL)


_WITHOUT_FILTERS = """
import sys
from contextlib import suppress
with suppress(ImportError):
    from dulwich.filters import ProcessFilterDriver
    ProcessFilterDriver.clean = lambda self, data: data
    ProcessFilterDriver.smudge = lambda self, data, path=b"": data
from dvc.cli import main
sys.exit(main(sys.argv[1:]))
"""
"""Runs dvc where git's configuration has filters: `dvc init`, and other commands with
core.autostage, add files to git's index, and the library that they use would run the filters."""


def _run_once(
    root: Path, *arguments: str, lend: int | None = None
) -> "subprocess.CompletedProcess[str]":
    has_filters = False
    with suppress(OSError):  # git is not installed
        has_filters = repository_guard(root).has_filters
    program = ("-c", _WITHOUT_FILTERS) if has_filters else ("-m", "dvc")
    # -P: a file dvc.py or yaml.py in the working folder, the registry, must not be imported.
    command: Sequence[str] = (sys.executable, "-P", *program, *arguments)
    return subprocess.run(
        command,
        cwd=root,
        capture_output=True,
        encoding="utf-8",
        errors="backslashreplace",  # it may print file names that are not UTF-8
        check=False,
        stdin=subprocess.DEVNULL,
        pass_fds=() if lend is None else (lend,),
        env=_environment() | ({} if lend is None else lending_environment(lend)),
    )


def _environment() -> dict[str, str]:
    # Stages run `python -m sceneset...`: PATH selects this Python even if its environment is not
    # activated. The analytics daemon would inherit the lent descriptor and outlive the command.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return {**git_environment(), **safe_path(), "DVC_NO_ANALYTICS": "true", "PATH": path}


class Folders(NamedTuple):
    """Where DVC writes outside of the data root. The folders need not exist."""

    blobs: Path
    """The blobs of the project's cache."""
    databases: Path
    """The databases of all projects of this machine."""


def folders_of(root: Path) -> Folders:
    """Return where DVC writes for a project.

    Raises:
        DvcError: The configuration can't be read.
    """
    from dvc.config import Config
    from dvc.dirs import site_cache_dir
    from dvc.exceptions import DvcException

    try:
        config = Config(str(root / ".dvc"))
    except DvcException as error:
        raise DvcError(str(error)) from None
    cache = Path(config["cache"].get("dir") or root / ".dvc/cache")
    return Folders(cache / "files/md5", Path(site_cache_dir(config["core"].get("site_cache_dir"))))


def has_hard_link_locks(root: Path) -> bool:
    """Return whether DVC's locks in a project are hard links; see `dvc_locks`.

    Raises:
        DvcError: The configuration can't be read.
    """
    from dvc.config import Config
    from dvc.exceptions import DvcException

    if not (root / ".dvc").is_dir():
        return False
    try:
        return bool(Config(str(root / ".dvc"))["core"].get("hardlink_lock"))
    except (DvcException, UnicodeDecodeError) as error:
        raise DvcError(str(error)) from None


def remote_configuration(root: Path, name: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the remotes of a project as they will be once ``name`` has these options.

    Credentials that the user keeps outside of the repository, in the local, global or system
    configuration of DVC, are added to the options.

    Raises:
        DvcError: The configuration can't be read.
    """
    from dvc.config import Config
    from dvc.exceptions import DvcException

    try:
        config = Config(str(root / ".dvc"))
        own: dict[str, Any] = {}
        for level in ("system", "global", "local"):
            own |= config.read(level).get("remote", {}).get(name.lower(), {})
    except (DvcException, UnicodeDecodeError) as error:
        raise DvcError(str(error)) from None
    remotes = {known: dict(found) for known, found in config["remote"].items()}
    return {**remotes, name.lower(): {**own, **options}}


def add_folders(root: Path, folders: Iterable[Path], *, lend: int | None = None) -> None:
    """Track folders with DVC: copy their files to the cache and write a .dvc file for each."""
    dvc(root, "add", *folders, lend=lend)


@contextmanager
def _database_errors() -> Iterator[None]:
    """Raise DvcError where DVC's databases, in this process, raise errors of SQLite."""
    from sqlite3 import Error

    from diskcache import Timeout

    try:
        yield
    except (Error, Timeout) as error:
        reason = str(error) or "it is locked"
        advice = DISK_ADVICE if is_full(reason) else ""
        raise DvcError(f"DVC's database can't be used: {reason}{advice}") from None


class Project:
    """A DVC project: its local cache of blobs, and its remotes."""

    def __init__(self, root: Path) -> None:
        """Open the project at ``root``.

        Raises:
            DvcError: There is no DVC project.
        """
        from dvc.exceptions import DvcException
        from dvc.repo import Repo

        check_own_config(root)
        # An extracted revision is not in a git repository, and DVC need not search for one.
        config: dict[str, Any] = {"core": {"no_scm": True, "analytics": False}}
        blobs = shared_blobs(root)
        if blobs:
            # Given as a value: a configuration file can't hold every path.
            config["cache"] = {"dir": str(blobs)}
        try:
            with _database_errors():
                self._repo = Repo(str(root), config=config)
        except DvcException as error:
            raise DvcError(str(error)) from None
        self._cache = self._repo.cache.local

    def unusable_cache_types(self) -> list[str]:
        """Return the configured ways to link files of the cache if none of them works here."""
        from dvc_objects.fs.generic import test_links

        wanted = [str(kind) for kind in self._cache.cache_types]
        links = [kind for kind in wanted if kind != "copy"]
        if len(links) < len(wanted):
            return []
        tmp = str(self._repo.tmp_dir or self._repo.root_dir)
        target = self._repo.fs.join(tmp, "link")
        usable = test_links(links, self._cache.fs, self._cache.path, self._repo.fs, target)
        return [] if usable else links

    def blob_path(self, md5: str) -> Path:
        """Return the path of a blob in the cache, whether it exists or not."""
        return Path(self._cache.oid_to_path(md5))

    def make_folder(self, folder: Path) -> None:
        """Create a folder of the cache, with the permissions of a shared cache if it is one."""
        self._cache.makedirs(str(folder))

    def protect(self, path: Path) -> None:
        """Make a blob of the cache read-only: DVC trusts read-only blobs without hashing them."""
        self._cache.protect(str(path))

    def hashes(self, folder: Path) -> dict[str, str]:
        """Return the md5 of every file in a folder, by path relative to the folder.

        DVC remembers the hashes of files that have not changed, and reads only the others.

        Raises:
            DvcError: DVC's database can't be read or written, for example on a full disk.
        """
        from dvc.fs import LocalFileSystem
        from dvc_data.hashfile.build import build

        fs = LocalFileSystem(url=str(self._repo.root_dir))
        path = fs.abspath(str(folder))
        tree: Any  # a Tree, because the path is a folder
        ignore = self._repo.dvcignore
        with _database_errors():
            _, _, tree = build(self._cache, path, fs, "md5", dry_run=True, ignore=ignore)
        return {"/".join(key): str(found.value) for key, _, found in tree}

    def store(self, name: str | None = None) -> Store:
        """Return the default remote, or the one named.

        Raises:
            DvcError: There is no such remote, or it does not store blobs by hash.
        """
        return open_store(*self.address(name))

    def address(self, name: str | None = None) -> tuple[str, dict[str, Any]]:
        """Return what another machine needs to open a remote: its name and configuration.

        Raises:
            DvcError: There is no such remote.
        """
        name = name or self._repo.config["core"].get("remote")
        if not name:
            raise DvcError("there is no DVC remote; set one: sceneset remote URL")
        remotes = self.remotes()
        if name.lower() not in remotes:
            raise DvcError(f"there is no DVC remote {name}; `dvc remote list` lists the remotes")
        return name, required_remotes(name.lower(), remotes)

    def remotes(self) -> dict[str, dict[str, Any]]:
        """Return the configuration of all remotes, by name."""
        return {name: dict(options) for name, options in self._repo.config["remote"].items()}


def resolved_remote(name: str, remotes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of a remote together with those of the remote that its URL refers to.

    Args:
        name: The remote.
        remotes: The options of the remotes, as ``Project.address`` returns them.

    Raises:
        DvcError: The remote refers to one that does not exist.
    """
    from dvc.exceptions import DvcException
    from dvc.fs import get_fs_config

    try:
        return dict(get_fs_config({"remote": remotes}, name=name))
    except (DvcException, KeyError, RecursionError) as error:
        raise DvcError(f"the remote {name} can't be resolved: {error}") from None


_DEFAULT_SSL = ("use_ssl", True)
_IRRELEVANT = {"url", "host", "verify", "jobs", "checksum_jobs", "listobjects", "read_only"}
"""Options of a remote that don't affect how it is accessed."""


def open_store(name: str, remotes: Mapping[str, Any]) -> Store:
    """Open the remote that ``Project.address`` returned, on this or another machine.

    Raises:
        DvcError: The remote can't be opened, or does not store blobs by hash.
    """
    from dvc.exceptions import DvcException
    from dvc.fs import get_cloud_fs
    from dvc_objects.fs.errors import AuthError, RemoteMissingDepsError
    from dvc_objects.fs.errors import ConfigError as OptionError

    try:
        fs_class, options, path = get_cloud_fs({"remote": remotes}, name=name)
        if options.get("worktree") or options.get("version_aware"):
            raise DvcError(f"the remote {name} does not store blobs by hash (version_aware)")
        folder = f"{path.rstrip('/')}/files/md5"
        if fs_class.protocol == "s3" and (s3 := _s3_store(folder, options)):
            return s3
        if fs_class.protocol == "local" and not Path(path).is_dir():
            raise DvcError(f"the remote {name} is {path}, and there is no such folder")
        return FileSystemStore(fs_class(**options), folder)
    except RemoteMissingDepsError as error:
        raise DvcError(f"{name} needs a library: pip install dvc[{error.protocol}]") from None
    except (DvcException, AuthError, OptionError) as error:
        raise DvcError(str(error)) from None


def _s3_store(folder: str, options: Mapping[str, Any]) -> S3ObjectStore | None:
    """Return a remote through obstore, or None if it has options that obstore can't apply."""
    relevant = {k: v for k, v in options.items() if (k, v) != _DEFAULT_SSL and k not in _IRRELEVANT}
    if relevant.keys() <= S3ObjectStore.OPTIONS:
        bucket, _, prefix = folder.partition("/")
        with suppress(LookupError, ImportError):
            return S3ObjectStore(bucket, prefix, relevant)
    return None
