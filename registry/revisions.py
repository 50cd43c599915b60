"""Revisions: a registry as it stood at a version, tag, branch or commit, without a checkout.

The text files of a revision are put once into a cache folder named after their git tree; from
there they are read like any registry. The working tree and its index are never touched.
"""

import configparser
import difflib
import hashlib
import os
import posixpath
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from sceneset.registry.catalog import DATA_ROOT, NoRegistryError, Registry

ARTIFACT = "insta360-semantic-seg"
"""What versions are versions of: their tags are called insta360-semantic-seg@v1.2.0."""

_VERSION = re.compile(r"v?(\d+\.\d+\.\d+)")
_TEXT = ("params.yaml", "registry", DATA_ROOT, ".dvc")


class UnknownRevisionError(Exception):
    """A revision nobody knows, or a repository that can't be had; the message says what to do."""


def open_at(repo: str | Path, rev: str | None) -> Registry:
    """Return the registry of ``repo``, a folder or a URL, as it stands, or stood at ``rev``.

    Raises:
        NoRegistryError: there is no registry.
        UnknownRevisionError: the revision is not known, or the URL can't be reached.
    """
    if is_url(str(repo)):
        return _at(_mirror(str(repo)), "", rev or "HEAD", project=None)
    here = Registry.open(repo)
    prefix = git(here.root, "rev-parse", "--show-prefix").strip()
    return _at(here.root, prefix, rev or "HEAD", project=here.root)


def resolve(repo: Path, rev: str, prefix: str = "") -> str:
    """Return the commit of a version number, tag, branch or commit.

    A version is found by its tag, or, where tags were not fetched, by the commit that added its
    record.
    """
    match = _VERSION.fullmatch(rev)
    for name in (*([f"refs/tags/{ARTIFACT}@v{match[1]}"] if match else []), rev):
        words = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
        found = git(repo, *words, check=False).strip()
        if found:
            return found
    if match:
        record = f":(top){prefix}registry/versions/{match[1]}.yaml"
        added = git(repo, "log", "--all", "--diff-filter=A", "--format=%H", "--", record).split()
        if added:
            return added[-1]
    raise UnknownRevisionError(f"no revision is called {rev!r}. {_nearest(repo, rev)}")


def _nearest(repo: Path, rev: str) -> str:
    refs = git(repo, "for-each-ref", "--format=%(refname:short)", "refs/tags", "refs/heads")
    short = [name.removeprefix(f"{ARTIFACT}@v") for name in refs.split()]
    near = difflib.get_close_matches(rev.removeprefix("v"), short, n=3, cutoff=0.3) or short[:5]
    return f"Nearest: {', '.join(near)}." if near else "There is no tag or branch yet."


def _at(repo: Path, prefix: str, rev: str, *, project: Path | None) -> Registry:
    commit = resolve(repo, rev, prefix)
    tree = git(repo, "rev-parse", f"{commit}^{{tree}}").strip()
    kind = "trees" if project else "projects"
    folder = cache_folder() / kind / tree
    if not folder.exists():
        _extract(repo, prefix, commit, folder, with_remotes=project is None)
    if not (folder / prefix / "registry/scenes.yaml").is_file():
        raise NoRegistryError(f"{rev} of {repo} holds no registry")
    return Registry(folder / prefix, project=project)


def _extract(repo: Path, prefix: str, commit: str, folder: Path, *, with_remotes: bool) -> None:
    """Put the text files of a commit into ``folder``, whole or not at all."""
    listed = git(repo, "ls-tree", "--full-tree", "--name-only", "-z", f"{commit}:{prefix}")
    wanted = [path for path in _TEXT if path in listed.split("\0")]
    if with_remotes:
        wanted += _embedded_remotes(git(repo, "show", f"{commit}:{prefix}.dvc/config", check=False))
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".new-"))
    try:
        if wanted:
            # An index of its own leaves the repository's alone, and checkout fetches what a
            # partial clone lacks in one go.
            own = {"GIT_INDEX_FILE": str(aside / ".index")}
            paths = [f":(top){prefix}{path}" for path in wanted]
            words = (f"--work-tree={aside}", "checkout", "--quiet", commit, "--", *paths)
            git(repo, *words, env=own)
            (aside / ".index").unlink()
        if with_remotes:  # all projects known by URL share one cache of blobs
            (aside / prefix / ".dvc").mkdir(parents=True, exist_ok=True)
            local = f"[cache]\n    dir = {cache_folder() / 'blobs'}\n"
            (aside / prefix / ".dvc/config.local").write_text(local, "utf-8")
        try:
            aside.rename(folder)
        except OSError:
            if not folder.exists():  # else another process was first, with the same files
                raise
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _embedded_remotes(config: str) -> list[str]:
    """Return the folders of remotes that stand in the repository itself, from .dvc/config."""
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(config)
    except configparser.Error:
        return []
    urls = [parser[section].get("url", "") for section in parser.sections()]
    folders = [posixpath.normpath(f".dvc/{url}") for url in urls if url and "://" not in url]
    return [folder for folder in folders if not folder.startswith(("..", "/"))]


def _mirror(url: str) -> Path:
    """Return a bare clone of ``url`` in the cache, without blobs, brought up to date."""
    key = hashlib.sha256(url.encode()).hexdigest()[:24]
    folder = cache_folder() / "repositories" / key
    if folder.exists():
        git(folder, "fetch", "--quiet", "--prune", "--tags", "origin", "+refs/heads/*:refs/heads/*")
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".new-"))
    try:
        git(aside, "clone", "--quiet", "--bare", "--filter=blob:none", "--", url, "repository")
        (aside / "repository").rename(folder)
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return folder


def git(
    repo: Path,
    *words: str,
    check: bool = True,
    env: Mapping[str, str] | None = None,
    stdin: str = "",
) -> str:
    """Run git in ``repo`` and return what it printed.

    Raises:
        UnknownRevisionError: it failed; the message is what it said.
    """
    done = subprocess.run(
        ["git", "-C", str(repo), *words],
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        check=False,
        input=stdin,
        env={**os.environ, "GIT_TERMINAL_PROMPT": "0", **(env or {})},
    )
    if check and done.returncode:
        said = done.stderr.strip().splitlines()
        raise UnknownRevisionError(f"git {words[0]} failed: {said[-1] if said else 'no reason'}")
    return done.stdout if not done.returncode else ""


def cache_folder() -> Path:
    """Return the folder of what can be made again: SCENESET_CACHE_DIR, or the user's cache."""
    import platformdirs

    named = os.environ.get("SCENESET_CACHE_DIR")
    return Path(named) if named else Path(platformdirs.user_cache_dir("sceneset"))


def is_url(repo: str) -> bool:
    """Whether ``repo`` names a repository elsewhere."""
    return "://" in repo or bool(re.match(r"[\w.-]+@[\w.-]+:", repo))
