"""Snapshots: the text files of a commit, extracted into a cache folder that nothing changes."""

import configparser
import posixpath
from pathlib import Path

from sceneset.paths import DATA_ROOT
from sceneset.storage.files import atomic_folder, write_text
from sceneset.storage.git import git
from sceneset.storage.user_cache import cache_folder

_PATHS = ("params.yaml", "registry", DATA_ROOT, ".dvc")


def snapshot(repo: Path, prefix: str, commit: str, *, is_project: bool) -> Path:
    """Return the folder with the text files of a commit, extracted on first use.

    Args:
        repo: The git repository; its index and working tree are not touched.
        prefix: The registry's folder in the repository, with a slash at its end, or "".
        commit: The commit to extract.
        is_project: Whether the snapshot must work as a DVC project of its own, because no working
            tree provides one: then remotes inside the repository are extracted too.
    """
    # Named after the tree, so that commits with equal files share a folder.
    tree = git(repo, "rev-parse", f"{commit}^{{tree}}").strip()
    folder = cache_folder() / ("projects" if is_project else "trees") / tree
    if not folder.exists():
        _extract(repo, prefix, commit, folder, is_project=is_project)
    return folder


def _extract(repo: Path, prefix: str, commit: str, folder: Path, *, is_project: bool) -> None:
    """Create ``folder`` with the text files of a commit, atomically."""
    listed = git(repo, "ls-tree", "--full-tree", "--name-only", "-z", f"{commit}:{prefix}")
    wanted = [path for path in _PATHS if path in listed.split("\0")]
    if is_project:
        config = git(repo, "show", f"{commit}:{prefix}.dvc/config", check=False)
        wanted += [
            path
            for path in _embedded_remotes(config)
            if git(repo, "ls-tree", "--full-tree", commit, "--", f"{prefix}{path}")
        ]
    try:
        with atomic_folder(folder, mode=0o700) as temporary:
            if wanted:
                _checkout(repo, commit, [f"{prefix}{path}" for path in wanted], temporary)
            if is_project:  # all projects known by URL share one cache of blobs
                (temporary / prefix / ".dvc").mkdir(parents=True, exist_ok=True)
                local = f"[cache]\n    dir = {cache_folder() / 'blobs'}\n"
                write_text(temporary / prefix / ".dvc/config.local", local)
    except OSError:
        if not folder.exists():  # otherwise another process has created the same folder
            raise


def _checkout(repo: Path, commit: str, paths: list[str], folder: Path) -> None:
    """Write files of a commit below ``folder``."""
    index = folder / ".index"
    # A separate index keeps the repository's unchanged. In a partial clone, checkout fetches all
    # missing objects at once.
    options = (
        # A symbolic link in a foreign repository could point at any file of this machine.
        *("-c", "core.symlinks=false"),
        f"--work-tree={folder}",
    )
    pathspecs = [f":(top,literal){path}" for path in paths]
    words = (*options, "checkout", "--quiet", commit, "--", *pathspecs)
    git(repo, *words, env={"GIT_INDEX_FILE": str(index)})
    index.unlink()


def _embedded_remotes(config: str) -> list[str]:
    """Return the folders of remotes inside the repository, from the text of .dvc/config."""
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(config)
    except configparser.Error:
        return []
    urls = [parser[section].get("url", "") for section in parser.sections()]
    inside = [url for url in urls if url and "://" not in url and not url.startswith("/")]
    folders = [posixpath.normpath(f".dvc/{url}") for url in inside]
    return [folder for folder in folders if not folder.startswith(("..", "/"))]
