"""The page of a scene: its counts in each subset, statistics and samples."""

from sceneset.schemas.scene import Scene
from sceneset.schemas.terms import Persons, Phase
from sceneset.site.facts import Facts
from sceneset.site.facts_view import facts_view
from sceneset.site.grid import grid_of
from sceneset.site.model import SubsetModel
from sceneset.site.pages_evaluation import run_rows
from sceneset.site.render import Page

COLUMNS = tuple((phase, persons) for phase in Phase for persons in (*Persons, None))
"""Columns of tables of counts: phase and persons."""


def scene_page(page: Page, scene: Scene) -> str:
    """Return the page of a scene of the vocabulary, which may have no samples."""
    model = page.model
    subsets = model.subsets_of(scene.key)
    whole = model.scenes.get(scene.key, Facts())
    used = [column for column in COLUMNS if whole.counts[column[1], column[0]]]
    return page.render(
        "scene_page.html.jinja",
        title=page.localized(scene.name),
        scene=scene,
        whole=whole,
        columns=used,
        rows=[(subset, _counts(subset, scene.key, used)) for subset in subsets],
        runs=run_rows(page, scene.key),
        facts=facts_view(whole, page),
        grid=grid_of(model, page.language, subsets, scene=scene.key) if subsets else None,
    )


def _counts(
    subset: SubsetModel, scene: str, columns: list[tuple[Phase, Persons | None]]
) -> list[int]:
    facts = subset.facts.scenes[scene]
    return [facts.counts[persons, phase] for phase, persons in columns]
