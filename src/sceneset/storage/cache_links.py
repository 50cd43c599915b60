"""Recognize the links into DVC's cache that `cache.type` symlink puts into tracked folders."""

import re
import stat
from functools import cache, cached_property
from pathlib import Path

from sceneset.storage.dvc import Project

_NAME = re.compile(r"[0-9a-f]{30}")
_PREFIX = re.compile(r"[0-9a-f]{2}")


class CacheLinks:
    """The links into the cache of one project.

    The project is opened when the first link is found: with other cache types there is none.
    """

    def __init__(self, root: Path) -> None:
        """Take the project at ``root``."""
        self._root = root
        self._real_folder = cache(Path.resolve)  # of the 256 folders of the cache

    @cached_property
    def _blobs(self) -> Path:
        """The folder of the cache that holds all blobs, without links in its path."""
        return Project(self._root).blob_path("0" * 32).parent.parent.resolve()

    def is_blob(self, link: str) -> bool:
        """Return whether a link leads to a blob of the cache: a regular file that exists."""
        path = Path(link)
        try:
            target = path.parent / path.readlink()
            folder = self._real_folder(target.parent)
            return (
                folder.parent == self._blobs
                and _PREFIX.fullmatch(folder.name) is not None
                and _NAME.fullmatch(target.name) is not None
                and stat.S_ISREG(target.lstat().st_mode)
            )
        except OSError:
            return False
