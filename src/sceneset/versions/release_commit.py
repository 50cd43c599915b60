"""Create the commit and the tag of a release in one step, and write its files."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from sceneset.storage.git import git, without_filters
from sceneset.storage.git_ignore import ignored_files
from sceneset.storage.leftovers import temporary_folder
from sceneset.versions.signatures import signed_tag


def commit_and_tag(
    root: Path, head: str, files: Mapping[str, bytes], tag: str, message: str, *, sign: bool
) -> None:
    """Commit files on top of HEAD and tag the commit, in one transaction of references.

    The index and the working tree are not used, so unrelated changes there are not committed.

    Args:
        root: A folder of the repository.
        head: The commit that was checked; it fails if HEAD is another one by now.
        files: The contents of the files, by path from the top of the repository.
        tag: The name of the new tag.
        message: The message of the commit and of the tag.
        sign: Sign the tag.

    Raises:
        GitError: Nothing is committed: HEAD moved, the tag exists, or it can't be signed.
    """
    with temporary_folder() as folder:
        index = {"GIT_INDEX_FILE": str(folder / "index")}
        git(root, "read-tree", head, env=index)
        for number, (path, content) in enumerate(files.items()):
            source = folder / str(number)
            source.write_bytes(content)
            blob = git(root, "hash-object", "-w", "--no-filters", "--", str(source)).strip()
            git(root, "update-index", "--add", "--cacheinfo", f"100644,{blob},{path}", env=index)
        tree = git(root, "write-tree", env=index).strip()
        signed = ["-S"] * is_set(root, "commit.gpgSign")
        commit = git(root, "commit-tree", tree, "-p", head, "-m", message, *signed).strip()
        if sign:
            tag_object = signed_tag(root, tag, commit, message)
        else:
            tagger = git(root, "var", "GIT_COMMITTER_IDENT").strip()
            body = f"object {commit}\ntype commit\ntag {tag}\ntagger {tagger}\n\n{message}\n"
            tag_object = git(root, "mktag", stdin=body).strip()
        updates = f"update HEAD {commit} {head}\ncreate refs/tags/{tag} {tag_object}\n"
        git(root, "update-ref", "--stdin", stdin=f"start\n{updates}commit\n")


def check_out(root: Path, paths: Iterable[str]) -> None:
    """Write files of HEAD into the working tree, without running a filter of the repository.

    Args:
        root: A folder of the repository.
        paths: Paths from the top of the repository; those that HEAD has not are left out.
    """
    if not (paths := list(paths)):  # without a path, git would list all files
        return
    words = ("ls-tree", "-r", "--full-tree", "--name-only", "-z", "HEAD", "--", *paths)
    known = git(root, *words, env={"GIT_LITERAL_PATHSPECS": "1"}).split("\0")
    patterns = [f":(top,literal){path}" for path in known if path]
    if patterns:
        words = ("checkout", "--quiet", "HEAD", "--", *patterns)
        git(root, *words, env=without_filters(root))


def committed_path(root: Path, file: Path) -> str:
    """Return the path of a file from the top of the repository, or "" if git would not commit it.

    Git would not commit a file outside of the repository, inside another one, or ignored.

    Args:
        root: A folder of the repository.
        file: The path of the file, which need not exist.
    """
    top = os.path.realpath(git(root, "rev-parse", "--show-toplevel").strip("\n"))
    real = os.path.realpath(file)
    if not real.startswith(f"{top}{os.sep}"):
        return ""
    path = os.path.relpath(real, top)
    inside = list(Path(path).parents)[:-1]  # the last one is the top
    if ".git" in Path(path).parts or any(Path(top, folder, ".git").exists() for folder in inside):
        return ""
    return "" if ignored_files(Path(top), [path]) else path


def is_set(root: Path, option: str) -> bool:
    """Return whether a yes-or-no option of git's configuration is set to yes."""
    return git(root, "config", "--type=bool", option, check=False).strip() == "true"
