"""Snapshots: the text files of a commit, extracted into a cache folder that nothing changes."""

from pathlib import Path

from sceneset.errors import DvcError
from sceneset.paths import DATA_ROOT
from sceneset.storage.files import atomic_folder, md5_of
from sceneset.storage.foreign_config import (
    MAX_CONFIG,
    ForeignConfig,
    config_text,
    embedded_remotes,
    read_foreign_config,
)
from sceneset.storage.git import git, without_filters
from sceneset.storage.user_cache import PROJECTS, cache_folder

# Nothing of .dvc: the configuration of a project is written here, see `foreign_config`.
_PATHS = ("params.yaml", "registry", DATA_ROOT)
_FORMAT = "2-"
"""Prefix of a project's folder. Releases before 0.2 extracted whole configurations."""


def snapshot(repo: Path, prefix: str, commit: str, *, is_project: bool) -> Path:
    """Return the folder with the text files of a commit, extracted on first use.

    Args:
        repo: The git repository; its index and working tree are not touched.
        prefix: The registry's folder in the repository, with a slash at its end, or "".
        commit: The commit to extract.
        is_project: Whether the snapshot must work as a DVC project of its own, because no working
            tree provides one: then remotes inside the repository are extracted too.
    """
    # Named after the tree, so that commits with equal files share a folder. One repository can
    # hold several registries, so the name contains the folder of the registry too.
    name = git(repo, "rev-parse", f"{commit}^{{tree}}").strip()
    if prefix:
        name += f"-{md5_of(prefix.encode())}"
    place = f"{PROJECTS}/{_FORMAT}{name}" if is_project else f"trees/{name}"
    folder = cache_folder() / place
    if not folder.exists():
        _extract(repo, prefix, commit, folder, is_project=is_project)
    return folder


def _extract(repo: Path, prefix: str, commit: str, folder: Path, *, is_project: bool) -> None:
    """Create ``folder`` with the text files of a commit, atomically."""
    listed = git(repo, "ls-tree", "--full-tree", "--name-only", "-z", f"{commit}:{prefix}")
    wanted = [path for path in _PATHS if path in listed.split("\0")]
    if is_project:
        config = foreign_config(repo, prefix, commit)
        wanted += [
            path
            for path in embedded_remotes(config)
            if git(repo, "ls-tree", "--full-tree", commit, "--", f"{prefix}{path}")
        ]
    try:
        with atomic_folder(folder, mode=0o700) as temporary:
            if wanted:
                _checkout(repo, commit, [f"{prefix}{path}" for path in wanted], temporary)
            if is_project:
                (temporary / prefix / ".dvc").mkdir(parents=True)
                (temporary / prefix / ".dvc/config").write_bytes(config_text(config))
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
    git(repo, *words, env={**without_filters(repo), "GIT_INDEX_FILE": str(index)})
    index.unlink()


def foreign_config(repo: Path, prefix: str, commit: str) -> ForeignConfig:
    """Return what is used of the DVC configuration of a commit of somebody else's repository.

    Raises:
        DvcError: The configuration is too large, or can't be read.
    """
    path = f"{commit}:{prefix}.dvc/config"
    size = git(repo, "cat-file", "-s", path, check=False).strip()
    if size.isdigit() and int(size) > MAX_CONFIG:
        raise DvcError(f"the repository's .dvc/config is larger than {MAX_CONFIG:,} bytes")
    # `git show` would run a textconv program; cat-file gives the bytes of the file.
    return read_foreign_config(git(repo, "cat-file", "blob", path, check=False))
