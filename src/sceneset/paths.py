"""The paths of all files of a registry.

This module imports only os and re, because look-ups use it and must start fast.
"""

import os
import re

from sceneset.errors import NoRegistryError

TYPE_CHECKING = False  # importing pathlib would take as long as a look-up
if TYPE_CHECKING:
    from pathlib import Path

DATA_ROOT = "Insta360SemanticSeg"
"""The folder that holds all subsets; the document gives it this name."""
INDEX = ".sceneset/index.sqlite"
"""The look-up index, relative to the root of a registry."""
SAMPLE_INDEX = ".sceneset/index.db"
"""The index of all samples, which `sceneset serve` searches, relative to the root of a registry."""
INTERNAL_SAMPLE_INDEX = ".sceneset/index-internal.db"
"""The same with the samples for internal use."""
PICTURES = ".sceneset/view.html"
"""The page that `sceneset view` writes by default, relative to the root of a registry."""
PICTURE_STORE = ".sceneset/pictures.db"
"""Thumbnails and outlines of masks for pages, relative to the root of a registry."""
_REQUIRED = ("params.yaml", "registry/scenes.yaml")
"""The files that make a folder the root of a registry."""


class Paths:
    """The paths of all files and folders of a registry below its root folder."""

    def __init__(self, root: "Path") -> None:
        self.root = root
        self.params = root / "params.yaml"
        self.registry = root / "registry"
        self.scenes = self.registry / "scenes.yaml"
        self.reports = self.registry / "reports"
        self.manifest = self.registry / "manifest.json"
        self.stats = self.registry / "stats"
        self.cards = self.registry / "cards"
        self.work = root / ".sceneset"
        """Untracked folder for locks, the index, and files that are not yet moved into place."""
        self.index = root / INDEX

    def subset(self, name: str) -> "Path":
        """Return the folder of a subset in the data root."""
        return self.root / DATA_ROOT / name

    def entry(self, name: str) -> "Path":
        """Return the path of the entry of a subset, a YAML file."""
        return self.registry / "subsets" / f"{name}.yaml"

    def tags(self, name: str) -> "Path":
        """Return the path of the tags of a subset, a CSV file."""
        return self.registry / "tags" / f"{name}.csv"

    def scan(self, name: str) -> "Path":
        """Return the path of the scan of a subset, a Parquet file."""
        return self.registry / "scans" / f"{name}.parquet"

    def relative(self, path: "Path") -> str:
        """Return ``path`` relative to the root with forward slashes, as messages show it."""
        return path.relative_to(self.root).as_posix()


def find_root(path: "str | Path") -> str:
    """Return the root folder of the registry that contains ``path``.

    Raises:
        NoRegistryError: neither ``path`` nor a folder above it is a registry, or it does not exist.
    """
    if not os.path.exists(path):  # a mistyped path in a registry must not stand for the registry
        raise NoRegistryError(f"no registry at {path}: there is no such folder")
    folder, previous = os.path.realpath(path), ""
    while folder != previous:
        missing = [name for name in _REQUIRED if not os.path.isfile(f"{folder}/{name}")]
        if not missing:
            return folder
        if missing == ["params.yaml"]:
            raise NoRegistryError(
                f"no registry: {folder} has no params.yaml. Restore it with "
                "`git checkout params.yaml`; if `sceneset init` was interrupted, delete the "
                "folder and run it again"
            )
        folder, previous = os.path.dirname(folder), folder
    raise NoRegistryError(
        f"no registry at {path} or in a folder above it; change to the folder of a registry, or "
        "create one with `sceneset init DIR`"
    )


def is_url(repo: str) -> bool:
    """Return whether ``repo`` is the URL of a repository, not a local path."""
    return "://" in repo or bool(re.match(r"[\w.-]+@[\w.-]+:", repo))


def without_userinfo(url: str) -> str:
    """Return a URL without user name and password, so that it can be printed and stored.

    A password may contain "@": the last one before the path ends it.
    """
    return re.sub(r"(?<=://)[^/]*@", "", url)


def has_no_working_tree(repo: str) -> bool:
    """Return whether ``repo`` is a URL or a bare repository, possibly with ``//folder``."""
    return is_url(repo) or is_bare_repository(split_repo(repo)[0])


def is_bare_repository(path: str) -> bool:
    """Return whether a folder is a git repository without a working tree."""
    path = os.path.abspath(path)
    return (
        os.path.basename(path) != ".git"
        and os.path.isfile(f"{path}/HEAD")
        and os.path.isdir(f"{path}/objects")
        and os.path.isdir(f"{path}/refs")
    )


def split_repo(repo: str) -> tuple[str, str]:
    """Return the two parts of ``REPOSITORY//folder``; the folder is "" if there is none.

    For example, ``https://example.com/mono.git//data/people`` is the registry in the folder
    data/people of the repository https://example.com/mono.git.
    """
    start = repo.find("://") + 3 if "://" in repo else 0
    while repo[start : start + 1] == "/":  # file:///path
        start += 1
    base, _, folder = repo[start:].partition("//")
    return repo[:start] + base, folder.strip("/")
