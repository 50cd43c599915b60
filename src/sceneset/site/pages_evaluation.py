"""The page of an evaluation, and what other pages show of evaluations."""

from typing import TYPE_CHECKING, NamedTuple

from sceneset.site.render import Page

if TYPE_CHECKING:
    from sceneset.evaluation.bootstrap import Estimate
    from sceneset.site.evaluations import EvaluationModel


class RunRow(NamedTuple):
    """A run in a list of runs."""

    name: str
    path: str
    images: int
    sources: str
    """The number; with a star if there are so few that the interval is too narrow."""
    iou: str
    interval: str
    mean: str


def run_row(model: "EvaluationModel", estimate: "Estimate") -> RunRow:
    """Return what lists show of a run, or of a scene in it."""
    from sceneset.evaluation.page_texts import interval, number
    from sceneset.reporting.fineness_intervals import FEW

    whole = estimate.measures["dataset_iou"]
    return RunRow(
        model.name,
        model.path,
        estimate.group.rows.size,
        f"{estimate.sources:,}{'*' if estimate.sources < FEW else ''}",
        number(whole.value),
        interval(whole),
        number(estimate.measures["image_iou"].value),
    )


def run_rows(page: Page, scene: str = "") -> list[RunRow]:
    """Return all runs, or those that have samples of a scene."""
    rows = []
    for model in page.model.evaluations:
        estimate = model.of_scene(scene) if scene else model.found.estimates[0]
        if estimate:
            rows.append(run_row(model, estimate))
    return rows


def evaluation_page_of(page: Page, model: "EvaluationModel") -> str:
    """Return the page of a run."""
    from sceneset.evaluation.page import difference_view, group_tables, measure_rows, notes_of
    from sceneset.evaluation.page_texts import TEXTS, number

    found, language = model.found, page.language

    def label(name: str) -> str:
        return TEXTS[name].text(language)

    difference = None
    if found.difference:
        difference = difference_view(found.difference, language)
        difference["title"] = label("difference").format(model.before)
    scenes = {scene.key for scene in page.model.catalog.vocabulary.scenes}
    return page.render(
        "evaluation_page.html.jinja",
        title=page.text("evaluation_of", model.name),
        label=label,
        run=model,
        notes=notes_of(found, language),
        left_out=len(found.refused),
        measures=measure_rows(found, language),
        groups=group_tables(found, language),
        difference=difference,
        tiles=[(picture, number(iou)) for picture, iou in model.tiles],
        known_scenes=scenes,
    )
