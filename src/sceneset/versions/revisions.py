"""Registries opened at a version, tag, branch or commit, without a checkout.

The text files of a revision are extracted once into a cache folder, and read there like those of
any registry. The working tree and its index are never touched.
"""

from functools import partial
from pathlib import Path

from sceneset.catalog.reader import Catalog, Origin
from sceneset.errors import NoRegistryError, UsageError
from sceneset.paths import has_no_working_tree, is_url, split_repo, without_userinfo
from sceneset.progress import Progress, no_progress, one_step
from sceneset.storage.git import git
from sceneset.versions.mirror import updated_mirror
from sceneset.versions.resolve import resolve
from sceneset.versions.snapshot import snapshot


def open_state(
    repo: str | Path = ".", rev: str | None = None, *, progress: Progress = no_progress
) -> Catalog:
    """Return a working tree, or a revision of it, or the registry at a URL.

    Args:
        repo: A folder inside the registry; or the URL of a git repository, or the path of a bare
            one, with ``//folder`` at its end if the registry is in a folder of the repository.
        rev: A version number, tag, branch or commit. None means the working tree, or HEAD of a
            URL or bare repository.
        progress: Called by what goes over all subsets, versions or images.

    Raises:
        NoRegistryError: There is no registry.
        UnknownRevisionError: The revision does not exist, or the URL can't be reached.
    """
    if rev is None and not has_no_working_tree(str(repo)):
        return Catalog.find(repo, progress=progress)
    return open_at(repo, rev, progress=progress)


def open_at(repo: str | Path, rev: str | None, *, progress: Progress = no_progress) -> Catalog:
    """Return the registry of a folder or URL at a revision; None means HEAD.

    Raises:
        NoRegistryError: There is no registry.
        UnknownRevisionError: The revision does not exist, or the URL can't be reached.
    """
    # An empty string is an unset shell variable: an error, not HEAD.
    name = "HEAD" if rev is None else rev
    if has_no_working_tree(str(repo)):
        base, folder = split_repo(str(repo))
        if {".", "..", ".git"} & set(folder.split("/")):
            raise UsageError(f"{folder} is not a folder of a repository")
        local = Path(base).resolve()
        if is_url(base):
            local = one_step(progress, "get the registry", partial(updated_mirror, base))
        prefix = f"{folder}/" if folder else ""
        source = without_userinfo(str(repo))
        return _open(local, prefix, name, source=source, progress=progress)
    here = Catalog.find(repo)
    prefix = git(here.root, "rev-parse", "--show-prefix").strip()
    source = str(here.root)
    return _open(here.root, prefix, name, source=source, project=here.root, progress=progress)


def open_in_same_repository(catalog: Catalog, rev: str) -> Catalog:
    """Return another revision of the repository that a registry was read from.

    Raises:
        UnknownRevisionError: The revision does not exist.
    """
    origin = catalog.origin
    if origin is None:
        return open_at(catalog.root, rev, progress=catalog.progress)
    project = catalog.project if catalog.project != catalog.root else None
    return _open(
        origin.git,
        origin.prefix,
        rev,
        source=origin.repo,
        project=project,
        progress=catalog.progress,
    )


def _open(
    repo: Path,
    prefix: str,
    rev: str,
    *,
    source: str,
    project: Path | None = None,
    progress: Progress,
) -> Catalog:
    commit = resolve(repo, rev, prefix)
    scenes = f"{prefix}registry/scenes.yaml"
    if not git(repo, "ls-tree", "--full-tree", "--name-only", commit, "--", scenes):
        raise NoRegistryError(_no_registry(repo, commit, rev, source))
    root = snapshot(repo, prefix, commit, is_project=project is None) / prefix
    origin = Origin(source, repo, prefix, rev, commit)
    return Catalog(root, project=project, origin=origin, progress=progress)


def _no_registry(repo: Path, commit: str, rev: str, source: str) -> str:
    """Return the message that a revision contains no registry, with the folders that do."""
    message = f"revision {rev} of {source} contains no registry"
    end = "/registry/scenes.yaml"
    listed = git(repo, "ls-tree", "-r", "--full-tree", "--name-only", "-z", commit).split("\0")
    folders = [path.removesuffix(end) for path in listed if path.endswith(end)]
    if not folders:
        return message
    base = split_repo(source)[0] if has_no_working_tree(source) else source
    places = " or ".join(f"{base}//{folder}" for folder in folders[:3])
    return f"{message} in this folder. To read the one of another folder, use {places}"
