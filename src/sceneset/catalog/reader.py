"""Read the files of a registry: params.yaml, the vocabulary, entries, tags, scans, tombstones."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from sceneset.catalog.scan_table import count_samples, read_scan
from sceneset.catalog.shared_reads import Hashes, SharedReads
from sceneset.catalog.tags_csv import read_tags
from sceneset.errors import FindingsError
from sceneset.paths import Paths, find_root
from sceneset.progress import Progress, no_progress
from sceneset.schemas.finding import Finding, capped, finding
from sceneset.schemas.params import Params
from sceneset.schemas.scene import Vocabulary
from sceneset.schemas.subset import Subset
from sceneset.schemas.tag import Tag
from sceneset.storage.dvc_digests import Digest, digests_of_scan
from sceneset.storage.yaml_files import load

if TYPE_CHECKING:
    import pyarrow as pa

    from sceneset.catalog.tombstones import Tombstones, Withdrawn

T = TypeVar("T")


class Origin(NamedTuple):
    """The git repository and the revision that a registry was read from."""

    repo: str
    """The folder or URL as messages show it, without credentials."""
    git: Path
    """The git repository on this machine: the folder, or the local mirror of the URL."""
    prefix: str
    """The registry's folder in the repository with a trailing slash; "" for the top folder."""
    rev: str
    commit: str


class Catalog:
    """The files of a registry on disk, read on first use and cached.

    Every method that reads raises FindingsError with all errors in the files it read.
    """

    def __init__(
        self,
        root: Path,
        *,
        project: Path | None = None,
        origin: Origin | None = None,
        progress: Progress = no_progress,
    ) -> None:
        self.paths = Paths(root)
        self.project = project or root
        """The DVC project that has the blobs; an old revision is in another folder."""
        self.origin = origin
        """The revision; None for the working tree."""
        self.progress = progress
        """Called by what goes over all subsets, versions or images of the registry."""
        self._entries: dict[str, Subset] = {}
        self._tags: dict[str, list[Tag]] = {}
        self._shared: SharedReads | None = None

    @classmethod
    def find(cls, path: str | Path = ".", *, progress: Progress = no_progress) -> "Catalog":
        """Return the registry that ``path`` is in.

        Args:
            path: A folder.
            progress: Called by what goes over all subsets, versions or images.

        Raises:
            NoRegistryError: Neither ``path`` nor a folder above it is a registry.
        """
        return cls(Path(find_root(path)), progress=progress)

    def again(self) -> "Catalog":
        """Return the same registry with nothing read yet, for what may have changed since."""
        return Catalog(self.root, project=self.project, origin=self.origin, progress=self.progress)

    @property
    def root(self) -> Path:
        """The registry's top folder."""
        return self.paths.root

    @property
    def params(self) -> Params:
        """The settings of params.yaml."""
        found = self._params
        if isinstance(found, FindingsError):
            raise FindingsError(found.findings)
        return found

    @cached_property
    def _params(self) -> Params | FindingsError:
        """The settings, or why they can't be read: a large file would be read again and again."""
        try:
            return load(self.paths.params, Params, "params.yaml")
        except FindingsError as error:
            return error

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The scenes of registry/scenes.yaml."""
        return load(self.paths.scenes, Vocabulary, self.paths.relative(self.paths.scenes))

    @cached_property
    def tombstones(self) -> "Tombstones":
        """The withdrawn images by content hash: those of this state and of every branch."""
        from sceneset.catalog import tombstones

        found = tombstones.read_tombstones(self.root)
        if self.project != self.root:
            found = tombstones.read_tombstones(self.project) | found
        if self.origin:
            others = tombstones.tombstones_on_branches(self.origin.git, self.origin.prefix)
        else:
            others = tombstones.tombstones_around(self.root)
        return others | found

    @cached_property
    def withdrawn(self) -> "Withdrawn":
        """What tells whether an image is withdrawn, from the tombstones above."""
        from sceneset.catalog.tombstones import Withdrawn

        return Withdrawn(self.tombstones)

    @property
    def names(self) -> tuple[str, ...]:
        """The listed subsets, in alphabetical order."""
        return tuple(sorted(self.params.subsets))

    def entry(self, name: str) -> Subset:
        """Return a listed subset's entry."""
        if name not in self._entries:
            path = self.paths.entry(name)
            shown = self.paths.relative(path)
            entry = load(path, Subset, shown)
            findings = capped(
                (row for row in entry.splits if row.scene not in self.vocabulary.order),
                lambda row: unknown_scene_finding(
                    self.vocabulary, row.scene, file=shown, subset=name
                ),
            )
            if entry.name != name:
                findings.append(
                    finding(
                        "schema",
                        f"the name is {entry.name!r}, but the file is {name}.yaml",
                        subset=name,
                        file=shown,
                        field="name",
                        hint=f"write `name: {name}`, or rename the file",
                    )
                )
            if findings:
                raise FindingsError(findings)
            self._entries[name] = entry
        return self._entries[name]

    def tags(self, name: str, *, cache: bool = True) -> list[Tag]:
        """Return a listed subset's tags, sorted by phase and stem.

        Args:
            name: The subset's name.
            cache: Keep the tags in memory. Callers that read all subsets once pass False.
        """
        found = self._tags.get(name)
        if found is None:
            shared = None if cache else self._shared
            found = shared.tags(name, lambda: self._read_tags(name)) if shared else None
        if found is None:
            found = self._read_tags(name)
            if cache:
                self._tags[name] = found
        return found

    def _read_tags(self, name: str) -> list[Tag]:
        path = self.paths.tags(name)
        shown = self.paths.relative(path)
        samples = partial(count_samples, self.paths.scan(name))
        tags = read_tags(path, shown, subset=name, samples=samples)
        used = {scene for tag in tags for scene, _ in tag.scenes}
        findings = capped(
            sorted(used - self.vocabulary.by_key.keys()),
            lambda scene: unknown_scene_finding(self.vocabulary, scene, file=shown, subset=name),
        )
        if findings:
            raise FindingsError(findings)
        return sorted(tags, key=attrgetter("phase", "stem"))

    def scan(self, name: str, columns: Sequence[str] | None = None) -> "pa.Table":
        """Return a listed subset's scan, sorted by phase and stem; see `read_scan`."""
        path = self.paths.scan(name)
        read = partial(self._read_scan, name, path)
        return self._shared.scan(name, path, columns, read) if self._shared else read(columns)

    def _read_scan(self, name: str, path: Path, columns: Sequence[str] | None) -> "pa.Table":
        return read_scan(path, self.paths.relative(path), columns=columns, subset=name)

    def digests(self, name: str, scan: "pa.Table") -> dict[str, Digest]:
        """Return the digests of a subset's folders; see `digests_of_scan`."""
        return self._shared.digests(name, scan) if self._shared else digests_of_scan(scan)

    def hashes(self, name: str, read: Callable[[], Hashes]) -> Hashes:
        """Return the content hashes of a subset, which ``read`` returns; see `content_hashes`."""
        return self._shared.hashes(name, read) if self._shared else read()

    @contextmanager
    def shared_reads(self) -> Iterator[None]:
        """Let all passes of the block share what they read; no file may change meanwhile.

        At most `shared_reads.MAX_SAMPLES` samples are kept, so with more, files are read again.
        """
        before = self._shared
        self._shared = before or SharedReads()
        try:
            yield
        finally:
            self._shared = before

    def each(
        self,
        read: Callable[[str], T],
        names: Sequence[str] | None = None,
        *,
        what: str = "",
    ) -> Iterator[T]:
        """Yield ``read(name)`` for each subset, by default all; raise all findings together.

        Args:
            read: Returns what is wanted of a subset.
            names: The subsets.
            what: The step, for those who watch the progress.
        """
        results, findings = [], []
        names = self.names if names is None else names
        if not what:
            what = "read subsets"
        for name in self.progress(names, len(names), what):
            try:
                results.append(read(name))
            except FindingsError as error:
                findings.extend(error.findings)
        if findings:
            raise FindingsError(findings)
        yield from results


def unknown_scene_finding(
    vocabulary: Vocabulary, scene: str, *, file: str, subset: str = "", row: int | None = None
) -> Finding:
    """Return the finding for a scene that is not a key of the vocabulary, with the nearest keys."""
    key = vocabulary.find(scene)
    nearest = [key] if key else vocabulary.nearest(scene)
    return finding(
        "unknown-scene",
        f"{scene!r} is not a key of the vocabulary",
        subset=subset,
        file=file,
        row=row,
        hint=(f"did you mean {' or '.join(nearest)}? Otherwise " if nearest else "")
        + "add the scene to registry/scenes.yaml",
    )
