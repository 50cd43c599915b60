"""Resolve the selections of params.yaml to samples; the same files always give the same samples."""

import hashlib
import heapq
from collections.abc import Callable, Container, Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from sceneset.catalog.matching import matches_sample
from sceneset.catalog.query import Query
from sceneset.catalog.reader import Catalog
from sceneset.catalog.scanned_files import content_hashes, refuse_unscanned
from sceneset.catalog.selection_names import findings_on_selections
from sceneset.catalog.split_selection import persons_of
from sceneset.errors import FindingsError
from sceneset.paths import DATA_ROOT
from sceneset.rules.policy import read_waivers
from sceneset.schemas.finding import Finding
from sceneset.schemas.names import composed
from sceneset.schemas.selection import Exclusion
from sceneset.schemas.tag import Tag
from sceneset.schemas.terms import Phase
from sceneset.schemas.waiver import Waiver
from sceneset.storage.files import md5_of

Chosen = dict[str, list[Tag]]
"""The tags of the selected samples of each subset, sorted by phase and stem."""


class SelectionSummary(NamedTuple):
    """What a selection holds in a state of the registry."""

    name: str
    samples: dict[Phase, int]
    """Number of samples in each phase that has some."""
    subsets: tuple[str, ...]
    """Names of the subsets of these samples."""
    digest: str
    """Digest of the list of samples, with the hashes of their images and masks."""


def chosen_samples(catalog: Catalog, query: Query) -> dict[str, set[tuple[Phase, str]]]:
    """Return the samples of a query's selections, as phase and stem, by subset.

    The query's persons, phases and subsets narrow the selections.

    Raises:
        FindingsError: A selection names something that does not exist.
    """
    chosen: dict[str, set[tuple[Phase, str]]] = {}
    for name in query.selections:
        for subset, tags in resolve_selection(catalog, name).items():
            if not query.subsets or subset in query.subsets:
                chosen.setdefault(subset, set()).update(
                    tag.key
                    for tag in tags
                    if (not query.phases or tag.phase in query.phases)
                    and (query.persons is None or query.persons in persons_of(tag))
                )
    return chosen


def resolve_selection(catalog: Catalog, name: str) -> Chosen:
    """Return the samples of a selection of params.yaml, by subset.

    Samples that were withdrawn from a version count until callers leave them out, so the others do
    not change.

    Raises:
        FindingsError: It names a scene or subset that does not exist, or a file of the registry
            can't be read.
    """
    selection = catalog.params.selections[name]
    findings = findings_on_selections(catalog, {name: selection})
    if findings:
        raise FindingsError(findings)
    query = Query(
        tuple(_keys(catalog, selection.scenes)),
        selection.counted_persons,
        selection.phase,
        selection.subsets,
    )
    listed = [subset for subset in catalog.names if not query.subsets or subset in query.subsets]
    listed = [subset for subset in listed if subset not in selection.exclude.subsets]
    is_excluded = _exclusion_test(catalog, selection.exclude)
    stems = frozenset(map(composed, selection.stems))
    codes = selection.exclude.rules
    waivers = read_waivers(catalog.root) if codes else ()

    def read(subset: str) -> tuple[str, list[Tag]]:
        tags = catalog.tags(subset)
        found = [t for t in tags if matches_sample(query, t) and not is_excluded(subset, t)]
        if stems:
            found = [tag for tag in found if _is_listed(subset, tag, stems)]
        if codes and found:
            broken = _broken_samples(catalog, subset, codes, waivers)
            found = [tag for tag in found if tag.key not in broken]
        return subset, found

    found = {subset: tags for subset, tags in catalog.each(read, listed) if tags}
    if selection.cap is not None and sum(map(len, found.values())) > selection.cap:
        return _capped(catalog, found, selection.cap, selection.seed)
    return found


def summarize(catalog: Catalog, name: str) -> SelectionSummary:
    """Return the counts and the digest of a selection; see `resolve_selection` for exceptions."""
    chosen = resolve_selection(catalog, name)
    phases: dict[Phase, int] = {}
    lines: list[str] = []
    for subset, tags in sorted(chosen.items()):
        hashes = _hashes(catalog, subset, tags)
        for tag, (image, mask) in zip(tags, hashes, strict=True):
            phases[tag.phase] = phases.get(tag.phase, 0) + 1
            lines.append(f"{image} {mask} {subset}/{tag.phase}/{tag.stem}\n")
    counts = {phase: phases[phase] for phase in Phase if phase in phases}
    return SelectionSummary(name, counts, tuple(sorted(chosen)), md5_of("".join(lines).encode()))


def summarize_all(catalog: Catalog, names: Iterable[str]) -> list[SelectionSummary]:
    """Return the summary of each selection; they share what they read of the subsets."""
    with catalog.shared_reads():
        return [summarize(catalog, name) for name in names]


def selection_findings(catalog: Catalog) -> list[Finding]:
    """Return the findings on all selections: names that clash or do not exist."""
    return findings_on_selections(catalog, catalog.params.selections)


def _capped(catalog: Catalog, found: Chosen, cap: int, seed: int) -> Chosen:
    """Return the ``cap`` samples whose images have the smallest keyed hashes.

    The hash of a sample does not depend on other samples. So adding or removing one sample changes
    the choice by one sample at most, and renaming files does not change it.
    """
    key = seed.to_bytes(8, "little")

    def ranks(subset: str) -> Iterator[tuple[bytes, str, int]]:
        for number, (image, _) in enumerate(_hashes(catalog, subset, found[subset])):
            digest = hashlib.blake2b(bytes.fromhex(image), digest_size=16, key=key).digest()
            yield digest, subset, number

    smallest = heapq.nsmallest(cap, chain.from_iterable(map(ranks, sorted(found))))
    chosen: Chosen = {}
    for _, subset, number in sorted(smallest, key=lambda rank: rank[1:]):
        chosen.setdefault(subset, []).append(found[subset][number])
    return chosen


def _hashes(catalog: Catalog, subset: str, tags: list[Tag]) -> Iterator[tuple[str, str]]:
    """Yield the md5 of image and mask of each tag's sample."""
    hashes = content_hashes(catalog, subset)
    refuse_unscanned(catalog, subset, [tag.key for tag in tags if tag.key not in hashes])
    yield from (hashes[tag.key] for tag in tags)


def _broken_samples(
    catalog: Catalog, subset: str, codes: tuple[str, ...], waivers: tuple[Waiver, ...]
) -> set[tuple[str, str]]:
    """Return the samples of a subset that have a finding of one of some rules."""
    from sceneset.rules.broken_samples import broken_samples
    from sceneset.rules.sample_columns import SAMPLE_COLUMNS

    tags, table = catalog.tags(subset), catalog.scan(subset, SAMPLE_COLUMNS)
    scanned = set(zip(table["phase"].to_pylist(), table["stem"].to_pylist(), strict=True))
    refuse_unscanned(catalog, subset, [tag.key for tag in tags if tag.key not in scanned])
    return broken_samples(
        codes,
        catalog.entry(subset),
        tags,
        table,
        params=catalog.params,
        waivers=waivers,
        folder=f"{DATA_ROOT}/{subset}/",
        file=catalog.paths.relative(catalog.paths.tags(subset)),
    )


def _keys(catalog: Catalog, names: tuple[str, ...]) -> list[str]:
    return [key for key in map(catalog.vocabulary.find, names) if key]


def _is_listed(subset: str, tag: Tag, stems: Container[str]) -> bool:
    """Return whether a list of stems and samples, all in NFC, names a sample."""
    stem = composed(tag.stem)
    return stem in stems or f"{subset}/{tag.phase}/{stem}" in stems


def _exclusion_test(catalog: Catalog, exclude: Exclusion) -> Callable[[str, Tag], bool]:
    scenes, stems = set(_keys(catalog, exclude.scenes)), set(map(composed, exclude.stems))
    sources, persons = set(exclude.sources), exclude.persons

    def is_excluded(subset: str, tag: Tag) -> bool:
        return (
            (bool(scenes) and any(scene in scenes for scene, _ in tag.scenes))
            or (bool(stems) and _is_listed(subset, tag, stems))
            or (bool(sources) and tag.source in sources)
            or (persons is not None and persons in persons_of(tag))
        )

    return is_excluded
