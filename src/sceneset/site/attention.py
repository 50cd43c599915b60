"""What a registry's owner should look at: findings, scenes short of samples, consent."""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from sceneset.errors import FindingsError
from sceneset.quality.provenance_rules import CONSENT_CODES, provenance_findings
from sceneset.reporting.short_scenes import ShortScenes, find_short_scenes
from sceneset.schemas.finding import Finding, Severity
from sceneset.schemas.provenance import Restriction
from sceneset.site.model import SiteModel, SubsetModel


class RuleCount(NamedTuple):
    """A rule with the number of its findings that are not waived."""

    code: str
    severity: Severity
    findings: int


def rule_counts(findings: Sequence[Finding]) -> list[RuleCount]:
    """Return the rules with findings that are not waived, errors first, then the most frequent."""
    counts = Counter((found.code, found.severity) for found in findings if not found.waived)
    order = list(Severity)
    return [
        RuleCount(code, severity, count)
        for (code, severity), count in sorted(
            counts.items(), key=lambda item: (order.index(item[0][1]), -item[1], item[0][0])
        )
    ]


def short_scenes(model: SiteModel) -> ShortScenes:
    """Return the scenes that need samples. Scenes without any sample are not among them."""
    return find_short_scenes(
        model.catalog.vocabulary, {key: facts.phases for key, facts in model.scenes.items()}
    )


def reference_day(model: SiteModel) -> dt.date | None:
    """Return the day of the latest version, or None if there is none or it has no dated tag."""
    return released_day(model, model.latest.version) if model.latest else None


def released_day(model: SiteModel, version: str) -> dt.date | None:
    """Return the day on which a version was released, if its tag says so."""
    tag = model.tags.get(version)
    try:
        return dt.date.fromisoformat(tag.released[:10]) if tag and tag.released else None
    except ValueError:
        return None


def consent_findings(model: SiteModel, day: dt.date | None) -> list[Finding]:
    """Return the findings on consent that ended before a day, or ends soon after it."""
    if day is None:
        return []
    names = [subset.name for subset in model.subsets]
    try:
        found = provenance_findings(model.catalog, names, on=day)
    except FindingsError:
        return []
    return [one for one in found if one.code in CONSENT_CODES]


def without_consent(model: SiteModel) -> list[SubsetModel]:
    """Return the subsets whose entry has no consent."""
    return [
        subset
        for subset in model.subsets
        if subset.entry.provenance is None or subset.entry.provenance.consent is None
    ]


def restrictions(subset: SubsetModel) -> list[tuple[Restriction, bool]]:
    """Return the restrictions of a subset, each with whether it is about some samples only."""
    provenance = subset.entry.provenance
    if provenance is None:
        return []
    of_some = {r for exception in provenance.exceptions for r in exception.restrictions or ()}
    whole = set(provenance.restrictions)
    return [(one, one not in whole) for one in Restriction if one in whole | of_some]
