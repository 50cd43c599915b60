"""Evaluations of predictions that the catalogue shows, one page for each run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from sceneset.errors import UsageError
from sceneset.site.leak_pairs import Picture
from sceneset.site.sample_keys import SampleKeys, SampleName, shown_among

if TYPE_CHECKING:
    from sceneset.evaluation.bootstrap import Estimate
    from sceneset.evaluation.difference import Sample
    from sceneset.evaluation.report import Evaluation

MOST_TILES = 24
"""Samples with the lowest IoU that are shown."""
_SEARCHED = 500  # samples with the lowest IoU among which those that pages show are chosen


@dataclass
class EvaluationModel:
    """A run as pages show it."""

    name: str
    """Of the file with its counts."""
    path: str
    """Of its page, below the folder of a language."""
    found: "Evaluation"
    before: str = ""
    """The name of the run that ``found`` is compared with; "" for none."""
    incomparable: str = ""
    """Why it can't be compared with the run before."""
    tiles: list[tuple[Picture, float]] = field(default_factory=list)
    """The samples with the lowest IoU, and their IoU."""

    def samples(self) -> "list[Sample]":
        """Return the samples that its page would list if no sample was withdrawn or restricted."""
        moved = self.found.difference.moved if self.found.difference else []
        return [*self.found.worst, *moved]

    def of_scene(self, scene: str) -> "Estimate | None":
        """Return the measures of a scene; None if no sample of it was compared."""
        for one in self.found.estimates:
            if (one.group.kind, one.group.name) == ("scene", scene):
                return one
        return None


def read_evaluations(files: Sequence[Path]) -> list[EvaluationModel]:
    """Return the evaluations of counts in files; each is compared with the one before it.

    Raises:
        UsageError: A file has no counts.
    """
    from sceneset.catalog.subset_folder import printable
    from sceneset.evaluation.counts import read_counts
    from sceneset.evaluation.difference import difference_to
    from sceneset.evaluation.measures import Empty
    from sceneset.evaluation.report import evaluate

    models: list[EvaluationModel] = []
    for number, file in enumerate(files, 1):
        counts = read_counts(file)
        found = evaluate(counts, worst=_SEARCHED)
        model = EvaluationModel(printable(file.stem), f"evaluations/{number}.html", found)
        if models and found.compared:
            last = models[-1]
            model.before = last.name
            try:
                found.difference = difference_to(counts, last.found.counts, empty=Empty.ONE)
            except UsageError as error:
                model.incomparable = str(error)
        models.append(model)
    return models


def add_tiles(models: Sequence[EvaluationModel], shown: Mapping[str, SampleKeys]) -> list[Picture]:
    """Choose the worst samples of each run among those that pages show; return their pictures.

    Other samples, which may be withdrawn or restricted, are left out of every list of samples.

    Args:
        models: The runs.
        shown: The samples that pages show, by subset.
    """
    listed = [sample for model in models for sample in model.samples()]
    known = shown_among((SampleName(*sample.key) for sample in listed), shown)
    for model in models:
        worst = [one for one in model.found.worst if SampleName(*one.key) in known]
        model.tiles = [(Picture(SampleName(*one.key)), one.iou) for one in worst[:MOST_TILES]]
        if difference := model.found.difference:
            moved = [one for one in difference.moved if SampleName(*one.key) in known]
            model.found.difference = replace(difference, moved=moved)
    return [picture for model in models for picture, _ in model.tiles]
