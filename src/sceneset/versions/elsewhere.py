"""Find the versions that have samples missing in a state, for messages."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sceneset.catalog.reader import Catalog
from sceneset.errors import FindingsError
from sceneset.schemas.scene import Vocabulary
from sceneset.storage.git import git
from sceneset.storage.yaml_files import loads
from sceneset.versions.records import tagged_versions
from sceneset.versions.resolve import ARTIFACT

_MAX_VERSIONS = 20
"""Versions that are searched, newest first: a mirror without blobs downloads two files of each."""


class _Words(NamedTuple):
    """A query as users type it."""

    scenes: tuple[str, ...]
    persons: str | None
    phases: frozenset[str]
    subsets: tuple[str, ...]


def versions_with(
    catalog: Catalog,
    scenes: Sequence[str] = (),
    *,
    persons: str | None = None,
    phases: Iterable[str] = (),
    subsets: Iterable[str] = (),
) -> list[str]:
    """Return the numbers of the versions that have samples which a query selects, newest first.

    The names are resolved with the vocabulary and the subsets of each version. Versions are found
    by their tags; those that can't be read are left out.

    Args:
        catalog: A state of the registry.
        scenes: Scenes, as users type them, like ``persons``, ``phases`` and ``subsets``.
        persons: "single" or "multi".
        phases: "train", "val", "test".
        subsets: Names of subsets, or parts of names.
    """
    origin = catalog.origin
    repo = origin.git if origin else catalog.root
    prefix = origin.prefix if origin else git(repo, "rev-parse", "--show-prefix", check=False)
    words = _Words(tuple(scenes), persons, frozenset(phases), tuple(subsets))
    return [
        str(version)
        for version in tagged_versions(repo)[: -_MAX_VERSIONS - 1 : -1]
        if _has_samples(repo, f"refs/tags/{ARTIFACT}@v{version}:{prefix.strip()}registry", words)
    ]


def _has_samples(repo: Path, registry: str, words: _Words) -> bool:
    """Return whether the version with this registry folder has samples that the words select."""
    try:
        vocabulary = _vocabulary(repo, f"{registry}/scenes.yaml")
        keys = {vocabulary.find(scene) for scene in words.scenes}
        parts = json.loads(git(repo, "cat-file", "blob", f"{registry}/manifest.json", check=False))
        return None not in keys and any(
            _selects(part, keys, words)
            for name, part in parts["subsets"].items()
            if not words.subsets
            or any(word.casefold() in name.casefold() for word in words.subsets)
        )
    except (FindingsError, ValueError, LookupError, TypeError, AttributeError):
        return False  # no version of a registry, or one that can't be read


def _vocabulary(repo: Path, path: str) -> Vocabulary:
    return loads(git(repo, "cat-file", "blob", path, check=False), Vocabulary, path)[0]


def _selects(part: dict[str, Any], keys: set[str | None], words: _Words) -> bool:
    """Return whether a subset of a manifest has samples that the words select."""
    persons, phases = words.persons, words.phases
    if not keys and persons is None:
        return any(n for phase, n in part["samples"].items() if not phases or phase in phases)
    return any(
        row["images"]
        and (not keys or row["scene"] in keys)
        and persons in {None, row["persons"]}
        and (not phases or row["phase"] in phases)
        for row in part["splits"].values()
    )
