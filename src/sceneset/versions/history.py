"""Search for images in the working tree of a registry and in all its released versions.

Versions are read from git objects, without a checkout. States share objects: the scan of a subset
that did not change between versions is read only once.
"""

import io
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from sceneset.catalog.orientations import all_orientations
from sceneset.catalog.reader import Catalog
from sceneset.catalog.scan_table import table_from_file
from sceneset.catalog.tags_csv import parse_tags
from sceneset.catalog.tombstones import MAX_COPY_DISTANCE
from sceneset.errors import FindingsError, UnknownRevisionError
from sceneset.quality.tested_images import TESTED_COLUMNS, ReleasedTestImages
from sceneset.schemas.tag import Tag
from sceneset.storage.git import git, output_lines, read_object
from sceneset.storage.git_trees import find_objects
from sceneset.versions.records import read_records
from sceneset.versions.resolve import ARTIFACT, resolve_versions
from sceneset.versions.tested_cache import VersionCache, VersionImages

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

_COLUMNS = (
    *("phase", "stem", "image", "mask", "image_md5", "mask_md5", "picture"),
    *("phash", "phash_mirror", "phash_turned"),
)

_ScenesOfSamples = dict[tuple[str, str], tuple[str, ...]]
"""The scenes of each sample, by phase and stem."""


class Occurrence(NamedTuple):
    """A sample in one state of the registry."""

    version: str
    """A version number or branch, or "" for the working tree."""
    subset: str
    phase: str
    stem: str
    image: str
    """File name."""
    mask: str
    """File name."""
    image_md5: str
    mask_md5: str
    picture: str
    """Digest of the pixels as shown; "" if the scan has none."""
    hashes: tuple[int, ...]
    """Perceptual hashes in all eight orientations, that of the file first, its mirror second."""
    scenes: tuple[str, ...]
    distance: int = 0
    """Hamming distance in bits to the perceptual hash of the query; 0 in exact searches."""

    @property
    def place(self) -> str:
        """The sample as subset/phase/stem."""
        return f"{self.subset}/{self.phase}/{self.stem}"


class _Scan(NamedTuple):
    versions: tuple[str, ...]
    """All states that contain this scan; "" is the working tree."""
    subset: str
    table: "pa.Table"


class History:
    """All states of a registry, searched by image."""

    def __init__(self, catalog: Catalog, *, everywhere: bool = False) -> None:
        """Collect the states to search.

        Args:
            catalog: The working tree of a registry; its records list the versions.
            everywhere: Search all branches and version tags too, including remote-tracking
                branches as of the last fetch.
        """
        self._catalog = catalog
        self.unread: set[str] = set()
        """What could not be searched, each with the reason; grows during searches."""
        self._commits: dict[str, str] = {}
        self._records = [record.version for record in read_records(catalog)]
        prefix = self._prefix if self._records else ""
        for version, commit in resolve_versions(catalog.root, self._records, prefix).items():
            if isinstance(commit, UnknownRevisionError):
                self.unread.add(str(commit))
            else:
                self._commits[version] = commit
        if everywhere:
            known = set(self._commits.values())
            self._commits |= {
                name: commit for name, commit in self._refs().items() if commit not in known
            }
        self._scenes_by_object: dict[str, _ScenesOfSamples] = {}

    def _refs(self) -> dict[str, str]:
        """Return the commits of branches and version tags, by name."""
        patterns = ("refs/heads", "refs/remotes", f"refs/tags/{ARTIFACT}@v*")
        output = git(self._catalog.root, "for-each-ref", "--format=%(refname:short)", *patterns)
        return {
            name: git(self._catalog.root, "rev-parse", f"{name}^{{commit}}").strip()
            for name in output_lines(output)
        }

    @cached_property
    def _prefix(self) -> str:
        return git(self._catalog.root, "rev-parse", "--show-prefix", check=False).strip()

    def find_by_name(self, subset: str, phase: str, stem: str) -> list[Occurrence]:
        """Return the sample with this name from every state that has one.

        The name may be in another Unicode normal form.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        forms = pa.array({stem, *(unicodedata.normalize(form, stem) for form in ("NFC", "NFD"))})
        return [
            occurrence
            for scan in self._scans()
            if scan.subset == subset
            for occurrence in self._occurrences(
                scan,
                pc.and_(pc.equal(scan.table["phase"], phase), pc.is_in(scan.table["stem"], forms)),
            )
        ]

    def find_similar(self, hashes: Iterable[int]) -> list[Occurrence]:
        """Return samples that look like one of the images with these perceptual hashes.

        Args:
            hashes: The perceptual hashes of the images in all orientations.
        """
        import numpy as np
        import pyarrow as pa

        found: list[Occurrence] = []
        for scan in self._scans():
            phashes = scan.table["phash"].to_numpy()
            distance = np.full(len(phashes), 64, np.uint8)
            for phash in hashes:
                distance = np.minimum(distance, _hamming_distances(phashes, phash))
            is_close = distance <= MAX_COPY_DISTANCE
            found += self._occurrences(scan, pa.array(is_close), distance[is_close].tolist())
        return found

    def test_images(self) -> ReleasedTestImages:
        """Return the test images of all versions, each with the first version that has it.

        A version that was read before is not read again: see `sceneset.versions.tested_cache`.
        """
        root, tested, scans = self._catalog.root, ReleasedTestImages(), set[str]()
        names = [f"{commit}:{self._prefix}registry/scans" for commit in self._commits.values()]
        trees = find_objects(root, names)
        cache = VersionCache(root) if any(trees) else None
        versions = zip(self._commits, trees, strict=True)
        for version, tree in self._catalog.progress(versions, len(trees), "read versions"):
            if not (cache and tree):
                continue  # a version without any subset
            cache.advance(version, tree)
            known = cache.read()
            if known:
                tested.add_images(known.images, version)
                scans.update(known.scans)
            elif read := self._add_version(tested, version, scans):
                cache.write(read)
        tested.unread = tuple(sorted(self.unread))
        return tested

    def _add_version(
        self, tested: ReleasedTestImages, version: str, known: set[str]
    ) -> VersionImages | None:
        """Read the test images of a version; return what it adds, or None if a scan is unread.

        Args:
            tested: What the test images are added to.
            version: The version.
            known: The git objects of scans that were read; those of the version are added.
        """
        sizes, is_complete, scans = tested.sizes, True, []
        for (subset, oid), versions in self._scans_of_versions.items():
            if version not in versions or oid in known:
                continue
            what = f"the scan of {subset} in {', '.join(versions)}"
            table = self._read(oid, what, TESTED_COLUMNS)
            if table is None:
                is_complete = False
                continue
            tested.add(table, (version,))
            known.add(oid)
            scans.append(oid)
        return VersionImages(scans, tested.added_since(sizes)) if is_complete else None

    @cached_property
    def _scans_of_versions(self) -> dict[tuple[str, str], list[str]]:
        return self._versions_of_scans()

    def masks_shared_with_other_images(self, images: set[str], masks: set[str]) -> set[str]:
        """Return those of ``masks`` that belong to an image outside ``images`` too."""
        import pyarrow.compute as pc

        image_values, mask_values = binary_md5s(images), binary_md5s(masks)
        shared: set[str] = set()
        for scan in self._scans():
            is_other = pc.invert(pc.is_in(scan.table["image_md5"], image_values))
            rows = pc.and_(is_other, pc.is_in(scan.table["mask_md5"], mask_values))
            shared |= {md5.hex() for md5 in scan.table["mask_md5"].filter(rows).to_pylist()}
        return shared

    def _scans(self) -> Iterator[_Scan]:
        """Yield every distinct scan with the states that contain it."""
        catalog = self._catalog
        for name, table in catalog.each(lambda name: (name, catalog.scan(name, _COLUMNS))):
            yield _Scan(("",), name, table)
        found = self._versions_of_scans().items()
        for (subset, oid), versions in catalog.progress(found, len(found), "search versions"):
            table = self._table(oid, f"the scan of {subset} in {', '.join(versions)}")
            if table is not None:
                yield _Scan(tuple(versions), subset, table)

    def _versions_of_scans(self) -> dict[tuple[str, str], list[str]]:
        """Return the states that contain each scan, by subset and git object."""
        versions_of: dict[tuple[str, str], list[str]] = defaultdict(list)
        for version, commit in self._commits.items():
            for subset, oid in self._objects(commit, "scans").items():
                versions_of[subset, oid].append(version)
        return versions_of

    def _table(self, oid: str, what: str) -> "pa.Table | None":
        """Return the columns of an ``Occurrence`` of a scan; see ``_read``."""
        return self._read(oid, what, _COLUMNS)

    def _read(self, oid: str, what: str, columns: Sequence[str]) -> "pa.Table | None":
        """Return a scan from git, or None if it can't be read, which is added to ``unread``."""
        import pyarrow as pa

        try:
            return table_from_file(io.BytesIO(read_object(self._catalog.root, oid)), columns)
        except pa.ArrowException as error:
            reason = " ".join(str(error).splitlines()[:1])
            self.unread.add(f"can't read {what}: {reason}")
            return None

    def _commit_of(self, version: str) -> str:
        return self._commits[version]

    def _objects(self, commit: str, folder: str) -> dict[str, str]:
        """Return the git objects in a folder of the registry at a commit, by subset."""
        path = f"{self._prefix}registry/{folder}/"
        output = git(self._catalog.root, "ls-tree", "-z", "--full-tree", commit, "--", path)
        found = {}
        for line in filter(None, output.split("\0")):
            fields, _, name = line.partition("\t")
            stem = name.rpartition("/")[2].rpartition(".")[0]
            if stem:
                found[stem] = fields.split()[2]
        return found

    def _occurrences(
        self, scan: _Scan, mask: "pa.Array", distances: Sequence[int] = ()
    ) -> Iterator[Occurrence]:
        """Yield the rows of a scan that ``mask`` selects, once for each state."""
        rows = scan.table.filter(mask).to_pylist()
        for row in rows:
            row |= {name: (row[name] or b"").hex() for name in ("image_md5", "mask_md5", "picture")}
            turned = row.pop("phash_turned") or b""
            row["hashes"] = all_orientations(
                row.pop("phash"),
                row.pop("phash_mirror"),
                (int.from_bytes(turned[start : start + 8]) for start in range(0, len(turned), 8)),
            )
        for version in scan.versions if rows else ():
            scenes = self._scenes(version, scan.subset)
            for row, distance in zip(rows, distances or [0] * len(rows), strict=True):
                yield Occurrence(
                    version,
                    scan.subset,
                    **row,
                    scenes=scenes.get((row["phase"], row["stem"]), ()),
                    distance=distance,
                )

    def _scenes(self, version: str, subset: str) -> _ScenesOfSamples:
        """Return the scenes of every sample of a subset; each git object is read only once."""
        root = self._catalog.root
        oid = self._objects(self._commit_of(version), "tags").get(subset, "") if version else ""
        key = oid or f"{version}:{subset}"
        if key not in self._scenes_by_object:
            if oid:
                text = read_object(root, oid).decode("utf-8", "replace")
                file = f"{version}:registry/tags/{subset}.csv"
                tags = _readable_tags(text, file, subset)
            else:
                tags = [] if version else self._catalog.tags(subset)
            self._scenes_by_object[key] = {
                tag.key: tuple(scene for scene, _ in tag.memberships) for tag in tags
            }
        return self._scenes_by_object[key]


def _readable_tags(text: str, file: str, subset: str) -> list[Tag]:
    """Return the tags in the text of a file, or none if a commit holds a broken file."""
    try:
        return [tag for tag, _ in parse_tags(text, file, subset=subset)]
    except FindingsError:
        return []


def released_test_images(catalog: Catalog) -> ReleasedTestImages:
    """Return the test images of all released versions, read from git."""
    return History(catalog).test_images()


def binary_md5s(hashes: Iterable[str]) -> "pa.Array":
    """Return MD5 hashes in hexadecimal as an array of 16 bytes each."""
    import pyarrow as pa

    return pa.array([bytes.fromhex(md5) for md5 in hashes], pa.binary(16))


def _hamming_distances(hashes: "npt.NDArray[np.uint64]", query: int) -> "npt.NDArray[np.uint8]":
    """Return the number of bits in which each hash differs from ``query``."""
    import numpy as np

    return np.asarray(np.bitwise_count(hashes ^ np.uint64(query)), np.uint8)
