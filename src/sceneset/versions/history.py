"""Where an image stands: in the registry as it is, and in every version that was released.

Versions are read out of git, without a checkout, and what they share is read once: the scan of a
subset that did not change is the same object in all of them.
"""

import io
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from sceneset.catalog.reader import Catalog
from sceneset.catalog.scan_table import scan_table
from sceneset.catalog.tags_csv import parse_tags
from sceneset.catalog.tombstones import NEAR
from sceneset.errors import UnknownRevisionError
from sceneset.quality.leakage import Tested
from sceneset.storage.git import content, git
from sceneset.versions.records import versions
from sceneset.versions.revisions import ARTIFACT, resolve

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

_COLUMNS = (
    "phase", "stem", "image", "mask", "image_md5", "mask_md5", "phash", "phash_mirror",
)  # fmt: skip


class Sighting(NamedTuple):
    """One sample in one state."""

    version: str
    """A version's number, a branch, or "" for the registry as it stands."""
    subset: str
    phase: str
    stem: str
    image: str
    """File name."""
    mask: str
    image_md5: str
    mask_md5: str
    phash: int
    phash_mirror: int
    scenes: tuple[str, ...]
    distance: int = 0
    """Bits in which its perceptual hash differs from the one it was found by."""

    @property
    def place(self) -> str:
        """The sample: subset, phase and stem."""
        return f"{self.subset}/{self.phase}/{self.stem}"


class _Scan(NamedTuple):
    versions: tuple[str, ...]
    subset: str
    table: "pa.Table"


class History:
    """All states of a registry, searched by image."""

    def __init__(self, catalog: Catalog, *, everywhere: bool = False) -> None:
        """Take the working tree of a registry; its versions are those it has records of.

        With ``everywhere`` all branches and version tags count too, those of remotes as they were
        last fetched.
        """
        self._catalog = catalog
        self.unread: set[str] = set()
        """What could not be searched, and why; filled while searching."""
        self._commits: dict[str, str] = {}
        for record in versions(catalog):
            try:
                commit = resolve(catalog.root, record.version, self._prefix)
            except UnknownRevisionError as error:
                self.unread.add(str(error))
            else:
                self._commits[record.version] = commit
        if everywhere:
            known = set(self._commits.values())
            self._commits |= {
                name: commit for name, commit in self._refs().items() if commit not in known
            }
        self._tags: dict[str, dict[tuple[str, str], tuple[str, ...]]] = {}

    def _refs(self) -> dict[str, str]:
        """Return the commits of branches and version tags, by their names."""
        kinds = ("refs/heads", "refs/remotes", f"refs/tags/{ARTIFACT}@v*")
        names = "--format=%(refname:short)"
        listed = git(self._catalog.root, "for-each-ref", names, *kinds).split()
        return {
            name: git(self._catalog.root, "rev-parse", f"{name}^{{commit}}").strip()
            for name in listed
        }

    @property
    def _prefix(self) -> str:
        return git(self._catalog.root, "rev-parse", "--show-prefix", check=False).strip()

    def exactly(self, hashes: Iterable[str]) -> list[Sighting]:
        """Return every sample whose image has one of these hashes."""
        import pyarrow as pa
        import pyarrow.compute as pc

        values = pa.array([bytes.fromhex(md5) for md5 in hashes], pa.binary(16))
        return [
            sighting
            for scan in self._scans()
            for sighting in self._sightings(scan, pc.is_in(scan.table["image_md5"], values))
        ]

    def named(self, subset: str, phase: str, stem: str) -> list[Sighting]:
        """Return a sample as every state has it that has one of this name."""
        import pyarrow.compute as pc

        return [
            sighting
            for scan in self._scans()
            if scan.subset == subset
            for sighting in self._sightings(
                scan,
                pc.and_(pc.equal(scan.table["phase"], phase), pc.equal(scan.table["stem"], stem)),
            )
        ]

    def near(self, hashes: Sequence[tuple[int, int]]) -> list[Sighting]:
        """Return samples that look like one of these (perceptual hash, mirrored one)."""
        import numpy as np
        import pyarrow as pa

        found: list[Sighting] = []
        for scan in self._scans():
            stored = scan.table["phash"].to_numpy()
            distance = np.full(len(stored), 64, np.uint8)
            for pair in hashes:
                for one in pair:
                    distance = np.minimum(distance, _distances(stored, one))
            close = distance <= NEAR
            found += self._sightings(scan, pa.array(close), distance[close].tolist())
        return found

    def tested(self) -> dict[str, str]:
        """Return the images that were test images of a version, with the first that had them."""
        import pyarrow.compute as pc

        found: dict[str, str] = {}
        for scan in self._scans():
            images = scan.table.filter(pc.equal(scan.table["phase"], "test"))["image_md5"]
            for version in scan.versions:
                for md5 in images.to_pylist() if version else ():
                    found.setdefault(md5.hex(), version)
        return found

    def masks_of_others(self, images: set[str], masks: set[str]) -> set[str]:
        """Return those masks that samples of other images have too."""
        import pyarrow as pa
        import pyarrow.compute as pc

        gone = pa.array([bytes.fromhex(md5) for md5 in images], pa.binary(16))
        asked = pa.array([bytes.fromhex(md5) for md5 in masks], pa.binary(16))
        shared: set[str] = set()
        for scan in self._scans():
            stays = pc.invert(pc.is_in(scan.table["image_md5"], gone))
            rows = pc.and_(stays, pc.is_in(scan.table["mask_md5"], asked))
            shared |= {md5.hex() for md5 in scan.table["mask_md5"].filter(rows).to_pylist()}
        return shared

    def _scans(self) -> Iterator[_Scan]:
        """Yield every scan once, with the versions that have it."""
        import pyarrow as pa

        catalog = self._catalog
        for name, table in catalog.each(lambda name: (name, catalog.scan(name, _COLUMNS))):
            yield _Scan(("",), name, table)
        owners: dict[tuple[str, str], list[str]] = defaultdict(list)
        for version, commit in self._commits.items():
            for subset, oid in self._objects(commit, "scans").items():
                owners[subset, oid].append(version)
        for (subset, oid), having in owners.items():
            try:
                table = scan_table(io.BytesIO(content(catalog.root, oid)), _COLUMNS)
            except pa.ArrowException as error:
                said = " ".join(str(error).splitlines()[:1])
                self.unread.add(
                    f"the scan of {subset} in {', '.join(having)} can't be read: {said}"
                )
            else:
                yield _Scan(tuple(having), subset, table)

    def _objects(self, commit: str, folder: str) -> dict[str, str]:
        """Return the git objects of a folder of the registry at a commit, by subset."""
        path = f"{self._prefix}registry/{folder}/"
        listed = git(self._catalog.root, "ls-tree", "-z", "--full-tree", commit, "--", path)
        found = {}
        for line in filter(None, listed.split("\0")):
            words, _, name = line.partition("\t")
            stem = name.rpartition("/")[2].rpartition(".")[0]
            if stem:
                found[stem] = words.split()[2]
        return found

    def _sightings(
        self, scan: _Scan, rows: "pa.Array", distances: Sequence[int] = ()
    ) -> Iterator[Sighting]:
        found = scan.table.filter(rows).to_pylist()
        for row in found:
            row |= {name: row[name].hex() for name in ("image_md5", "mask_md5")}
        for version in scan.versions if found else ():
            scenes = self._scenes(version, scan.subset)
            for row, bits in zip(found, distances or [0] * len(found), strict=True):
                said = scenes.get((row["phase"], row["stem"]), ())
                yield Sighting(version, scan.subset, **row, scenes=said, distance=bits)

    def _scenes(self, version: str, subset: str) -> dict[tuple[str, str], tuple[str, ...]]:
        """Return the scenes of every sample of a subset at a version, read once an object."""
        root = self._catalog.root
        oid = self._objects(self._commits[version], "tags").get(subset, "") if version else ""
        key = oid or f"{version}:{subset}"
        if key not in self._tags:
            shown = f"{version}:registry/tags/{subset}.csv"
            if oid:
                text = content(root, oid).decode("utf-8", "replace")
                tags = [tag for tag, _ in parse_tags(text, shown, subset=subset)]
            else:
                tags = [] if version else self._catalog.tags(subset)
            self._tags[key] = {tag.key: tuple(s for s, _ in tag.memberships) for tag in tags}
        return self._tags[key]


def tested_images(catalog: Catalog) -> Tested:
    """Return the test images of all released versions, read from git."""
    history = History(catalog)
    return Tested(history.tested(), tuple(sorted(history.unread)))


def _distances(stored: "npt.NDArray[np.uint64]", one: int) -> "npt.NDArray[np.uint8]":
    """Return the number of bits in which each of 64-bit hashes differs from ``one``."""
    import numpy as np

    return np.asarray(np.bitwise_count(stored ^ np.uint64(one)), np.uint8)
