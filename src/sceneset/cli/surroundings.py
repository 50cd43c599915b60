"""What is around a new registry: a larger git repository, its first commit, its workflow."""

import json
import os
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import NamedTuple

from sceneset.errors import GitError, UsageError
from sceneset.storage.git import git, without_filters
from sceneset.storage.git_ignore import ignored_files

WORKFLOW = ".github/workflows/registry.yml"
_PULL_REQUEST = "on:\n  pull_request:\n"
_JOB = "    runs-on: ubuntu-latest\n"
_SPEC = 'SCENESET: ""'


class LargerRepository(NamedTuple):
    """A git repository that a new registry becomes a part of."""

    top: Path
    prefix: str
    """The registry's folder in the repository, with forward slashes and a slash at its end."""


def larger_repository(folder: Path) -> LargerRepository | None:
    """Return the git repository whose working tree contains a folder, or None.

    A folder with a repository of its own, and one that the repository around it ignores, are not
    part of that repository.
    """
    folder = Path(os.path.normpath(folder.absolute()))
    if (folder / ".git").exists():
        return None
    existing = next(path for path in (folder, *folder.parents) if path.is_dir())
    try:
        top = git(existing, "rev-parse", "--show-toplevel", check=False).strip("\n")
    except OSError:  # git is not installed
        return None
    if not top:
        return None
    # git resolves links in the path of the working tree.
    path = Path(os.path.realpath(existing)) / folder.relative_to(existing)
    prefix = f"{path.relative_to(top).as_posix()}/"
    if prefix == "./" or ignored_files(Path(top), [prefix]):
        return None
    return LargerRepository(Path(top), prefix)


def workflow_text(text: str, install: str, prefix: str) -> str:
    """Return the text of the workflow.

    Args:
        text: The template.
        install: Where to install sceneset from; "" leaves the placeholder, which stops the workflow
            with instructions.
        prefix: The registry's folder in a larger repository, or "".
    """
    text = text.replace(_SPEC, f"SCENESET: {json.dumps(install)}")
    if prefix:
        paths = json.dumps([f"{prefix}**"], ensure_ascii=False)
        folder = json.dumps(prefix.rstrip("/"), ensure_ascii=False)
        text = text.replace(_PULL_REQUEST, f"{_PULL_REQUEST}    paths: {paths}\n")
        defaults = f"    defaults:\n      run:\n        working-directory: {folder}\n"
        text = text.replace(_JOB, f"{_JOB}{defaults}")
    return text


def checked_install(spec: str) -> str:
    """Return where to install sceneset from, if it can't be mistaken for a name in an index.

    Raises:
        UsageError: It is a bare name, or has characters that a workflow would interpret.
    """
    if not spec.isprintable() or not spec.isascii() or "${{" in spec:
        raise UsageError(f"--install {spec!r}: use printable ASCII characters, without ${{{{")
    if spec.startswith("./") or ("://" in spec and not spec.startswith("-")):
        return spec
    raise UsageError(
        f"--install {spec}: name a place, for example git+https://HOST/sceneset@v1.2.0, the URL of "
        "a wheel, or a path in the repository that starts with ./. Anybody can register a bare "
        "name in a package index"
    )


def installed_from() -> str:
    """Return the git URL and commit that this program was installed from, or "" if not from git."""
    try:
        place = json.loads(distribution("sceneset").read_text("direct_url.json") or "{}")
        url, info = place["url"], place["vcs_info"]
        spec = f"{info['vcs']}+{url}@{info['commit_id']}"
    except (PackageNotFoundError, ValueError, LookupError, TypeError):
        return ""
    is_local = url.startswith("file:") or "@" in url.partition("://")[2].partition("/")[0]
    return "" if is_local or not spec.isascii() or "${{" in spec else spec


def commit_registry(folder: Path, files: list[str]) -> str:
    """Commit the files of a new registry; return why that was not done, or "".

    Args:
        folder: The registry, the top folder of its repository.
        files: The files to commit, relative to ``folder``.
    """
    if git(folder, "rev-parse", "--verify", "--quiet", "HEAD", check=False):
        words = ("status", "--porcelain", "--", *files)
        is_clean = not git(folder, *words, check=False, env=without_filters(folder))
        return "" if is_clean else "the repository has commits already"
    identity = ("-c", "user.useConfigOnly=true", "var")
    if not all(
        git(folder, *identity, f"GIT_{role}_IDENT", check=False) for role in ("AUTHOR", "COMMITTER")
    ):
        return "git does not know your name and e-mail address"
    try:
        # --force: an ignore file of the user must not leave out a file of the registry.
        unfiltered = without_filters(folder)
        git(folder, "add", "--force", "--", *files, env=unfiltered)
        words = ("commit", "--quiet", "--message", "Create the registry", "--", *files)
        git(folder, *words, env=unfiltered)
    except GitError as error:
        return str(error)
    return ""
