"""Search for all files of a picture: in all versions and branches, and in all earlier commits.

A picture has many files over time: `sceneset fix` removes metadata and turns pixels, people rename
and move samples. Each change leaves blobs on the remote, also of commits that no version or branch
ends with.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import new as new_hash
from typing import TYPE_CHECKING

from sceneset.catalog.compact_lineage import CompactLineage
from sceneset.catalog.crops import iter_crops, read_crops
from sceneset.catalog.lineage import iter_lineage, read_all_lineages
from sceneset.catalog.reader import Catalog
from sceneset.catalog.tombstones import MAX_COPY_DISTANCE
from sceneset.errors import FindingsError, GitError
from sceneset.schemas.crop import CropRow
from sceneset.schemas.lineage import LineageRow
from sceneset.storage.git import git, read_object
from sceneset.versions.history import History, Occurrence, binary_md5s

if TYPE_CHECKING:
    import pyarrow as pa

_CACHED_BYTES = 256 << 20  # scans that are kept in memory between the passes of a search
_COMMIT = re.compile(r"[0-9a-f]{40,64}")

Names = Mapping[tuple[str, str, str], set[int]]
"""Samples by subset, phase and stem, each with the perceptual hashes of its picture."""


@dataclass
class FilesOfPictures:
    """Every file of some pictures in every state."""

    found: list[Occurrence] = field(default_factory=list)
    images: dict[str, str] = field(default_factory=dict)
    """Content hashes of all image files, each with how it was found."""
    masks: set[str] = field(default_factory=set)
    """Content hashes of all masks of these images."""
    lineage: list[LineageRow] = field(default_factory=list)
    """The changes of these images."""
    namesakes: list[Occurrence] = field(default_factory=list)
    """Samples that have the name of one of these in another state, but look different."""


class FullHistory(History):
    """All states and all commits of a registry, searched by picture."""

    def __init__(self, catalog: Catalog) -> None:
        """Collect the states to search; branches of origin are those of the last fetch."""
        super().__init__(catalog, everywhere=True)
        self._past: dict[tuple[str, str, str], str] = {}
        """The commit of each scan, lineage and record of crops of any commit, by folder, subset and
        git object."""
        self._commit_labels: dict[str, str] = {}
        self._tables: dict[str, pa.Table | None] = {}
        self._cached_bytes = 0
        self._versions_by_scan: dict[tuple[str, str], list[str]] = {}
        self._list_past()

    def find_files(self, seeds: Iterable[str], pictures: Iterable[str] = ()) -> FilesOfPictures:
        """Return all files that show the pictures of some files, or that became them.

        A file is found by its content, by lineage, by equal pixels, and by the name of a sample
        whose picture looks the same in any orientation; what is found is searched for again.

        Args:
            seeds: Content hashes of images.
            pictures: Digests of pictures, for images that the registry may know in other files.
        """
        result = FilesOfPictures(images=dict.fromkeys(seeds, "named"))
        known_pictures, lineage = {picture for picture in pictures if picture}, self.lineage()
        while True:
            before = (len(result.images), len(known_pictures))
            for md5 in sorted(lineage.related_images(result.images)):
                result.images.setdefault(md5, "lineage")
            result.found = self._find(result.images, known_pictures)
            for sample in result.found:
                result.images.setdefault(sample.image_md5, "same pixels")
            same, result.namesakes = self._find_by_names(_names(result.found), result.images)
            for sample in same:
                result.images.setdefault(sample.image_md5, "same name and look")
            known_pictures |= {s.picture for s in (*result.found, *same) if s.picture}
            if before == (len(result.images), len(known_pictures)):
                break
        result.lineage = lineage.rows_of(result.images)
        result.masks = {sample.mask_md5 for sample in result.found}
        for row in result.lineage:
            result.masks |= {row.mask_md5, row.new_mask_md5}
        return result

    def lineage(self) -> CompactLineage:
        """Return the lineage of the working tree and of all commits."""
        lineage = CompactLineage()
        lineage.add(read_all_lineages(self._catalog.paths))
        for (folder, subset, oid), commit in self._past.items():
            if folder != "lineage":
                continue
            text = read_object(self._catalog.root, oid).decode("utf-8", "replace")
            shown = f"{commit[:12]}:registry/lineage/{subset}.csv"
            try:
                lineage.add(iter_lineage(text, shown, subset=subset))
            except FindingsError as error:
                self.unread.add(f"{shown} can't be read: {error.findings[0].message}")
        return lineage

    def crops_of(self, images: Collection[str]) -> set[str]:
        """Return the image files that `sceneset crop` cut out of some images, in any commit.

        Args:
            images: Content hashes of the originals.
        """
        found = {row.image_md5 for row in self._crops() if row.original_md5 in images}
        return found.difference(images)

    def _crops(self) -> Iterator[CropRow]:
        yield from read_crops(self._catalog.paths)
        for (folder, subset, oid), commit in self._past.items():
            if folder != "crops":
                continue
            text = read_object(self._catalog.root, oid).decode("utf-8", "replace")
            shown = f"{commit[:12]}:registry/crops/{subset}.csv"
            try:
                yield from iter_crops(text, shown, subset=subset)
            except FindingsError as error:
                self.unread.add(f"{shown} can't be read: {error.findings[0].message}")

    def latest(self, samples: Iterable[Occurrence]) -> list[Occurrence]:
        """Return the samples of one state: of the working tree, or else of the newest one."""
        by_version: dict[str, list[Occurrence]] = defaultdict(list)
        for sample in samples:
            by_version[sample.version].append(sample)
        order = ["", *reversed([v for v in self._commits if v in self._records])]
        order += [version for version in by_version if version not in order]
        return next((by_version[version] for version in order if version in by_version), [])

    def _find(self, images: Iterable[str], pictures: Iterable[str]) -> list[Occurrence]:
        import pyarrow.compute as pc

        image_values, picture_values = binary_md5s(images), binary_md5s(pictures)
        return [
            occurrence
            for scan in self._scans()
            for occurrence in self._occurrences(
                scan,
                pc.or_(
                    pc.is_in(scan.table["image_md5"], image_values),
                    pc.is_in(scan.table["picture"], picture_values),
                ),
            )
        ]

    def _find_by_names(
        self, names: Names, images: Mapping[str, str]
    ) -> tuple[list[Occurrence], list[Occurrence]]:
        """Return other files under these names: those that look the same, and the others."""
        import pyarrow as pa
        import pyarrow.compute as pc

        subsets: dict[str, set[tuple[str, str]]] = defaultdict(set)
        for subset, phase, stem in names:
            subsets[subset].add((phase, stem))
        same: list[Occurrence] = []
        others: list[Occurrence] = []
        for scan in self._scans():
            keys = subsets.get(scan.subset, set())
            stems = pa.array(sorted({stem for _, stem in keys}), pa.string())
            rows = pc.is_in(scan.table["stem"], stems) if keys else None
            if rows is None or not pc.any(rows).as_py():
                continue
            for sample in self._occurrences(scan, rows):
                hashes = names.get((sample.subset, sample.phase, sample.stem))
                if hashes is None or sample.image_md5 in images:
                    continue
                (same if _looks_like(sample, hashes) else others).append(sample)
        return same, others

    def _versions_of_scans(self) -> dict[tuple[str, str], list[str]]:
        """Add the scans of all commits; leave out what the current commit and the files share."""
        if not self._versions_by_scan:
            self._versions_by_scan = self._list_scans()
        return self._versions_by_scan

    def _list_scans(self) -> dict[tuple[str, str], list[str]]:
        versions_of = super()._versions_of_scans()
        head = git(self._catalog.root, "rev-parse", "HEAD", check=False).strip()
        at_head = {
            name
            for name, commit in self._commits.items()
            if commit == head and name not in self._records
        }
        for (folder, subset, oid), commit in self._past.items():
            if folder == "scans" and (subset, oid) not in versions_of:
                versions_of[subset, oid] = [self._label(commit)]
        for name in self._catalog.names:
            key = (name, self._object_of_file(name, len(head)))
            left = [
                version
                for version in versions_of.get(key, ())
                if version not in at_head and version not in self._commit_labels
            ]
            if left:
                versions_of[key] = left
            else:
                versions_of.pop(key, None)
        return versions_of

    def _object_of_file(self, subset: str, digits: int) -> str:
        """Return the git object that the scan of the working tree has or would have."""
        data = self._catalog.paths.scan(subset).read_bytes()
        digest = new_hash("sha256" if digits == 64 else "sha1", usedforsecurity=False)
        digest.update(b"blob %d\0" % len(data) + data)
        return digest.hexdigest()

    def _label(self, commit: str) -> str:
        label = f"commit {commit[:12]}"
        self._commit_labels[label] = commit
        return label

    def _commit_of(self, version: str) -> str:
        return self._commit_labels.get(version) or super()._commit_of(version)

    def _table(self, oid: str, what: str) -> "pa.Table | None":
        if oid in self._tables:
            return self._tables[oid]
        table = super()._table(oid, what)
        self._cached_bytes += table.nbytes if table is not None else 0
        if self._cached_bytes <= _CACHED_BYTES:
            self._tables[oid] = table
        return table

    def _list_past(self) -> None:
        """List the scans, lineages and records of crops of all commits, newest commit first."""
        root = self._catalog.root
        if git(root, "rev-parse", "--is-shallow-repository", check=False).strip() == "true":
            self.unread.add(
                "this clone is shallow, so earlier commits can't be searched; fetch them with "
                "`git fetch --unshallow`"
            )
        # Without the full history, git leaves out a side of a merge that did not change the result.
        options = (
            *("--all", "--full-history", "-m", "--raw", "--no-abbrev", "--no-renames", "-z"),
            "--format=%H",
        )
        names = ("scans", "lineage", "crops")
        folders = [f":(top,literal){self._prefix}registry/{name}" for name in names]
        try:
            tokens = iter(git(root, "log", *options, "--", *folders).split("\0"))
        except GitError as error:
            self.unread.add(f"earlier commits can't be searched: {error}")
            return
        commit = ""
        for token in tokens:
            text = token.strip("\n")
            if text.startswith(":"):
                oid, path = text.split()[3], next(tokens, "")
                folder, _, name = path.removeprefix(f"{self._prefix}registry/").partition("/")
                subset = name.rpartition(".")[0]
                if subset and set(oid) != {"0"}:
                    self._past.setdefault((folder, subset, oid), commit)
            elif _COMMIT.fullmatch(text):
                commit = text


def _names(samples: Iterable[Occurrence]) -> dict[tuple[str, str, str], set[int]]:
    names: dict[tuple[str, str, str], set[int]] = defaultdict(set)
    for sample in samples:
        names[sample.subset, sample.phase, sample.stem].update(sample.hashes)
    return names


def _looks_like(sample: Occurrence, hashes: Iterable[int]) -> bool:
    """Return whether a sample's image looks like one with these hashes, of all orientations."""
    return any((sample.hashes[0] ^ other).bit_count() <= MAX_COPY_DISTANCE for other in hashes)
