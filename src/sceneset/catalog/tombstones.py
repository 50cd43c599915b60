"""Read and write registry/forgotten.yaml, the tombstones of withdrawn images.

A released version does not contain the tombstones of images that were withdrawn after it. So a
reader of a version also reads the tombstones of the working tree and of the default branch.
"""

from collections.abc import Iterable
from pathlib import Path

from sceneset.schemas.tombstone import Tombstone, TombstoneFile
from sceneset.storage.git import git
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


def tombstones_on_branches(repo: Path, prefix: str = "") -> Tombstones:
    """Return the tombstones of the current branch and of origin's default branch.

    Args:
        repo: A git repository on this machine.
        prefix: The registry's folder in the repository with a trailing slash; "" for the top.

    Raises:
        FindingsError: A file can't be read.
        GitError: A file can't be fetched.
    """
    found: Tombstones = {}
    for name in ("HEAD", _default_branch_of_origin(repo)):
        # A partial clone has all trees but may have to fetch the file, so a file that is listed
        # must be readable: a failed fetch is not the same as no tombstones.
        if name and git(
            repo, "ls-tree", "--full-tree", name, "--", f"{prefix}{TOMBSTONES_FILE}", check=False
        ):
            text = git(repo, "show", f"{name}:{prefix}{TOMBSTONES_FILE}")
            found |= _by_image(loads(text, TombstoneFile, f"{name}:{TOMBSTONES_FILE}")[0])
    return found


def _default_branch_of_origin(repo: Path) -> str:
    """Return origin's default branch as last fetched; "" if there is none."""
    names = [f"refs/remotes/origin/{name}" for name in ("HEAD", "main", "master")]
    existing = git(repo, "for-each-ref", "--format=%(refname)", *names).split()
    return next((name for name in names if name in existing), "")


def _by_image(file: TombstoneFile) -> Tombstones:
    return {tombstone.image: tombstone for tombstone in file.forgotten}


def tombstones_text(tombstones: Iterable[Tombstone]) -> str:
    """Return the text of the file, sorted by hash, so that changes on two branches merge."""
    ordered = sorted(tombstones, key=lambda tombstone: tombstone.image)
    rows = [tombstone.model_dump(mode="json", exclude_defaults=True) for tombstone in ordered]
    return dump_yaml({"forgotten": rows}, schema="../schemas/json/forgotten.json")
