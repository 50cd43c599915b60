"""The outcome of an evaluation for each scene and number of persons, for plans."""

from typing import TYPE_CHECKING

import numpy as np

from sceneset.evaluation.bootstrap import Estimate, estimate, sources_of
from sceneset.evaluation.counts import Counts
from sceneset.evaluation.measures import Empty, Group, terms_of
from sceneset.reporting.plan_reasons import CellResult
from sceneset.reporting.plan_samples import PHASES, Cell, PlanSamples
from sceneset.reporting.plan_values import Results
from sceneset.schemas.terms import Phase

if TYPE_CHECKING:
    import numpy.typing as npt

    Rows = npt.NDArray[np.int64]

_MEASURE = "dataset_iou"


def plan_results(samples: PlanSamples, counts: Counts) -> Results:
    """Return the IoU of all pixels of each cell, with its interval.

    If the evaluation has validation or test samples, training samples are left out: a model is
    better on what it has seen.

    Args:
        samples: The samples of the plan.
        counts: The counts of an evaluation, which may be of another version.
    """
    place = _places(samples, counts)
    is_known = place >= 0
    unknown = int((~is_known).sum())
    numbers = samples.column("number")
    is_train = np.zeros(len(place), np.bool_)
    is_train[is_known] = numbers[place[is_known]] == PHASES.index(Phase.TRAIN)
    held_out = bool((is_known & ~is_train).any())
    used = np.flatnonzero(is_known & ~is_train) if held_out else np.flatnonzero(is_known)
    if not len(used):
        return Results({}, None, unknown, held_out)
    names = _cells_of(samples, place, used)
    groups = [Group("all", "", used)]
    groups += [Group("cell", str(number), rows) for number, rows in names]
    found = estimate(
        terms_of(counts, Empty.ONE), counts.widths, sources_of(counts.compared), groups
    )
    results = [_result(one) for one in found]
    cells: dict[Cell, CellResult] = {
        samples.cells[number]: result
        for (number, _), result in zip(names, results[1:], strict=True)
    }
    return Results(cells, results[0], unknown, held_out)


def _places(samples: PlanSamples, counts: Counts) -> "Rows":
    """Return for each compared row its place among the samples, -1 if it is not among them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    table = counts.compared
    keys = pc.binary_join_element_wise(table["subset"], table["phase"], table["stem"], "/")
    found = pc.index_in(keys, value_set=samples.keys()).cast(pa.int64())
    places: Rows = pc.fill_null(found, -1).to_numpy()
    return places


def _cells_of(samples: PlanSamples, place: "Rows", used: "Rows") -> "list[tuple[int, Rows]]":
    """Return the number of each cell with the rows of the counts that are in it."""
    members = samples.members()
    row_of = np.full(len(samples), -1)
    row_of[place[used]] = used
    rows = row_of[members.sample]
    cell = members.slot // len(PHASES)
    order = np.argsort(cell, kind="stable")
    order = order[rows[order] >= 0]
    numbers, starts = np.unique(cell[order], return_index=True)
    parts = np.split(rows[order], starts[1:])
    return list(zip(numbers.tolist(), (np.sort(part) for part in parts), strict=True))


def _result(found: Estimate) -> CellResult:
    return CellResult(found.group.rows.size, found.sources, *found.measures[_MEASURE])
