"""What was withdrawn: registry/forgotten.yaml, as it stands and as other revisions have it.

A version that is pinned knows nothing of what was withdrawn after it; so whoever reads one also
heeds the tombstones of the working tree and of the branch the repository shows first.
"""

from collections.abc import Iterable
from pathlib import Path

import yaml

from sceneset.schemas.tombstone import Forgotten, Tombstone
from sceneset.storage.git import git
from sceneset.storage.yaml_files import load, loads

FILE = "registry/forgotten.yaml"
NEAR = 8
"""Bits in which the perceptual hashes of two copies of one picture may differ: up to here no two
different pictures among 603 were taken for one."""
_HEAD = "# yaml-language-server: $schema=../schemas/json/forgotten.json\n"

Tombstones = dict[str, Tombstone]
"""By the image's content hash."""


def in_folder(root: Path) -> Tombstones:
    """Return the tombstones of a registry's folder; none where there is no such file.

    Raises:
        ProblemsFoundError: the file can't be read.
    """
    path = root / FILE
    return _by_image(load(path, Forgotten, FILE)) if path.exists() else {}


def on_branches(repo: Path, prefix: str = "") -> Tombstones:
    """Return the tombstones of the branch that is checked out, and of the one origin shows first.

    Raises:
        ProblemsFoundError: such a file can't be read.
        GitError: such a file can't be fetched.
    """
    found: Tombstones = {}
    for name in ("HEAD", _first_of_origin(repo)):
        # Trees are always there, where blobs may have to be fetched: what is listed must be read.
        if name and git(repo, "ls-tree", "--full-tree", name, "--", f"{prefix}{FILE}", check=False):
            text = git(repo, "show", f"{name}:{prefix}{FILE}")
            found |= _by_image(loads(text, Forgotten, f"{name}:{FILE}")[0])
    return found


def _first_of_origin(repo: Path) -> str:
    """Return the branch that origin shows first, as it was last fetched; "" if there is none."""
    names = [f"refs/remotes/origin/{name}" for name in ("HEAD", "main", "master")]
    there = git(repo, "for-each-ref", "--format=%(refname)", *names).split()
    return next((name for name in names if name in there), "")


def _by_image(file: Forgotten) -> Tombstones:
    return {stone.image: stone for stone in file.forgotten}


def text_of(stones: Iterable[Tombstone]) -> str:
    """Return the file's text: sorted by hash, so that branches merge."""
    ordered = sorted(stones, key=lambda stone: stone.image)
    if not ordered:
        return f"{_HEAD}forgotten: []\n"
    rows = [stone.model_dump(mode="json", exclude_defaults=True) for stone in ordered]
    body = {"forgotten": rows}
    return _HEAD + yaml.safe_dump(body, sort_keys=False, allow_unicode=True, width=1000)
