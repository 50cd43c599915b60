"""The first page: totals, scenes, growth, what needs attention, subsets, versions, selections."""

import shlex
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sceneset.catalog.provenance import licences_of
from sceneset.reporting.charts import line_chart
from sceneset.reporting.short_scenes import ShortScenes
from sceneset.schemas.finding import Finding
from sceneset.schemas.provenance import Provenance
from sceneset.schemas.rules import RULES
from sceneset.schemas.scene import Scene
from sceneset.schemas.terms import Phase
from sceneset.schemas.version import Version
from sceneset.site.attention import (
    RuleCount,
    consent_findings,
    reference_day,
    released_day,
    restrictions,
    rule_counts,
    short_scenes,
    without_consent,
)
from sceneset.site.heat_map import heat_map
from sceneset.site.model import SiteModel, SubsetModel
from sceneset.site.pages_evaluation import run_rows
from sceneset.site.render import Page

MOST_VERSIONS = 8
"""Versions that are listed openly; older ones are folded."""
MOST_NAMES = 12
"""Names of a list of scenes."""
_MOST_TICKS = 40


class SubsetRow(NamedTuple):
    """A subset in the table of subsets."""

    subset: SubsetModel
    counts: list[int]
    """Shown samples of each phase."""
    licences: str
    origin: str
    until: str


class VersionRow(NamedTuple):
    """A version in the list of versions."""

    record: Version
    day: str
    phases: dict[Phase, int]
    notes: str
    """First line."""


@dataclass
class Attention:
    """What needs attention, in the page's language."""

    rules: list[RuleCount]
    short: ShortScenes
    consent: list[tuple[Finding, str]]
    """With the message."""
    day: str
    """Day with which the end of consent is compared; "" if there is none."""
    no_consent: list[SubsetModel]
    restricted: list[tuple[SubsetModel, str]]

    def __bool__(self) -> bool:
        return bool(self.rules or self.short or self.consent or self.no_consent or self.restricted)


class Command(NamedTuple):
    """A command to copy."""

    title: str
    text: str


def overview_page(page: Page) -> str:
    """Return the first page."""
    model = page.model
    versions = [version_row(model, record) for record in model.versions]
    return page.render(
        "overview.html.jinja",
        title=model.title,
        whole=model.whole,
        latest=versions[-1] if versions else None,
        heat=heat_map(model),
        growth=_growth(page, versions),
        runs=run_rows(page),
        attention=_attention(page),
        rows=[_subset_row(page, subset) for subset in model.subsets],
        versions=versions[::-1],
        most_versions=MOST_VERSIONS,
        most_names=MOST_NAMES,
        commands=list(_commands(page)),
        phases=[*Phase],
        meaning=lambda code: page.message(RULES[code].meaning),
    )


def version_row(model: SiteModel, record: Version) -> VersionRow:
    """Return what lists of versions show of one."""
    phases = Counter[Phase]()
    for part in record.subsets.values():
        phases.update(part.samples)
    day = released_day(model, record.version)
    notes = record.notes.strip().split("\n", 1)[0]
    return VersionRow(record, str(day or ""), {p: phases[p] for p in Phase}, notes)


def _growth(page: Page, versions: Sequence[VersionRow]) -> str:
    """Return a chart of the samples of each phase over the versions; "" below two versions."""
    if len(versions) < 2:
        return ""
    shown = versions
    if len(versions) > _MOST_TICKS:  # the first, the last, and evenly between
        last = len(versions) - 1
        shown = [versions[last * n // (_MOST_TICKS - 1)] for n in range(_MOST_TICKS)]
    series = {
        page.text(phase): [row.phases[phase] for row in shown]
        for phase in Phase
        if any(row.phases[phase] for row in shown)
    }
    ticks = [row.record.version for row in shown]
    return line_chart(series, ticks, label=page.text("growth_chart"))


def _attention(page: Page) -> Attention:
    model = page.model
    day = reference_day(model)
    return Attention(
        rule_counts(model.findings),
        short_scenes(model),
        [(found, page.message(found.message)) for found in consent_findings(model, day)],
        str(day or ""),
        without_consent(model),
        [
            (subset, ", ".join(_restriction_texts(page, subset)))
            for subset in model.subsets
            if restrictions(subset)
        ],
    )


def _restriction_texts(page: Page, subset: SubsetModel) -> Iterator[str]:
    for restriction, is_partial in restrictions(subset):
        yield page.text("some_samples", restriction) if is_partial else restriction


def _subset_row(page: Page, subset: SubsetModel) -> SubsetRow:
    provenance = subset.entry.provenance
    counts = [subset.facts.whole.phases[phase] for phase in Phase]
    missing = page.text("not_recorded")
    licences = ", ".join(licence or missing for licence in licences_of(provenance))
    return SubsetRow(subset, counts, licences, _origin(provenance) or missing, _until(page, subset))


def _origin(provenance: Provenance | None) -> str:
    origin = provenance.origin if provenance else None
    return ", ".join(filter(None, (origin.kind, origin.name))) if origin else ""


def _until(page: Page, subset: SubsetModel) -> str:
    """Return the first day on which consent of some samples ends."""
    provenance = subset.entry.provenance
    if provenance is None:
        return page.text("not_recorded")
    parts = (provenance.consent, *(exception.consent for exception in provenance.exceptions))
    given = [consent for consent in parts if consent]
    if not given:
        return page.text("not_recorded")
    days = [consent.until for consent in given if consent.until]
    return str(min(days)) if days else page.text("no_end")


def _commands(page: Page) -> Iterator[Command]:
    """Yield the commands that get the registry, all samples, or one scene."""
    model = page.model
    if model.address:
        yield Command(page.text("command_clone"), f"git clone {shlex.quote(model.address)}")
    end = state_options(model)
    yield Command(page.text("command_pull_all"), f"sceneset pull{end} --to DIR")
    if scene := _example_scene(model):
        yield Command(page.text("command_lookup"), f"sceneset lookup {scene.key}{end}")
        yield Command(page.text("command_pull_scene"), f"sceneset pull {scene.key}{end} --to DIR")


def state_options(model: SiteModel, rev: str | None = None) -> str:
    """Return the options of a command that name a state, with a blank before each.

    Args:
        model: The registry.
        rev: The state; None means the one that pages show.
    """
    rev = model.state if rev is None else rev
    options = f" --rev {shlex.quote(rev)}" if rev else ""
    return options + (f" --repo {shlex.quote(model.repo)}" if model.repo else "")


def _example_scene(model: SiteModel) -> Scene | None:
    """Return the scene with the most samples."""
    scenes = [scene for scene in model.catalog.vocabulary.scenes if scene.key in model.scenes]
    return max(scenes, key=lambda scene: model.scenes[scene.key].images, default=None)
