"""Read and write registry/forgotten.yaml, the tombstones of withdrawn images.

A released version does not contain the tombstones of images that were withdrawn after it. So a
reader also reads the tombstones of all branches: a withdrawal on any branch counts.
"""

from collections.abc import Iterable
from pathlib import Path

from sceneset.errors import GitError
from sceneset.schemas.tombstone import Tombstone, TombstoneFile
from sceneset.storage.git import git
from sceneset.storage.git_trees import branch_commits, find_file, read_objects
from sceneset.storage.yaml_files import dump_yaml, load, loads

TOMBSTONES_FILE = "registry/forgotten.yaml"
MAX_COPY_DISTANCE = 8
"""Bits of 64 in which the perceptual hashes of two copies of one image may differ.

With this limit, no two different images of a set of 603 counted as copies.
"""

Tombstones = dict[str, Tombstone]
"""Tombstones by the content hash of the image."""


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
    """Return the tombstones of HEAD and of all branches, local and as last fetched from origin.

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
        objects = find_file(repo, commits, f"{prefix}{TOMBSTONES_FILE}")
        for oid, data in read_objects(repo, objects):
            shown = f"{_short(objects[oid][0])}:{TOMBSTONES_FILE}"
            text = data.decode("utf-8", "replace")
            found = _by_image(loads(text, TombstoneFile, shown)[0]) | found
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


def _short(ref: str) -> str:
    return ref.removeprefix("refs/heads/").removeprefix("refs/remotes/")


def _by_image(file: TombstoneFile) -> Tombstones:
    return {tombstone.image: tombstone for tombstone in file.forgotten}


def tombstones_text(tombstones: Iterable[Tombstone]) -> str:
    """Return the text of the file, sorted by hash, so that changes on two branches merge."""
    ordered = sorted(tombstones, key=lambda tombstone: tombstone.image)
    rows = [tombstone.model_dump(mode="json", exclude_defaults=True) for tombstone in ordered]
    return dump_yaml({"forgotten": rows}, schema="../schemas/json/forgotten.json")
