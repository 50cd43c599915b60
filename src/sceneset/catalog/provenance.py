"""What the provenance of a subset says about each of its samples.

Samples are only looked at one by one where an entry has exceptions; for all others, one answer
holds for the whole subset.
"""

from collections.abc import Collection, Container, Iterable, Mapping
from functools import cache
from typing import NamedTuple, TypeVar

from sceneset.catalog.reader import Catalog
from sceneset.schemas.provenance import Provenance, ProvenanceException, Restriction
from sceneset.schemas.tag import Tag
from sceneset.schemas.terms import fold_name

Key = tuple[str, str]
"""Phase and stem."""
K = TypeVar("K", bound=Key)


def differing_samples(provenance: Provenance | None, tags: Iterable[Tag]) -> dict[Key, Provenance]:
    """Return the provenance of each sample that an exception names.

    Args:
        provenance: That of the subset.
        tags: All tags of the subset; not read without exceptions.
    """
    if provenance is None or not provenance.exceptions:
        return {}
    exceptions = provenance.exceptions
    by_name: dict[str, list[int]] = {}
    by_source: dict[str, list[int]] = {}
    for number, exception in enumerate(exceptions):
        for name in exception.samples:
            by_name.setdefault(name, []).append(number)
        for source in exception.sources:
            by_source.setdefault(fold_name(source), []).append(number)

    @cache
    def of_source(source: str) -> list[int]:
        return by_source.get(fold_name(source), []) if source else []

    @cache
    def combined(numbers: tuple[int, ...]) -> Provenance:
        return provenance.with_exceptions(tuple(exceptions[number] for number in numbers))

    found: dict[Key, Provenance] = {}
    for tag in tags:
        phase, stem = tag.key
        names = (*by_name.get(stem, ()), *by_name.get(f"{phase}/{stem}", ()))
        if numbers := {*names, *of_source(tag.source)}:
            found[str(phase), stem] = combined(tuple(sorted(numbers)))
    return found


def unused_names(exception: ProvenanceException, tags: Iterable[Tag]) -> list[str]:
    """Return the samples and sources of an exception that no tag of the subset has."""
    names, sources = set(exception.samples), {fold_name(s): s for s in exception.sources}
    for tag in tags:
        names -= {tag.stem, f"{tag.phase}/{tag.stem}"}
        if tag.source and sources:
            sources.pop(fold_name(tag.source), None)
    return [*(name for name in exception.samples if name in names), *sources.values()]


class Restricted(NamedTuple):
    """Which samples of a subset some restrictions are about."""

    whole: Restriction | None
    """The restriction of all samples that are not in ``others``."""
    others: Mapping[Key, Restriction | None]
    """The restriction of samples that differ from the subset."""

    def of(self, key: Key) -> Restriction | None:
        """Return the restriction of a sample (phase, stem), or None."""
        return self.others.get(key, self.whole)

    def __bool__(self) -> bool:
        return self.whole is not None or any(self.others.values())


def restricted(catalog: Catalog, name: str, restrictions: Collection[Restriction]) -> Restricted:
    """Return which samples of a listed subset are under one of ``restrictions``.

    Raises:
        FindingsError: The entry or, if it has exceptions, the tags can't be read.
    """
    provenance = catalog.entry(name).provenance
    if provenance is None or not restrictions:
        return Restricted(None, {})

    def first(given: Provenance) -> Restriction | None:
        return next((r for r in Restriction if r in restrictions and r in given.restrictions), None)

    if all(exception.restrictions is None for exception in provenance.exceptions):
        return Restricted(first(provenance), {})
    differing = differing_samples(provenance, catalog.tags(name))
    return Restricted(first(provenance), {key: first(own) for key, own in differing.items()})


def licences_of(provenance: Provenance | None) -> list[str]:
    """Return the licences of a subset and its exceptions, each once; "" if one is missing."""
    if provenance is None:
        return [""]
    own = provenance.licence or ""
    return list(dict.fromkeys([own, *(e.licence for e in provenance.exceptions if e.licence)]))


def renamed(
    provenance: Provenance,
    keys: Mapping[K, K | None],
    *,
    stems: Container[str] | None = None,
) -> Provenance:
    """Return a provenance whose exceptions follow samples that are renamed, moved or removed.

    Args:
        provenance: That of the subset.
        keys: The new phase and stem of each changed sample; None for a removed one.
        stems: The stems that remain in the subset; a name without a phase that is not among them
            is left out. None keeps such names, since samples of other phases may have them.
    """
    new_keys: dict[Key, Key | None] = {(str(key[0]), key[1]): new for key, new in keys.items()}
    by_stem: dict[str, list[Key]] = {}
    for key in new_keys:
        by_stem.setdefault(key[1], []).append(key)

    def follow(name: str) -> list[str]:
        phase, slash, stem = name.rpartition("/")
        if slash:
            new = new_keys.get((phase, stem), (phase, stem))
            return [f"{new[0]}/{new[1]}"] if new else []
        moved = [new_keys[key] for key in by_stem.get(stem, ())]
        kept = [name] if not moved or stems is None or stem in stems else []
        covered = stem if kept else None
        return kept + [f"{new[0]}/{new[1]}" for new in moved if new and new[1] != covered]

    exceptions = []
    for exception in provenance.exceptions:
        samples = tuple(dict.fromkeys(new for name in exception.samples for new in follow(name)))
        if samples or exception.sources:
            changed = samples != exception.samples
            exceptions.append(
                exception.model_copy(update={"samples": samples}) if changed else exception
            )
    return provenance.model_copy(update={"exceptions": tuple(exceptions)})
