"""Version records, registry/versions/<number>.yaml, read and written."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from sceneset.catalog.reader import Catalog
from sceneset.schemas.version import Version, VersionNumber
from sceneset.storage.git import git, output_lines
from sceneset.storage.yaml_files import dump_yaml, load
from sceneset.versions.resolve import ARTIFACT


def read_records(catalog: Catalog) -> list[Version]:
    """Return the records of all versions, oldest first."""
    paths = (catalog.paths.registry / "versions").glob("[!.]*.yaml")
    records = [load(path, Version, catalog.paths.relative(path)) for path in paths]
    return sorted(records, key=lambda record: VersionNumber.parse(record.version))


def reverted_versions(catalog: Catalog, records: Iterable[Version]) -> list[VersionNumber]:
    """Return the versions that the history of a state has, but the state has no record of.

    Args:
        catalog: A working tree or a revision.
        records: The records of the state.
    """
    known = {record.version for record in records}
    repo, commit = catalog.root, "HEAD"
    if catalog.origin:
        repo, commit = catalog.origin.git, catalog.origin.commit
    return [n for n in tagged_versions(repo, f"--merged={commit}") if str(n) not in known]


def tagged_versions(repo: Path, *options: str) -> list[VersionNumber]:
    """Return the numbers of the version tags of a repository, oldest first.

    Args:
        repo: The git repository.
        options: Options of `git for-each-ref` that select tags.
    """
    pattern = f"refs/tags/{ARTIFACT}@v*"
    listed = git(repo, "for-each-ref", *options, "--format=%(refname)", pattern, check=False)
    numbers = []
    for name in output_lines(listed):
        with suppress(ValueError):
            numbers.append(VersionNumber.parse(name.rpartition("@v")[2]))
    return sorted(numbers)


class VersionTag(NamedTuple):
    """What git knows about a version; everything is None if its tag was not fetched."""

    tag: str | None = None
    """The name of its tag."""
    commit: str | None = None
    """The commit that the tag names."""
    released: str | None = None
    """When it was released, as ISO 8601; None if the tag is not annotated."""
    signed: bool | None = None
    """Whether the tag has a signature, which is not verified here."""


def version_tags(catalog: Catalog) -> dict[str, VersionTag]:
    """Return what git knows about the tagged versions of a registry's repository, by number."""
    repo = catalog.origin.git if catalog.origin else catalog.root
    signature = "%(if)%(contents:signature)%(then)signed%(end)"
    commit = "%(if)%(*objectname)%(then)%(*objectname)%(else)%(objectname)%(end)"
    form = f"%(refname:lstrip=2)%00{commit}%00%(taggerdate:iso-strict)%00{signature}"
    pattern = f"refs/tags/{ARTIFACT}@v*"
    found = {}
    for line in output_lines(git(repo, "for-each-ref", f"--format={form}", pattern, check=False)):
        tag, at, date, signed = line.split("\0")
        found[tag.rpartition("@v")[2]] = VersionTag(tag, at, date or None, bool(signed))
    return found


def record_text(record: Version) -> str:
    """Return a record as YAML; equal records give equal bytes."""
    return dump_yaml(record.model_dump(mode="json", exclude_defaults=True))
