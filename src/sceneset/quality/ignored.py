"""Report files of the registry that git ignores, so that a commit would miss them."""

from collections.abc import Iterable

from sceneset.catalog.reader import Catalog
from sceneset.catalog.state_files import state_files, subset_state_files
from sceneset.errors import FindingsError
from sceneset.schemas.finding import Finding, finding
from sceneset.storage.git_ignore import ignored_files


def ignored_findings(catalog: Catalog) -> list[Finding]:
    """Return a finding for every file of the working tree that git ignores and does not track.

    For commands, not for stages: the user's own ignore files decide too, and the result of a
    stage must depend on files in git alone.
    """
    if catalog.origin is not None:  # a revision was read from git
        return []
    try:
        files = state_files(catalog)
    except FindingsError:  # params.yaml can't be read, which is reported elsewhere
        return []
    return _findings(catalog, files)


def ignored_subset_findings(
    catalog: Catalog, name: str, split_files: Iterable[str]
) -> list[Finding]:
    """Return a finding for every file of a new subset that git would ignore."""
    return _findings(catalog, subset_state_files(name, split_files))


def _findings(catalog: Catalog, files: Iterable[str]) -> list[Finding]:
    subsets = set(catalog.params.subsets)
    return [
        finding(
            "git-ignored",
            f"git ignores this file, so a commit would miss it: {reason}",
            subset=next((part for part in _names(file) if part in subsets), ""),
            file=file,
            hint=f"change that line, or run `git add --force {file}` once the file exists",
        )
        for file, reason in ignored_files(catalog.root, files).items()
    ]


def _names(path: str) -> list[str]:
    """Return what may be the name of a subset in the path of one of its files."""
    folder, _, file = path.rpartition("/")
    return [*folder.split("/"), file.partition(".")[0]]
