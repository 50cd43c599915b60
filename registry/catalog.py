"""The registry as it stands in its files: what is listed, and everything said of it."""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from sceneset.registry.scanfile import read_scan
from sceneset.registry.tagsfile import read_tags
from sceneset.registry.yamlfile import load
from sceneset.schemas.params import Params
from sceneset.schemas.problem import Problem, ProblemsFoundError, problem
from sceneset.schemas.scene import Vocabulary
from sceneset.schemas.subset import Subset
from sceneset.schemas.tag import Tag

if TYPE_CHECKING:
    import pyarrow as pa

DATA_ROOT = "Insta360SemanticSeg"
"""The document's own name of the folder that holds all subsets."""

T = TypeVar("T")


class NoRegistryError(Exception):
    """No registry stands here or above."""


class Paths:
    """Where everything stands below a registry's root."""

    def __init__(self, root: Path) -> None:
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

    def subset(self, name: str) -> Path:
        """Return the subset's folder in the data root."""
        return self.root / DATA_ROOT / name

    def entry(self, name: str) -> Path:
        """Return the subset's entry."""
        return self.registry / "subsets" / f"{name}.yaml"

    def tags(self, name: str) -> Path:
        """Return the subset's tags."""
        return self.registry / "tags" / f"{name}.csv"

    def scan(self, name: str) -> Path:
        """Return the subset's scan."""
        return self.registry / "scans" / f"{name}.parquet"

    def shown(self, path: Path) -> str:
        """Return ``path`` as messages show it: from the root, with forward slashes."""
        return path.relative_to(self.root).as_posix()


class Registry:
    """A registry on disk. Files are read when first asked for and kept.

    Every method that reads raises ProblemsFoundError with all that is wrong in what it read.
    """

    def __init__(self, root: Path, *, project: Path | None = None) -> None:
        self.paths = Paths(root)
        self.project = project or root
        """The DVC project that has the blobs: another folder where this is an old revision."""
        self._entries: dict[str, Subset] = {}
        self._tags: dict[str, list[Tag]] = {}

    @classmethod
    def open(cls, path: str | Path = ".", rev: str | None = None) -> "Registry":
        """Return the registry that ``path`` stands in, or the one at a URL.

        With ``rev`` (a version number, tag, branch or commit) it is read as it stood then; the
        working tree is not touched.

        Raises:
            NoRegistryError: neither ``path`` nor a folder above it is one.
            UnknownRevisionError: there is no such revision; the nearest are named.
        """
        from sceneset.registry.revisions import is_url, open_at

        if rev is not None or is_url(str(path)):
            return open_at(path, rev)
        start = Path(path).resolve()
        for folder in (start, *start.parents):
            if (folder / "params.yaml").is_file() and (folder / "registry/scenes.yaml").is_file():
                return cls(folder)
        raise NoRegistryError(
            f"no registry at {path} or above it; go to one, or make one: sceneset init DIR"
        )

    @property
    def root(self) -> Path:
        """The registry's top folder."""
        return self.paths.root

    @cached_property
    def params(self) -> Params:
        """The settings of params.yaml."""
        return load(self.paths.params, Params, "params.yaml")

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The scenes of registry/scenes.yaml."""
        return load(self.paths.scenes, Vocabulary, self.paths.shown(self.paths.scenes))

    @property
    def names(self) -> tuple[str, ...]:
        """The listed subsets, in alphabetical order."""
        return tuple(sorted(self.params.subsets))

    def entry(self, name: str) -> Subset:
        """Return a listed subset's entry."""
        if name not in self._entries:
            path = self.paths.entry(name)
            shown = self.paths.shown(path)
            entry = load(path, Subset, shown)
            problems = [
                unknown_scene(self.vocabulary, row.scene, file=shown, subset=name)
                for row in entry.splits
                if row.scene not in self.vocabulary.order
            ]
            if entry.name != name:
                problems.append(
                    problem(
                        "schema",
                        f"is {entry.name!r}, but the file is called {name}.yaml",
                        subset=name,
                        file=shown,
                        field="name",
                        hint="let both say the same",
                    )
                )
            if problems:
                raise ProblemsFoundError(problems)
            self._entries[name] = entry
        return self._entries[name]

    def tags(self, name: str) -> list[Tag]:
        """Return a listed subset's tags, sorted by phase and stem."""
        if name not in self._tags:
            path = self.paths.tags(name)
            shown = self.paths.shown(path)
            tags = read_tags(path, shown, subset=name)
            used = {scene for tag in tags for scene, _ in tag.scenes}
            problems = [
                unknown_scene(self.vocabulary, scene, file=shown, subset=name)
                for scene in sorted(used - self.vocabulary.by_key.keys())
            ]
            if problems:
                raise ProblemsFoundError(problems)
            self._tags[name] = sorted(tags, key=lambda tag: tag.key)
        return self._tags[name]

    def scan(self, name: str, columns: Sequence[str] | None = None) -> "pa.Table":
        """Return a listed subset's scan, sorted by phase and stem."""
        path = self.paths.scan(name)
        return read_scan(path, self.paths.shown(path), columns=columns, subset=name)

    def each(self, read: Callable[[str], T], names: Sequence[str] | None = None) -> Iterator[T]:
        """Yield ``read(name)`` of every listed subset; raise all their findings together."""
        results, problems = [], []
        for name in self.names if names is None else names:
            try:
                results.append(read(name))
            except ProblemsFoundError as found:
                problems.extend(found.problems)
        if problems:
            raise ProblemsFoundError(problems)
        yield from results


def unknown_scene(
    vocabulary: Vocabulary, scene: str, *, file: str, subset: str = "", row: int | None = None
) -> Problem:
    """Say that ``scene`` is no key of the vocabulary, and which ones it may have meant."""
    key = vocabulary.find(scene)
    near = [key] if key else vocabulary.nearest(scene)
    return problem(
        "unknown-scene",
        f"{scene!r} is not a key of the vocabulary",
        subset=subset,
        file=file,
        row=row,
        hint=(f"did you mean {', '.join(near)}? " if near else "")
        + "Or add the scene to registry/scenes.yaml",
    )
