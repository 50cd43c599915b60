"""Where everything of a registry stands: needs no library."""

import os
import re

from sceneset.errors import NoRegistryError

TYPE_CHECKING = False  # pathlib would take as long to load as a look-up
if TYPE_CHECKING:
    from pathlib import Path

DATA_ROOT = "Insta360SemanticSeg"
"""The document's own name of the folder that holds all subsets."""
_MARKS = ("params.yaml", "registry/scenes.yaml")
INDEX = ".sceneset/index.sqlite"


class Paths:
    """Where everything stands below a registry's root."""

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
        """Untracked: what a command builds aside before it takes its place."""
        self.index = root / INDEX

    def subset(self, name: str) -> "Path":
        """Return the subset's folder in the data root."""
        return self.root / DATA_ROOT / name

    def entry(self, name: str) -> "Path":
        """Return the subset's entry."""
        return self.registry / "subsets" / f"{name}.yaml"

    def tags(self, name: str) -> "Path":
        """Return the subset's tags."""
        return self.registry / "tags" / f"{name}.csv"

    def scan(self, name: str) -> "Path":
        """Return the subset's scan."""
        return self.registry / "scans" / f"{name}.parquet"

    def shown(self, path: "Path") -> str:
        """Return ``path`` as messages show it: from the root, with forward slashes."""
        return path.relative_to(self.root).as_posix()


def find_root(path: "str | Path") -> str:
    """Return the top folder of the registry that ``path`` stands in.

    Raises:
        NoRegistryError: neither ``path`` nor a folder above it is one.
    """
    folder, below = os.path.realpath(path), ""
    while folder != below:
        lacking = [name for name in _MARKS if not os.path.isfile(f"{folder}/{name}")]
        if not lacking:
            return folder
        if lacking == ["params.yaml"]:
            raise NoRegistryError(
                f"no registry: {folder} lacks params.yaml. `git checkout params.yaml` restores it; "
                "where an `init` was cut off, delete the folder and begin again"
            )
        folder, below = os.path.dirname(folder), folder
    raise NoRegistryError(
        f"no registry at {path} or above it; go to one, or make one: sceneset init DIR"
    )


def is_url(repo: str) -> bool:
    """Whether ``repo`` names a repository elsewhere."""
    return "://" in repo or bool(re.match(r"[\w.-]+@[\w.-]+:", repo))
