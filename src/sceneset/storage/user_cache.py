"""The user's cache folder: clones, old revisions and blobs, all of which can be created again."""

import os
from pathlib import Path

PROJECTS = "projects"
"""The folder of revisions that work as DVC projects: registries that were opened by URL."""

STREAM = "stream"
"""The folder of blobs that training read by hash."""


def cache_folder() -> Path:
    """Return SCENESET_CACHE_DIR, or "sceneset" in the platform's folder for user caches."""
    import platformdirs

    configured = os.environ.get("SCENESET_CACHE_DIR")
    if configured:
        # Child processes, and DVC's configuration, have other working folders.
        return Path(configured).expanduser().absolute()
    return Path(platformdirs.user_cache_dir("sceneset"))


def is_in_cache(path: Path) -> bool:
    """Return whether a path is in the user's cache folder."""
    return path.absolute().is_relative_to(cache_folder())


def shared_blobs(project: Path) -> Path | None:
    """Return the cache of blobs that a project must use, or None if it uses its own.

    All registries that were opened by URL share one.
    """
    folder = cache_folder()
    return folder / "blobs" if project.is_relative_to(folder / PROJECTS) else None


def cached_copies(md5: str) -> list[Path]:
    """Return the paths in the cache folder that may hold a blob, whether they exist or not."""
    folder, place = cache_folder(), f"{md5[:2]}/{md5[2:]}"
    # Blobs of registries that were opened by URL, remotes inside such a registry, and training.
    copies = [folder / "blobs/files/md5" / place, folder / STREAM / place]
    copies += (folder / PROJECTS).glob(f"*/**/files/md5/{place}")
    return copies
