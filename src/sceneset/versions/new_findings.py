"""Findings of a changed state that the state before did not have.

A finding that a sample had before it was moved or renamed, or before its subset was renamed, is not
new, although it names another place.
"""

from collections.abc import Iterable, Mapping

from sceneset.catalog.reader import Catalog
from sceneset.schemas.finding import Finding
from sceneset.versions.changed_samples import Place
from sceneset.versions.diff import Diff


def new_findings(
    findings: Iterable[Finding],
    known: Iterable[Finding],
    *,
    before: Catalog,
    after: Catalog,
    diff: Diff | None,
) -> list[Finding]:
    """Return the findings that were not known.

    Args:
        findings: The findings of the state after the change.
        known: The findings of the state before it.
        before: The state before.
        after: The state after.
        diff: Their differences; None if a state can't be read, then moved samples are not followed.
    """
    identities = {finding.identity for finding in known}
    former = {new: old for old, new in after.params.renamed.items() if new not in before.names}
    changes = diff.changes if diff else []
    places = {c.new.place: c.old.place for c in changes if c.old and c.new}
    return [
        found
        for found in findings
        if found.identity not in identities
        and _in_former_subset(found, former) not in identities
        and _at_former_place(found, places) not in identities
    ]


def _at_former_place(found: Finding, places: Mapping[Place, Place]) -> tuple[str, ...]:
    """Return the identity that a finding had before its sample was moved or renamed."""
    place = places.get(Place(found.subset, found.phase, found.stem))
    return found.model_copy(update=place._asdict()).identity if place else found.identity


def _in_former_subset(found: Finding, former: Mapping[str, str]) -> tuple[str, ...]:
    """Return the identity that a finding had before its subset was renamed."""
    if found.subset not in former:
        return found.identity
    return tuple(part.replace(found.subset, former[found.subset]) for part in found.identity)
