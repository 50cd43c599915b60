"""What to collect next: compare what a registry holds with targets, and order what is missing."""

import datetime as dt
from collections.abc import Mapping

from sceneset.catalog.query import Query
from sceneset.catalog.reader import Catalog
from sceneset.reporting.plan_counts import MOST_COMPARED, count_cells
from sceneset.reporting.plan_reasons import CellPlan, Context, Reason, reasons_of
from sceneset.reporting.plan_samples import PHASES, Cell, PlanSamples
from sceneset.reporting.plan_targets import targets_by_scene, targets_of
from sceneset.reporting.plan_values import Duplicates, Plan, Results
from sceneset.reporting.short_scenes import FEW, find_short_scenes
from sceneset.schemas.base import Localized
from sceneset.schemas.provenance import Restriction
from sceneset.schemas.scene import Vocabulary
from sceneset.schemas.targets import SceneTargets, Targets
from sceneset.schemas.terms import TOTAL, Persons, Phase

NOT_COUNTED = frozenset({Restriction.NO_RELEASE, Restriction.NO_EXPORT})
"""Restrictions of samples that no version or no export has, so that they train no model."""


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
            targets_of(key, targets, own, query.phases),
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
        if cell in counts or any(targets_of(cell, targets, own, query.phases).values())
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
