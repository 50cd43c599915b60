"""What a registry's owner should look at: findings, scenes short of samples, consent."""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median_low
from typing import NamedTuple

from sceneset.errors import FindingsError
from sceneset.quality.provenance_rules import CONSENT_CODES, provenance_findings
from sceneset.schemas.finding import Finding, Severity
from sceneset.schemas.provenance import Restriction
from sceneset.schemas.scene import Scene
from sceneset.schemas.terms import Phase
from sceneset.site.model import SiteModel, SubsetModel

FEW = 4
"""A scene is short of samples with less than the FEWth part of the median scene."""


class RuleCount(NamedTuple):
    """A rule with the number of its findings that are not waived."""

    code: str
    severity: Severity
    findings: int


@dataclass
class ShortScenes:
    """Scenes that need samples."""

    missing: list[Phase]
    """Phases in which no scene has a sample."""
    without: dict[Phase, list[Scene]]
    """Scenes with samples, but none in a phase in which others have some."""
    few: list[tuple[Scene, int]]
    """Scenes with few samples, the fewest first."""
    median: int
    """Number of samples of the median scene."""

    def __bool__(self) -> bool:
        return bool(self.missing or self.without or self.few)


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
    used = [scene for scene in model.catalog.vocabulary.scenes if scene.key in model.scenes]
    missing = [p for p in Phase if used and not any(model.scenes[s.key].phases[p] for s in used)]
    without = {}
    for phase in Phase:
        gaps = [scene for scene in used if not model.scenes[scene.key].phases[phase]]
        if gaps and phase not in missing:
            without[phase] = gaps
    sizes = {scene.key: model.scenes[scene.key].images for scene in used}
    middle = median_low(sizes.values()) if sizes else 0
    few = [(scene, sizes[scene.key]) for scene in used if FEW * sizes[scene.key] < middle]
    few.sort(key=lambda pair: pair[1])
    return ShortScenes(missing, without, few, middle)


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
