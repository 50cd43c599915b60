"""The registry as it stands in its files: what is listed, and everything said of it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from sceneset.registry.places import Paths, find_root, is_url
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

    from sceneset.registry.diff import Diff
    from sceneset.registry.pull import Progress, Pulled
    from sceneset.registry.query import FoundSample
    from sceneset.registry.tombstones import Tombstones

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


class Registry:
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
    def open(cls, path: str | Path = ".", rev: str | None = None) -> "Registry":
        """Return the registry that ``path`` stands in, or the one at a URL.

        With ``rev`` (a version number, tag, branch or commit) it is read as it stood then; the
        working tree is not touched.

        Raises:
            NoRegistryError: neither ``path`` nor a folder above it is one.
            UnknownRevisionError: there is no such revision; the nearest are named.
        """
        if rev is not None or is_url(str(path)):
            from sceneset.registry.revisions import open_at

            return open_at(path, rev)
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
        from sceneset.registry import tombstones

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
            problems = [
                unknown_scene(self.vocabulary, scene, file=shown, subset=name)
                for scene in sorted(used - self.vocabulary.by_key.keys())
            ]
            if problems:
                raise ProblemsFoundError(problems)
            found = sorted(tags, key=lambda tag: tag.key)
            if keep:
                self._tags[name] = found
        return found

    def scan(self, name: str, columns: Sequence[str] | None = None) -> "pa.Table":
        """Return a listed subset's scan, sorted by phase and stem."""
        path = self.paths.scan(name)
        return read_scan(path, self.paths.shown(path), columns=columns, subset=name)

    def lookup(
        self,
        *scenes: str,
        persons: str | None = None,
        phases: Iterable[str] = (),
        subsets: Iterable[str] = (),
    ) -> "list[FoundSample]":
        """Return the samples of ``scenes``, each once, sorted by subset, phase and stem.

        Scenes go by any of their names, subsets also by a part of theirs; what is left out asks
        for all. ``persons`` is single or multi, ``phases`` are train, val, test.

        Raises:
            UnknownNameError: a scene or a subset is not known; the nearest are named.
            ValueError: there are no such persons or phase.
        """
        from sceneset.registry.query import ask, find_samples

        asked = ask(self, scenes, persons=persons, phases=phases, subsets=subsets)
        return find_samples(self, asked)

    def pull(
        self,
        *scenes: str,
        to: str | Path,
        persons: str | None = None,
        phases: Iterable[str] = (),
        subsets: Iterable[str] = (),
        folders: Sequence[str] = ("img_dir", "ann_dir"),
        link: str = "copy",
        remote: str | None = None,
        progress: "Progress | None" = None,
    ) -> "Pulled":
        """Put the samples that ``lookup`` returns into the folder ``to``, every file verified.

        ``folders`` leaves images or masks out, ``link`` is copy, hard, sym or ref, ``remote``
        names another DVC remote than the default. What can't be had is named in the result.

        Raises:
            UnknownNameError: a scene or a subset is not known; the nearest are named.
            DestinationError: the folder is in use.
            DvcError: the remote can't be reached.
        """
        from sceneset.registry.blobs import Blobs
        from sceneset.registry.pull import pull
        from sceneset.registry.query import ask

        asked = ask(self, scenes, persons=persons, phases=phases, subsets=subsets)
        blobs = Blobs(self.project, remote)
        more = {"progress": progress} if progress else {}
        return pull(self, asked, blobs, Path(to), folders=folders, link=link, **more)

    def diff(self, new: "Registry | str") -> "Diff":
        """Return what changed from this state to ``new``: another one, or a revision of this.

        Raises:
            UnknownRevisionError: there is no such revision; the nearest are named.
        """
        from sceneset.registry.diff import compare
        from sceneset.registry.revisions import open_beside

        return compare(self, open_beside(self, new) if isinstance(new, str) else new)

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
