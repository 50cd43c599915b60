"""The files that make up a state of the registry: what a commit must hold to be released."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from sceneset.catalog.reader import Catalog
from sceneset.paths import DATA_ROOT

_SINGLE = (
    *("params.yaml", "dvc.yaml", "dvc.lock", ".dvc/config", ".dvcignore", ".gitattributes"),
    *("registry/scenes.yaml", "registry/forgotten.yaml", "registry/waivers.yaml"),
    "registry/manifest.json",
)
_FOLDERS = {
    "registry/subsets": (".yaml",),
    "registry/tags": (".csv",),
    "registry/lineage": (".csv",),
    "registry/deliveries": (".csv",),
    "registry/crops": (".csv",),
    "registry/scans": (".parquet",),
    "registry/stats": (".yaml",),
    "registry/reports": (".json",),
    "registry/cards": (".md", ".html"),
    "registry/versions": (".yaml",),
}
"""Folders of the registry, and the suffixes of the files in them that belong to a state."""


def state_folders(catalog: Catalog) -> dict[str, tuple[str, ...]]:
    """Return the folders with files of the state, and the suffixes of these files."""
    folders = dict(_FOLDERS)
    for name in catalog.names:
        folders[f"{DATA_ROOT}/{name}"] = (".dvc",)
        folders[f"{DATA_ROOT}/{name}/split_dir"] = (".txt",)
    return folders


def is_state_file(path: str, folders: dict[str, tuple[str, ...]]) -> bool:
    """Return whether a path, relative to the root, is that of a file of the state."""
    folder, _, name = path.rpartition("/")
    return path in _SINGLE or _belongs(name, folders.get(folder, ()))


def _belongs(name: str, suffixes: tuple[str, ...]) -> bool:
    return name.endswith(suffixes) and not name.startswith(".")


def state_files(catalog: Catalog) -> list[str]:
    """Return the files of the state in the working tree, relative to the root, sorted."""
    found = [name for name in _SINGLE if os.path.lexists(catalog.root / name)]
    for folder, suffixes in state_folders(catalog).items():
        found += (
            f"{folder}/{name}" for name in _names(catalog.root / folder) if _belongs(name, suffixes)
        )
    return sorted(found)


def _names(folder: Path) -> Iterator[str]:
    try:
        with os.scandir(folder) as entries:
            yield from (entry.name for entry in entries if not entry.is_dir(follow_symlinks=False))
    except (FileNotFoundError, NotADirectoryError):
        return


def subset_state_files(name: str, split_files: Iterable[str]) -> list[str]:
    """Return the files of the state that a new subset will have, relative to the root."""
    return [
        f"registry/subsets/{name}.yaml",
        f"registry/tags/{name}.csv",
        f"registry/scans/{name}.parquet",
        f"registry/stats/{name}.yaml",
        *(f"{DATA_ROOT}/{name}/{folder}.dvc" for folder in ("img_dir", "ann_dir")),
        *(f"{DATA_ROOT}/{name}/split_dir/{file}" for file in split_files),
    ]
