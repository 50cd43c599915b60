"""What to collect next: compare what a registry holds with targets, and order what is missing."""

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from sceneset.catalog.query import Query
from sceneset.catalog.reader import Catalog, unknown_scene_finding
from sceneset.errors import FindingsError
from sceneset.reporting.plan_counts import MOST_COMPARED, count_cells
from sceneset.reporting.plan_reasons import CellPlan, CellResult, Context, Reason, reasons_of
from sceneset.reporting.plan_samples import PHASES, Cell, PlanSamples
from sceneset.reporting.short_scenes import FEW, find_short_scenes
from sceneset.schemas.base import Localized
from sceneset.schemas.finding import Finding, finding
from sceneset.schemas.provenance import Restriction
from sceneset.schemas.scene import Vocabulary
from sceneset.schemas.targets import SceneTargets, Targets
from sceneset.schemas.terms import TOTAL, Persons, Phase

NOT_COUNTED = frozenset({Restriction.NO_RELEASE, Restriction.NO_EXPORT})
"""Restrictions of samples that no version or no export has, so that they train no model."""


class Duplicates(StrEnum):
    """Which images count as one picture."""

    AUTO = "auto"
    """``NEAR`` for up to ``MOST_COMPARED`` images, ``EXACT`` for more."""
    NEAR = "near"
    """Images that look alike, as the rule duplicate-near compares them."""
    EXACT = "exact"
    """Images with the same pixels."""


class Results(NamedTuple):
    """The outcome of an evaluation for each cell."""

    cells: Mapping[Cell, CellResult]
    whole: CellResult | None
    """Of all samples of the plan that were evaluated."""
    unknown: int
    """Evaluated samples that the plan does not count: of another version, or not selected."""
    held_out: bool
    """Whether only samples in val and test were used, because there are some."""


class Request(NamedTuple):
    """Images to ask for."""

    cell: CellPlan
    phase: Phase
    images: int
    """Wanted number of different images."""
    sources: int
    """From at least so many different sources."""


@dataclass
class Plan:
    """What to collect next."""

    cells: list[CellPlan]
    """Grouped by scene, the scene with the most urgent cell first."""
    samples: int
    """Number of counted samples, each once."""
    withdrawn: int
    restricted: Mapping[Restriction, int]
    without_scene: int
    several: int
    """Samples that count in more than one cell."""
    unused: list[str]
    """Scenes that have no sample and no target."""
    targets: Targets
    shares: Mapping[Phase, float] | None
    """What the shares of phases are compared with; None if they are not."""
    is_near: bool
    """Whether images that look alike count as one."""
    day: dt.date
    results: Results | None = None

    def requests(self) -> list[Request]:
        """Return what to ask for, the most urgent first.

        No source should have more than ``max_source`` of the target, which gives the number of
        sources.
        """
        found = []
        for cell in self.cells:
            for phase in Phase:
                if images := cell.missing(phase):
                    most = max(1, math.floor(self.targets.max_source * cell.targets[phase] + 1e-9))
                    found.append(Request(cell, phase, images, math.ceil(images / most)))
        return found

    def as_json(self) -> dict[str, Any]:
        """Return the object that `plan --json` prints."""
        return {
            "samples": self.samples,
            "withdrawn": self.withdrawn,
            "restricted": {str(name): count for name, count in self.restricted.items()},
            "without_scene": self.without_scene,
            "in_several": self.several,
            "unused_scenes": self.unused,
            "day": str(self.day),
            "duplicates": "near" if self.is_near else "exact",
            "has_targets": self.targets.is_set,
            "max_source": self.targets.max_source,
            "shares": self.shares and {str(name): share for name, share in self.shares.items()},
            "wanted": sum(cell.wanted for cell in self.cells),
            "evaluation": self.results
            and {
                "all": _result_json(self.results.whole),
                "unknown_samples": self.results.unknown,
                "held_out_only": self.results.held_out,
            },
            "cells": [_cell_json(cell) for cell in self.cells],
            "requests": [
                {
                    "scene": one.cell.scene,
                    "persons": one.cell.persons,
                    "phase": one.phase,
                    "images": one.images,
                    "sources": one.sources,
                }
                for one in self.requests()
            ],
        }


def _cell_json(cell: CellPlan) -> dict[str, Any]:
    return {
        "scene": cell.scene,
        "persons": cell.persons,
        "images": cell.images,
        "different": cell.pictures,
        "wanted": cell.wanted,
        "phases": {
            str(phase): {
                "images": count.images,
                "different": count.pictures,
                "consent_ends": count.leaving,
                "first_end": str(dt.date.fromordinal(count.end)) if count.end else None,
                "target": cell.targets.get(phase),
                "wanted": cell.missing(phase),
                "sources": count.sources,
                "effective_sources": round(count.effective, 3),
                "largest_source": round(count.largest_share, 6),
                "without_source": count.without_source,
            }
            for phase, count in ((phase, cell.of(phase)) for phase in Phase)
        },
        "evaluation": _result_json(cell.result),
        "reasons": [
            {"kind": one.kind, "phase": one.phase, "text": one.text.en} for one in cell.reasons
        ],
    }


def _result_json(result: CellResult | None) -> dict[str, Any] | None:
    if result is None:
        return None
    values = {
        name: None if math.isnan(value) else round(value, 6)
        for name, value in (("iou", result.iou), ("low", result.low), ("high", result.high))
    }
    return {"images": result.images, "sources": result.sources, **values}


def make_plan(
    catalog: Catalog,
    query: Query,
    samples: PlanSamples,
    *,
    targets: Targets,
    day: dt.date,
    duplicates: Duplicates = Duplicates.AUTO,
    results: Results | None = None,
) -> Plan:
    """Return what to collect next.

    Args:
        catalog: The registry.
        query: What is planned for.
        samples: What the query selects; see ``read_plan_samples``.
        targets: What is wanted.
        day: Consent that ended before, or ends soon after this day, is a reason.
        duplicates: Which images count as one picture.
        results: The outcome of an evaluation.

    Raises:
        FindingsError: A target names an unknown scene, or two name one scene.
    """
    own = targets_by_scene(catalog.vocabulary, targets)
    is_near = duplicates is Duplicates.NEAR or (
        duplicates is Duplicates.AUTO and len(samples) <= MOST_COMPARED
    )
    near = catalog.params.leakage.near if is_near else None
    counts = count_cells(samples, near, progress=catalog.progress)
    cells = [
        CellPlan(
            *key,
            counts.get(key, {}),
            _targets_of(key, targets, own, query.phases),
            results.cells.get(key) if results else None,
        )
        for key in _keys(catalog, query, counts, targets, own)
    ]
    shares = None if query.phases else _shares(samples, targets)
    whole = results.whole if results else None
    context = Context(day, targets.max_source, shares, targets.shares is not None, whole)
    for cell in cells:
        cell.reasons = list(reasons_of(cell, context))
    if not targets.is_set:
        _add_comparisons(catalog.vocabulary, cells, query)
    for cell in cells:
        cell.reasons.sort(key=lambda reason: reason.rank)
    used = {cell.scene for cell in cells}
    scenes = _scenes(catalog, query, counts)
    return Plan(
        _in_order(cells, catalog.vocabulary),
        len(samples),
        samples.withdrawn,
        {name: count for name, count in samples.restricted.items() if count},
        samples.without_scene,
        samples.several,
        [key for key in scenes if key not in used],
        targets,
        shares,
        is_near,
        day,
        results,
    )


def targets_by_scene(vocabulary: Vocabulary, targets: Targets) -> dict[str, SceneTargets]:
    """Return the targets of single scenes by key.

    Raises:
        FindingsError: A name is no scene, or two names are one scene.
    """
    found: dict[str, SceneTargets] = {}
    names: dict[str, str] = {}
    problems: list[Finding] = []
    for name, own in targets.scenes.items():
        key = vocabulary.find(name)
        if key is None or key == TOTAL:
            hint = unknown_scene_finding(vocabulary, name, file="params.yaml").hint
            problems.append(_problem(name, f"no scene is called {name!r}", hint))
        elif key in names:
            message = f"{names[key]!r} and {name!r} are one scene, {key}"
            problems.append(_problem(name, message, "write its targets once"))
        else:
            names[key], found[key] = name, own
    if problems:
        raise FindingsError(problems)
    return found


def _problem(name: str, message: str, hint: str) -> Finding:
    return finding("schema", message, file="params.yaml", field=f"targets.scenes.{name}", hint=hint)


def _targets_of(
    cell: Cell, targets: Targets, own: Mapping[str, SceneTargets], phases: Sequence[Phase]
) -> dict[Phase, int]:
    """Return the targets of a cell, the most special one of each phase."""
    scene, persons = cell
    found: dict[Phase, int] = {}
    if persons is None:
        return found
    for phase in phases or PHASES:
        special = own[scene].of_persons(persons, phase) if scene in own else None
        wanted = targets.of_persons(persons, phase) if special is None else special
        if wanted is not None:
            found[phase] = wanted
    return found


def _scenes(catalog: Catalog, query: Query, counts: Mapping[Cell, object]) -> list[str]:
    """Return the keys of the scenes that a query is about, in the order of the vocabulary."""
    keys = [scene.key for scene in catalog.vocabulary.scenes]
    if TOTAL in query.scenes or not (query.scenes or query.selections):
        return keys
    wanted = {*query.scenes, *(scene for scene, _ in counts)}
    for name in query.selections:
        found = map(catalog.vocabulary.find, catalog.params.selections[name].scenes)
        wanted.update(key for key in found if key)
    return [key for key in keys if key in wanted]


def _keys(
    catalog: Catalog,
    query: Query,
    counts: Mapping[Cell, object],
    targets: Targets,
    own: Mapping[str, SceneTargets],
) -> list[Cell]:
    """Return the cells that have samples or a target."""
    persons = (query.persons,) if query.persons else (*Persons, None)
    return [
        cell
        for scene in _scenes(catalog, query, counts)
        for cell in ((scene, value) for value in persons)
        if cell in counts or any(_targets_of(cell, targets, own, query.phases).values())
    ]


def _shares(samples: PlanSamples, targets: Targets) -> dict[Phase, float] | None:
    """Return the wanted shares of phases: those of the targets, or else those of all samples."""
    if targets.shares:
        return {phase: targets.shares.of(phase) for phase in PHASES}
    if not len(samples):
        return None
    numbers = samples.column("number")
    return {phase: float((numbers == place).mean()) for place, phase in enumerate(PHASES)}


def _add_comparisons(vocabulary: Vocabulary, cells: list[CellPlan], query: Query) -> None:
    """Add what the catalogue says of scenes that need samples, compared with others."""
    by_scene: dict[str, dict[Phase, int]] = {}
    for cell in cells:
        phases = by_scene.setdefault(cell.scene, dict.fromkeys(PHASES, 0))
        for phase, count in cell.counts.items():
            phases[phase] += count.images
    short = find_short_scenes(vocabulary, by_scene)
    first: dict[str, CellPlan] = {}
    for cell in cells:
        first.setdefault(cell.scene, cell)
    for phase, scenes in short.without.items():
        for scene in scenes if not query.phases or phase in query.phases else ():
            text = Localized(
                en=f"{phase}: no image of this scene, others have some",
                zh=f"{phase}：本场景没有图片，其他场景有",
            )
            first[scene.key].reasons.append(Reason("without", 1.0, text, phase))
    for scene, images in short.few:
        text = Localized(
            en=f"{images:,} images of this scene, less than 1/{FEW} of the median scene "
            f"({short.median:,})",
            zh=f"本场景有 {images:,} 张图片，少于中位场景（{short.median:,}）的 1/{FEW}",
        )
        first[scene.key].reasons.append(Reason("few", 1 - images / short.median, text))


def _in_order(cells: list[CellPlan], vocabulary: Vocabulary) -> list[CellPlan]:
    """Return cells by scene, the scene with the most urgent cell first."""
    best: dict[str, tuple[int, float]] = {}
    for cell in cells:
        best[cell.scene] = min(best.get(cell.scene, cell.rank), cell.rank)
    order = vocabulary.order
    return sorted(cells, key=lambda cell: (best[cell.scene], order[cell.scene], cell.rank))
