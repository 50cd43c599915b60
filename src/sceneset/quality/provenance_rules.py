"""Rules on the provenance of subsets.

They are no part of the stage `check`: a missing licence must stop a release, and not the pipeline,
which somebody has to run before anybody knows whose data it is.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from sceneset.catalog.provenance import differing_samples, restricted, unused_names
from sceneset.catalog.reader import Catalog
from sceneset.counts import counted
from sceneset.errors import FindingsError
from sceneset.schemas.finding import Finding, capped, finding
from sceneset.schemas.provenance import Provenance, Restriction, missing_fields
from sceneset.schemas.tag import Tag

PROVENANCE_CODES = frozenset({"entry-provenance", "provenance-stale"})
"""Rules that are evaluated in any case."""
CONSENT_CODES = frozenset({"consent-expired", "consent-expires"})
"""Rules that need a date."""
NOTICE = dt.timedelta(days=90)
"""How long before its end consent is reported."""


def provenance_findings(
    catalog: Catalog, names: Sequence[str] | None = None, *, on: dt.date | None = None
) -> list[Finding]:
    """Return the findings on the provenance of subsets, with the default severities.

    Entries and tags that can't be read are left out: other rules report them.

    Args:
        catalog: The registry.
        names: The subsets; None means all.
        on: The day for which consent is checked; None skips that, so that nothing depends on the
            day on which it runs.
    """
    return [
        found
        for name in (catalog.names if names is None else names)
        for found in _subset_findings(catalog, name, on)
    ]


def _subset_findings(catalog: Catalog, name: str, on: dt.date | None) -> list[Finding]:
    file = catalog.paths.relative(catalog.paths.entry(name))
    try:
        provenance = catalog.entry(name).provenance
        tags = catalog.tags(name) if provenance and provenance.exceptions else []
    except FindingsError:
        return []
    findings = []
    if missing := missing_fields(provenance):
        findings.append(
            finding(
                "entry-provenance",
                f"does not say whose data it is ({', '.join(missing)})",
                subset=name,
                file=file,
                field="provenance",
                hint="write these fields; `sceneset rules entry-provenance` shows an example",
            )
        )
    if provenance:
        findings += _stale_findings(provenance, tags, name, file)
        if on:
            findings += _consent_findings(provenance, tags, name, file, on)
    return findings


def _stale_findings(
    provenance: Provenance, tags: Sequence[Tag], name: str, file: str
) -> list[Finding]:
    unused = chain.from_iterable(
        ((number, unknown) for unknown in unused_names(exception, tags))
        for number, exception in enumerate(provenance.exceptions, 1)
    )
    return capped(
        unused,
        lambda found: finding(
            "provenance-stale",
            f"no sample has the name or source {found[1]!r}",
            subset=name,
            file=file,
            field=f"provenance.exceptions[{found[0]}]",
            hint="correct the name, or delete it",
        ),
    )


def _consent_findings(
    provenance: Provenance, tags: Sequence[Tag], name: str, file: str, on: dt.date
) -> Iterator[Finding]:
    """Yield a finding for each day on which consent of some samples ends, sorted by day."""
    found = consent_ends(provenance, tags)
    ends: dict[dt.date, int] = {}
    if found.whole and (not tags or len(found.others) < len(tags)):
        ends[found.whole] = len(tags) - len(found.others) if tags else 0
    for own in found.others.values():
        if own:
            ends[own] = ends.get(own, 0) + 1
    for end, count in sorted(ends.items()):
        if end > on + NOTICE:
            continue
        is_over = end < on
        whom = f"of {counted(count, 'sample')}" if count else "of all samples"
        yield finding(
            "consent-expired" if is_over else "consent-expires",
            f"consent {whom} {'ended' if is_over else 'ends'} on {end}",
            subset=name,
            file=file,
            field="provenance",
            hint="withdraw the samples with `sceneset forget`, or write the new `until`",
        )


class ConsentEnds(NamedTuple):
    """On which day consent of the samples of a subset ends; None is no end."""

    whole: dt.date | None
    """Of all samples that are not in ``others``."""
    others: dict[tuple[str, str], dt.date | None]
    """Of samples (phase, stem) that an exception names."""


def consent_ends(provenance: Provenance | None, tags: Iterable[Tag]) -> ConsentEnds:
    """Return on which day consent of samples ends.

    Args:
        provenance: That of the subset.
        tags: All tags of the subset; not read without exceptions.
    """
    if provenance is None:
        return ConsentEnds(None, {})
    differing = differing_samples(provenance, tags)
    return ConsentEnds(_end(provenance), {key: _end(own) for key, own in differing.items()})


def _end(provenance: Provenance) -> dt.date | None:
    return provenance.consent.until if provenance.consent else None


def restricted_findings(catalog: Catalog) -> list[Finding]:
    """Return a finding for each subset or sample that may not be released.

    Raises:
        FindingsError: An entry or tags can't be read.
    """
    return [found for name in catalog.names for found in _restricted_in(catalog, name)]


def _restricted_in(catalog: Catalog, name: str) -> Iterable[Finding]:
    file = catalog.paths.relative(catalog.paths.entry(name))
    covered = restricted(catalog, name, {Restriction.NO_RELEASE})
    if not covered:
        return []
    keys = [tag.key for tag in catalog.tags(name) if covered.of(tag.key)] if covered.others else []
    if covered.whole and len(keys) == (len(catalog.tags(name)) if covered.others else 0):
        return [
            finding(
                "release-restricted",
                "the subset may not be released (no-release)",
                subset=name,
                file=file,
                field="provenance.restrictions",
                hint=f"remove the subset from the registry, or lift the restriction in {file}",
            )
        ]
    return capped(
        keys,
        lambda key: finding(
            "release-restricted",
            f"{key[0]}/{key[1]} may not be released (no-release)",
            subset=name,
            file=file,
            phase=key[0],
            stem=key[1],
            hint=f"remove the sample from the registry, or lift the restriction in {file}",
        ),
    )
