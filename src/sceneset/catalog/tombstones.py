"""Read and write registry/forgotten.yaml, the tombstones of withdrawn images.

A released version does not contain the tombstones of images that were withdrawn after it. So a
reader also reads the tombstones of all branches, and those of earlier commits that nobody took
back: a withdrawal counts on whatever branch, and in whatever folder of the repository it is.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sceneset.catalog.past_tombstones import Place, past_tombstones
from sceneset.counts import counted
from sceneset.errors import GitError
from sceneset.schemas.finding import Finding, finding
from sceneset.schemas.tombstone import Tombstone, TombstoneFile
from sceneset.storage.git import git, read_object
from sceneset.storage.git_trees import branch_commits, find_file, read_objects
from sceneset.storage.yaml_files import dump_yaml, load, loads

if TYPE_CHECKING:
    import pyarrow as pa

TOMBSTONES_FILE = "registry/forgotten.yaml"
MAX_COPY_DISTANCE = 8
"""Bits of 64 in which the perceptual hashes of two copies of one image may differ.

With this limit, no two different images of a set of 603 counted as copies.
"""

_MAX_LISTED = 3  # hashes that a message lists

Tombstones = dict[str, Tombstone]
"""Tombstones by the content hash of the image."""


class Withdrawn:
    """Answers which images are withdrawn: a file with the same pixels is the same picture."""

    def __init__(self, tombstones: Tombstones) -> None:
        self.files = tombstones
        """Tombstones by the content hash of the image."""
        self.pictures = {t.picture: t for t in tombstones.values() if t.picture}
        """Tombstones by the digest of the pixels as shown."""

    def tombstone_of(self, image_md5: str, picture: str | None) -> Tombstone | None:
        """Return the tombstone of an image, or None if it is not withdrawn.

        Args:
            image_md5: The content hash of the image file.
            picture: The digest of its pixels as shown; None or "" in scans that have none.
        """
        return self.files.get(image_md5) or self.pictures.get(picture or "")

    def mask_of(self, scan: "pa.Table") -> "pa.ChunkedArray":
        """Return for each row of a scan, which has image_md5 and picture, if it is withdrawn."""
        import pyarrow as pa
        import pyarrow.compute as pc

        files, pictures = (
            pa.array([bytes.fromhex(digest) for digest in known], pa.binary(16))
            for known in (self.files, self.pictures)
        )
        return pc.or_(pc.is_in(scan["image_md5"], files), pc.is_in(scan["picture"], pictures))

    def rows_of(self, scan: "pa.Table") -> Iterator[tuple[dict[str, Any], Tombstone]]:
        """Yield the rows of withdrawn images of a scan, which has image_md5 and picture."""
        for row in scan.filter(self.mask_of(scan)).to_pylist():
            tombstone = self.tombstone_of(row["image_md5"].hex(), (row["picture"] or b"").hex())
            assert tombstone, "the same comparison found the row"
            yield row, tombstone


def read_tombstones(root: Path) -> Tombstones:
    """Return the tombstones of a registry; none if the file does not exist.

    Raises:
        FindingsError: The file can't be read.
    """
    path = root / TOMBSTONES_FILE
    return _by_image(load(path, TombstoneFile, TOMBSTONES_FILE)) if path.exists() else {}


def tombstones_around(root: Path) -> Tombstones:
    """Return the tombstones on the branches of the repository that a working tree belongs to.

    A folder that is in no git repository has none, and neither has a repository without commits.

    Raises:
        FindingsError, GitError: See ``tombstones_on_branches``.
    """
    try:
        folder = git(root, "rev-parse", "--show-prefix", "--git-dir", check=False)
    except OSError:  # git is not installed
        return {}
    prefix = folder.partition("\n")[0]
    return tombstones_on_branches(root, prefix) if folder and branch_commits(root) else {}


def tombstones_on_branches(repo: Path, prefix: str = "") -> Tombstones:
    """Return the tombstones of a repository.

    These are the tombstones of HEAD and of all branches, local and as last fetched, and those that
    an earlier commit of a branch or tag added, unless a later commit removed them on purpose.

    Args:
        repo: A git repository on this machine.
        prefix: The registry's folder in the repository with a trailing slash; "" for the top.

    Raises:
        FindingsError: A file can't be read.
        GitError: There is no branch, or an object of one is missing or can't be fetched: a failed
            read is not the same as no tombstones.
    """
    found: Tombstones = {}
    try:
        commits = branch_commits(repo)
        past = past_tombstones(repo)
        for path in sorted({f"{prefix}{TOMBSTONES_FILE}", *past.paths}):
            objects = find_file(repo, commits, path)
            for oid, data in read_objects(repo, objects):
                shown = f"{_short(objects[oid][0])}:{path.removeprefix(prefix)}"
                found = _by_image(_parse(data, shown)) | found
        for place, images in past.places_of(past.places.keys() - found.keys()).items():
            found |= _tombstones_at(repo, place, images)
    except GitError as error:
        raise GitError(
            f"the withdrawals of {repo} can't be read ({error}), so withdrawn images could come "
            "back. Fetch the branches again, or repair the repository (`git fsck` lists what is "
            "missing)"
        ) from None
    if not commits:
        raise GitError(
            f"{repo} has no branch, so its withdrawals are unknown and withdrawn images could come "
            "back. Push a branch of the registry to it"
        )
    return found


def _tombstones_at(repo: Path, place: Place, images: set[str]) -> Tombstones:
    """Return the tombstones of some images in an earlier commit."""
    data = read_object(repo, str(place))
    shown = f"{place.commit[:12]}:{place.path}"
    found = _by_image(_parse(data, shown))
    return {md5: tombstone for md5, tombstone in found.items() if md5 in images}


def _parse(data: bytes, shown: str) -> TombstoneFile:
    return loads(data.decode("utf-8", "replace"), TombstoneFile, shown)[0]


def parse_tombstones(text: str, shown: str) -> Tombstones:
    """Return the tombstones in the text of a file; none if it is empty.

    Raises:
        FindingsError: The text is not a file of tombstones.
    """
    return _by_image(loads(text, TombstoneFile, shown)[0]) if text.strip() else {}


def lost_tombstone_findings(root: Path) -> list[Finding]:
    """Return a finding for each commit with tombstones that a merge into HEAD dropped.

    Raises:
        FindingsError: The file of the working tree can't be read.
        GitError: An object of HEAD's history is missing.
    """
    try:
        head = git(root, "rev-parse", "--verify", "--quiet", "HEAD^{commit}", check=False).strip()
    except OSError:  # git is not installed
        return []
    if not head:
        return []
    past = past_tombstones(root, [head])
    lost = past.places.keys() - read_tombstones(root).keys()
    if lost:  # if a tombstone is still in HEAD, somebody is removing it on purpose
        for _, data in read_objects(root, _objects_at(root, head, past.paths)):
            lost -= _by_image(_parse(data, TOMBSTONES_FILE)).keys()
    return [
        finding(
            "tombstone-lost",
            f"a merge dropped {counted(len(images), 'tombstone')} of commit {place.commit[:12]}: "
            f"{', '.join(sorted(images)[:_MAX_LISTED])}",
            file=TOMBSTONES_FILE,
            hint=f"copy the rows from `git show {place.commit[:12]}:{place.path}`",
        )
        for place, images in past.places_of(lost).items()
    ]


def _objects_at(root: Path, commit: str, paths: Iterable[str]) -> list[str]:
    return [oid for path in sorted(paths) for oid in find_file(root, {"HEAD": commit}, path)]


def _short(ref: str) -> str:
    return ref.removeprefix("refs/heads/").removeprefix("refs/remotes/")


def _by_image(file: TombstoneFile) -> Tombstones:
    return {tombstone.image: tombstone for tombstone in file.forgotten}


def tombstones_text(tombstones: Iterable[Tombstone]) -> str:
    """Return the text of the file, sorted by hash, so that changes on two branches merge."""
    ordered = sorted(tombstones, key=lambda tombstone: tombstone.image)
    rows = [tombstone.model_dump(mode="json", exclude_defaults=True) for tombstone in ordered]
    return dump_yaml({"forgotten": rows}, schema="../schemas/json/forgotten.json")
