"""The released versions of a registry, opened together, and the licences of their subsets."""

from collections.abc import Iterable, Mapping

from sceneset.catalog.provenance import licences_of
from sceneset.catalog.reader import Catalog
from sceneset.errors import FindingsError, GitError, NoRegistryError
from sceneset.schemas.version import Version
from sceneset.versions.revisions import open_in_same_repository


def open_versions(catalog: Catalog, records: Iterable[Version]) -> dict[str, Catalog]:
    """Return the versions that the repository has, by number, in the order of the records.

    The tag of a version may not have been fetched; such a version is left out.
    """
    states = {}
    for record in records:
        try:
            states[record.version] = open_in_same_repository(catalog, record.version)
        except (GitError, NoRegistryError):
            continue
    return states


def version_licences(
    records: Iterable[Version], states: Mapping[str, Catalog]
) -> dict[str, dict[str, str]]:
    """Return the licences of each subset of each version; "" if none is recorded.

    An entry that is the same in several versions is read once.

    Args:
        records: The versions.
        states: Those that can be read, by number.
    """
    known: dict[tuple[str, str], str] = {}
    found: dict[str, dict[str, str]] = {}
    for record in records:
        if record.version not in states:
            continue
        found[record.version] = {}
        for name, part in record.subsets.items():
            key = (name, part.entry)
            if key not in known:
                known[key] = _licences(states[record.version], name)
            found[record.version][name] = known[key]
    return found


def _licences(state: Catalog, name: str) -> str:
    try:
        return ", ".join(filter(None, licences_of(state.entry(name).provenance)))
    except FindingsError:
        return ""
