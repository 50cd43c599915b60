"""The registry as it stands in its files: what is listed, and everything said of it."""

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from sceneset.catalog.scan_table import read_scan
from sceneset.catalog.tags_csv import read_tags
from sceneset.errors import FindingsError
from sceneset.paths import Paths, find_root
from sceneset.schemas.finding import Finding, finding
from sceneset.schemas.params import Params
from sceneset.schemas.scene import Vocabulary
from sceneset.schemas.subset import Subset
from sceneset.schemas.tag import Tag
from sceneset.storage.yaml_files import load

if TYPE_CHECKING:
    import pyarrow as pa

    from sceneset.catalog.tombstones import Tombstones

T = TypeVar("T")


class Origin(NamedTuple):
    """Where a revision was read from."""

    repo: str
    """The folder or URL, as it is shown: without secrets."""
    git: Path
    """The git repository on this machine: the folder itself, or the mirror of a URL."""
    prefix: str
    """The registry's folder in the repository, with a slash at its end, or ""."""
    rev: str
    commit: str


class Catalog:
    """A registry on disk. Files are read when first asked for and kept.

    Every method that reads raises ProblemsFoundError with all that is wrong in what it read.
    """

    def __init__(
        self, root: Path, *, project: Path | None = None, origin: Origin | None = None
    ) -> None:
        self.paths = Paths(root)
        self.project = project or root
        """The DVC project that has the blobs: another folder where this is an old revision."""
        self.origin = origin
        """Which revision this is; None for the working tree."""
        self._entries: dict[str, Subset] = {}
        self._tags: dict[str, list[Tag]] = {}

    @classmethod
    def find(cls, path: str | Path = ".") -> "Catalog":
        """Return the registry that ``path`` is in.

        Raises:
            NoRegistryError: Neither ``path`` nor a folder above it is a registry.
        """
        return cls(Path(find_root(path)))

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

    @cached_property
    def forgotten(self) -> "Tombstones":
        """What was withdrawn, by image hash: as this state says, and as is known since."""
        from sceneset.catalog import tombstones

        found = tombstones.in_folder(self.root)
        if self.project != self.root:
            found = tombstones.in_folder(self.project) | found
        if self.origin:
            found = tombstones.on_branches(self.origin.git, self.origin.prefix) | found
        return found

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
            findings = [
                unknown_scene(self.vocabulary, row.scene, file=shown, subset=name)
                for row in entry.splits
                if row.scene not in self.vocabulary.order
            ]
            if entry.name != name:
                findings.append(
                    finding(
                        "schema",
                        f"is {entry.name!r}, but the file is called {name}.yaml",
                        subset=name,
                        file=shown,
                        field="name",
                        hint="let both say the same",
                    )
                )
            if findings:
                raise FindingsError(findings)
            self._entries[name] = entry
        return self._entries[name]

    def tags(self, name: str, *, keep: bool = True) -> list[Tag]:
        """Return a listed subset's tags, sorted by phase and stem.

        With ``keep`` they stay in memory for who asks next: not for those who pass all subsets.
        """
        found = self._tags.get(name)
        if found is None:
            path = self.paths.tags(name)
            shown = self.paths.shown(path)
            tags = read_tags(path, shown, subset=name)
            used = {scene for tag in tags for scene, _ in tag.scenes}
            findings = [
                unknown_scene(self.vocabulary, scene, file=shown, subset=name)
                for scene in sorted(used - self.vocabulary.by_key.keys())
            ]
            if findings:
                raise FindingsError(findings)
            found = sorted(tags, key=lambda tag: tag.key)
            if keep:
                self._tags[name] = found
        return found

    def scan(self, name: str, columns: Sequence[str] | None = None) -> "pa.Table":
        """Return a listed subset's scan, sorted by phase and stem."""
        path = self.paths.scan(name)
        return read_scan(path, self.paths.shown(path), columns=columns, subset=name)

    def each(self, read: Callable[[str], T], names: Sequence[str] | None = None) -> Iterator[T]:
        """Yield ``read(name)`` of every listed subset; raise all their findings together."""
        results, findings = [], []
        for name in self.names if names is None else names:
            try:
                results.append(read(name))
            except FindingsError as found:
                findings.extend(found.findings)
        if findings:
            raise FindingsError(findings)
        yield from results


def unknown_scene(
    vocabulary: Vocabulary, scene: str, *, file: str, subset: str = "", row: int | None = None
) -> Finding:
    """Say that ``scene`` is no key of the vocabulary, and which ones it may have meant."""
    key = vocabulary.find(scene)
    near = [key] if key else vocabulary.nearest(scene)
    return finding(
        "unknown-scene",
        f"{scene!r} is not a key of the vocabulary",
        subset=subset,
        file=file,
        row=row,
        hint=(f"did you mean {', '.join(near)}? " if near else "")
        + "Or add the scene to registry/scenes.yaml",
    )
