"""Compare the masks of samples with predictions, and count."""

from collections.abc import Sequence
from functools import partial

from sceneset.catalog.reader import Catalog
from sceneset.errors import BlobError
from sceneset.evaluation.compare import Task, compare, crashed, truth_problem
from sceneset.evaluation.counts import Counts, Facts, Widths, table_of
from sceneset.evaluation.predictions import Predictions
from sceneset.exports.types import ExportSample
from sceneset.imaging.pillow_warnings import no_warnings
from sceneset.imaging.prediction_file import PredictionError
from sceneset.progress import Progress, no_progress
from sceneset.scanning.process_map import map_on_all_cores
from sceneset.versions.local_files import LocalFiles

PROBLEMS = (
    *("missing", "wrong-phase", "ambiguous", "wrong-size", "wrong-shape", "colours"),
    *("not-a-number", "values-unclear", "unreadable", "other-image", "no-truth"),
)
"""Kinds of problems of samples without counts, in the order in which they are shown."""


def count_predictions(
    catalog: Catalog,
    samples: Sequence[ExportSample],
    predictions: Predictions,
    *,
    files: LocalFiles,
    widths: Widths,
    about: dict[str, str],
    progress: Progress = no_progress,
) -> Counts:
    """Return the counts of all samples; those without a usable prediction say why.

    Args:
        catalog: The registry.
        samples: The samples, sorted by subset, phase and stem.
        predictions: Their predictions.
        files: Reads the true masks.
        widths: Of the boundary measures.
        about: Noted with the counts.
        progress: Called with the samples.
    """
    limits = catalog.params.limits

    def task(sample: ExportSample) -> Task:
        facts = facts_of(sample)
        if problem := predictions.matches.problems.get(sample.key):
            return Task(facts, b"", None, (problem.problem, problem.detail))
        try:
            truth = files.read(sample.mask_path, sample.mask_md5)
        except BlobError as error:
            return Task(facts, b"", None, ("no-truth", truth_problem(error)))
        try:
            return Task(facts, truth, predictions.prediction(sample))
        except PredictionError as error:
            return Task(facts, b"", None, (error.problem, error.detail))

    with no_warnings():
        rows = map_on_all_cores(
            partial(compare, limits=limits, widths=widths),
            map(task, samples),
            len(samples),
            crashed,
        )
        return table_of(progress(rows, len(samples), "compare masks"), widths, about)


def facts_of(sample: ExportSample) -> Facts:
    """Return what the table of counts says of a sample."""
    return Facts(
        sample.subset,
        sample.phase,
        sample.stem,
        sample.scenes,
        sample.persons,
        sample.source,
        sample.width,
        sample.height,
        sample.mask_md5,
    )


def refuse_mixed_values(counts: Counts) -> Counts:
    """Return counts without those of files whose values may have another meaning.

    Where other files hold probabilities in whole numbers, a file with 0 and 1 alone may be an image
    without a person, all of whose probabilities are almost 0.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    table = counts.table
    has_levels = pc.any(pc.match_substring(table["values"], "bits")).as_py()
    is_unclear = pc.and_(pc.equal(table["values"], "0/1"), pc.is_valid(table["both"]))
    if not has_levels or not pc.any(is_unclear).as_py():
        return counts
    message = (
        "has the values 0 and 1 only, and other files hold probabilities; say what values mean "
        "with --values"
    )
    texts = {"problem": "values-unclear", "detail": message}
    for name in (*texts, *counts.widths.columns()):
        column = table[name]
        value = pa.scalar(texts.get(name), column.type)
        place = table.schema.get_field_index(name)
        table = table.set_column(place, name, pc.if_else(is_unclear, value, column))
    return counts._replace(table=table)
