"""The user's cache folder: clones, old revisions and blobs, all of which can be created again."""

import os
from pathlib import Path


def cache_folder() -> Path:
    """Return SCENESET_CACHE_DIR, or "sceneset" in the platform's folder for user caches."""
    import platformdirs

    configured = os.environ.get("SCENESET_CACHE_DIR")
    return Path(configured) if configured else Path(platformdirs.user_cache_dir("sceneset"))
