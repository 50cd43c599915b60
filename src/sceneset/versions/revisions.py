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
import tempfile
from pathlib import Path

from sceneset.catalog.reader import Catalog, Origin
from sceneset.errors import GitError, NoRegistryError, UnknownRevisionError
from sceneset.paths import DATA_ROOT, is_url
from sceneset.storage.files import md5_of, write_text
from sceneset.storage.git import content, git
from sceneset.storage.locking import alone

ARTIFACT = "insta360-semantic-seg"
"""What versions are versions of: their tags are called insta360-semantic-seg@v1.2.0."""

_VERSION = re.compile(r"v?(\d+\.\d+\.\d+)")
_TEXT = ("params.yaml", "registry", DATA_ROOT, ".dvc")


def open_state(repo: str | Path = ".", rev: str | None = None) -> Catalog:
    """Return the working tree that ``repo`` is in, or a revision of it, or the registry at a URL.

    Raises:
        NoRegistryError: There is no registry.
        UnknownRevisionError: The revision does not exist, or the URL can't be reached.
    """
    if rev is None and not is_url(str(repo)):
        return Catalog.find(repo)
    return open_at(repo, rev)


def open_at(repo: str | Path, rev: str | None) -> Catalog:
    """Return the registry of ``repo``, a folder or a URL, as it stands, or stood at ``rev``.

    Raises:
        NoRegistryError: there is no registry.
        UnknownRevisionError: the revision is not known, or the URL can't be reached.
    """
    wanted = "HEAD" if rev is None else rev  # "" is a shell's variable that is not set
    if is_url(str(repo)):
        return _at(_mirror(str(repo)), "", wanted, shown=_without_secrets(str(repo)))
    here = Catalog.find(repo)
    prefix = git(here.root, "rev-parse", "--show-prefix").strip()
    return _at(here.root, prefix, wanted, shown=str(here.root), project=here.root)


def open_beside(catalog: Catalog, rev: str) -> Catalog:
    """Return another revision of the repository that a registry was read from.

    Raises:
        UnknownRevisionError: the revision is not known.
    """
    origin = catalog.origin
    if origin is None:
        return open_at(catalog.root, rev)
    project = catalog.project if catalog.project != catalog.root else None
    return _at(origin.git, origin.prefix, rev, shown=origin.repo, project=project)


def _without_secrets(url: str) -> str:
    """Return a URL as it may be shown and kept: without user and password."""
    return re.sub(r"(?<=://)[^/@]*@", "", url)


def resolve(repo: Path, rev: str, prefix: str = "") -> str:
    """Return the commit of a version number, tag, branch or commit.

    A version is found by its tag, or, where tags were not fetched, by the commit that added its
    record.

    Raises:
        UnknownRevisionError: there is none, or two commits claim to be that version.
    """
    match = _VERSION.fullmatch(rev.removeprefix(f"{ARTIFACT}@"))
    if match:
        found = _commit_of(repo, match[1], f"{prefix}registry/versions/{match[1]}.yaml")
        if found:
            return found
    commit = _parsed(repo, rev)
    if commit:
        return commit
    raise UnknownRevisionError(f"no revision is called {rev!r}. {_nearest(repo, rev)}")


def _commit_of(repo: Path, number: str, record: str) -> str:
    """Return the commit that is a version, or "" if none says so."""
    tag = f"refs/tags/{ARTIFACT}@v{number}"
    tagged, moved = _parsed(repo, tag), _parsed(repo, f"refs/moved/{tag}")
    if moved not in {"", tagged}:
        raise UnknownRevisionError(
            f"version {number} is claimed by two commits: its tag was {tagged[:12]} when it was "
            f"first seen here, and is {moved[:12]} at its origin now. A version must not move: ask "
            "who moved it, or name the commit you mean"
        )
    if tagged and git(repo, "ls-tree", "--full-tree", "--name-only", tagged, "--", record):
        return tagged
    paths = ("--", f":(top,literal){record}")
    found = git(repo, "log", "--all", "--diff-filter=A", "--format=%H", *paths).split()
    added = [commit for commit in found if _is_state(repo, commit, record)]
    if found and not added and not tagged:
        raise UnknownRevisionError(
            f"version {number} can't be told from the history that is here: it was cut off, or "
            "squashed. Fetch it whole: git fetch --unshallow --tags"
        )
    if tagged and added:
        raise UnknownRevisionError(
            f"version {number} is claimed by two commits: its tag is at {tagged[:12]}, which has "
            f"no record of it, and {added[0][:12]} added its record. Name the commit you mean"
        )
    if tagged:
        return tagged
    if len(added) > 1:
        raise UnknownRevisionError(
            f"version {number} is claimed by {len(added)} commits: "
            f"{', '.join(commit[:12] for commit in added)} each added its record, and there is no "
            f"tag to tell which; fetch the tags (git fetch --tags), or name the commit you mean"
        )
    return added[0] if added else ""


def _is_state(repo: Path, commit: str, record: str) -> bool:
    """Whether a commit holds the state that a version's record names.

    Where history was cut off, its first commit seems to add every record there is.
    """
    said = re.search(r"(?m)^state: ([0-9a-f]{32})$", git(repo, "show", f"{commit}:{record}"))
    manifest = posixpath.join(posixpath.dirname(posixpath.dirname(record)), "manifest.json")
    try:
        return said is not None and said[1] == md5_of(content(repo, f"{commit}:{manifest}"))
    except GitError:
        return False


def _parsed(repo: Path, name: str) -> str:
    words = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    return git(repo, *words, check=False).strip()


def version_at(repo: Path, commit: str) -> str | None:
    """Return the number of the version that a commit is, by its tag."""
    tags = git(repo, "tag", "--points-at", commit, "--list", f"{ARTIFACT}@v*", check=False).split()
    numbers = [tag.removeprefix(f"{ARTIFACT}@v") for tag in tags]
    return numbers[0] if len(numbers) == 1 else None


def _nearest(repo: Path, rev: str) -> str:
    if _VERSION.fullmatch(rev) and not git(repo, "tag", "--list", f"{ARTIFACT}@v*").strip():
        return "There is no version yet; `sceneset release` makes one."
    refs = git(repo, "for-each-ref", "--format=%(refname:short)", "refs/tags", "refs/heads")
    short = [name.removeprefix(f"{ARTIFACT}@v") for name in refs.split()]
    near = difflib.get_close_matches(rev.removeprefix("v"), short, n=3, cutoff=0.3) or short[:5]
    return f"Nearest: {', '.join(near)}." if near else "There is no tag or branch yet."


def _at(repo: Path, prefix: str, rev: str, *, shown: str, project: Path | None = None) -> Catalog:
    commit = resolve(repo, rev, prefix)
    tree = git(repo, "rev-parse", f"{commit}^{{tree}}").strip()
    kind = "trees" if project else "projects"
    folder = cache_folder() / kind / tree
    if not folder.exists():
        _extract(repo, prefix, commit, folder, with_remotes=project is None)
    if not (folder / prefix / "registry/scenes.yaml").is_file():
        raise NoRegistryError(f"{rev} of {repo} holds no registry")
    return Catalog(
        folder / prefix,
        project=project,
        origin=Origin(shown, repo, prefix, rev, commit),
    )


def _extract(repo: Path, prefix: str, commit: str, folder: Path, *, with_remotes: bool) -> None:
    """Put the text files of a commit into ``folder``, whole or not at all."""
    listed = git(repo, "ls-tree", "--full-tree", "--name-only", "-z", f"{commit}:{prefix}")
    wanted = [path for path in _TEXT if path in listed.split("\0")]
    if with_remotes:
        config = git(repo, "show", f"{commit}:{prefix}.dvc/config", check=False)
        wanted += [
            path
            for path in _embedded_remotes(config)
            if git(repo, "ls-tree", "--full-tree", commit, "--", f"{prefix}{path}")
        ]
    folder.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".new-"))
    try:
        if wanted:
            # An index of its own leaves the repository's alone, and checkout fetches what a
            # partial clone lacks in one go.
            own = {"GIT_INDEX_FILE": str(aside / ".index")}
            paths = [f":(top,literal){prefix}{path}" for path in wanted]
            # A link in somebody else's repository would lead what is read and written astray.
            plain = ("-c", "core.symlinks=false", f"--work-tree={aside}")
            words = (*plain, "checkout", "--quiet", commit, "--", *paths)
            git(repo, *words, env=own)
            (aside / ".index").unlink()
        if with_remotes:  # all projects known by URL share one cache of blobs
            (aside / prefix / ".dvc").mkdir(parents=True, exist_ok=True)
            local = f"[cache]\n    dir = {cache_folder() / 'blobs'}\n"
            write_text(aside / prefix / ".dvc/config.local", local)
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
    inside = [url for url in urls if url and "://" not in url and not url.startswith("/")]
    folders = [posixpath.normpath(f".dvc/{url}") for url in inside]
    return [folder for folder in folders if not folder.startswith(("..", "/"))]


def _mirror(url: str) -> Path:
    """Return a bare clone of ``url`` in the cache, without blobs, brought up to date."""
    key = hashlib.sha256(url.encode()).hexdigest()[:24]
    folder = cache_folder() / "repositories" / key
    with alone(folder.with_suffix(".lock")):  # many training jobs may ask at once
        if folder.exists():
            _update(folder)
        else:
            _clone(url, folder)
    return folder


def _clone(url: str, folder: Path) -> None:
    aside = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".new-"))
    try:
        git(aside, "clone", "--quiet", "--bare", "--filter=blob:none", "--", url, "repository")
        (aside / "repository").rename(folder)
    except GitError as error:
        raise UnknownRevisionError(str(error)) from None
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _update(mirror: Path) -> None:
    """Fetch what is new. Tags that moved at the origin stay, and are noted below refs/moved."""
    git(mirror, "fetch", "--quiet", "--prune", "origin", "+refs/heads/*:refs/heads/*", "--no-tags")
    _follow_head(mirror)
    theirs = _refs(git(mirror, "ls-remote", "--tags", "--refs", "origin"))
    ours = _refs(git(mirror, "for-each-ref", "--format=%(objectname) %(refname)", "refs/tags"))
    new = [tag for tag in theirs if tag not in ours]
    moved = [tag for tag, commit in theirs.items() if ours.get(tag, commit) != commit]
    wanted = [f"{tag}:{tag}" for tag in new] + [f"+{tag}:refs/moved/{tag}" for tag in moved]
    before = _refs(git(mirror, "for-each-ref", "--format=%(objectname) %(refname)", "refs/moved"))
    for ref in before.keys() - {f"refs/moved/{tag}" for tag in moved}:
        git(mirror, "update-ref", "-d", ref)  # it was put back
    for start in range(0, len(wanted), 500):  # a command line has an end
        git(mirror, "fetch", "--quiet", "--no-tags", "origin", *wanted[start : start + 500])


def _follow_head(mirror: Path) -> None:
    """Let the mirror's HEAD name the branch that its origin shows first now."""
    told = git(mirror, "ls-remote", "--symref", "origin", "HEAD")
    match = re.match(r"ref: (refs/heads/\S+)\tHEAD", told)
    if match and _parsed(mirror, match[1]):
        git(mirror, "symbolic-ref", "HEAD", match[1])


def _refs(listed: str) -> dict[str, str]:
    """Read lines of object and reference."""
    return {ref: commit for commit, ref in (line.split() for line in listed.splitlines())}


def cache_folder() -> Path:
    """Return the folder of what can be made again: SCENESET_CACHE_DIR, or the user's cache."""
    import platformdirs

    named = os.environ.get("SCENESET_CACHE_DIR")
    return Path(named) if named else Path(platformdirs.user_cache_dir("sceneset"))
