"""Compare the masks of samples with predictions, and count."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

from sceneset.catalog.reader import Catalog
from sceneset.errors import BlobError, UndecodableError
from sceneset.evaluation.counts import Counts, Facts, Row, Widths, count_pair, table_of
from sceneset.evaluation.predictions import Predictions
from sceneset.exports.types import ExportSample
from sceneset.progress import Progress, no_progress
from sceneset.scanning.measure_sample import no_warnings
from sceneset.versions.local_files import LocalFiles

_BATCH = 256  # samples submitted to the threads at a time, to bound memory

S = TypeVar("S")
T = TypeVar("T")

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
    from sceneset.imaging.decode import decode_mask
    from sceneset.imaging.prediction_file import PredictionError

    limits = catalog.params.limits

    def compare(sample: ExportSample) -> Row:
        facts = facts_of(sample)
        if problem := predictions.matches.problems.get(sample.key):
            return Row(facts, None, *problem)
        try:
            truth = decode_mask(files.read(sample.mask_path, sample.mask_md5), limits)
        except (BlobError, UndecodableError) as error:
            return Row(facts, None, "no-truth", f"its mask in the registry {error}")
        try:
            found = predictions.read(sample)
        except PredictionError as error:
            return Row(facts, None, error.problem, error.detail)
        if found.mask.shape != truth.shape:
            return Row(facts, None, "wrong-size", _size_text(found.mask.shape, sample))
        return Row(facts, count_pair(truth, found.mask, widths), values=found.values)

    with no_warnings():
        rows = progress(_in_threads(compare, samples), len(samples), "compare masks")
        return table_of(rows, widths, about)


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


def _size_text(shape: tuple[int, ...], sample: ExportSample) -> str:
    height, width = shape[:2]
    text = f"is {width} x {height}, the image {sample.width} x {sample.height}"
    if (width, height) == (sample.height, sample.width):
        text += "; predict on the pixels as stored, without turning them by EXIF"
    return text


def _in_threads(call: Callable[[S], T], items: Iterable[S]) -> Iterator[T]:
    """Yield ``call(item)`` for every item, in order; the decoders release Python's lock."""
    remaining = iter(items)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        while batch := list(islice(remaining, _BATCH)):
            yield from pool.map(call, batch)


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
    texts = {
        "problem": "values-unclear",
        "detail": "has the values 0 and 1 only, and other files hold probabilities; say what "
        "values mean with --values",
    }
    for name in (*texts, *counts.widths.columns()):
        column = table[name]
        value = pa.scalar(texts.get(name), column.type)
        place = table.schema.get_field_index(name)
        table = table.set_column(place, name, pc.if_else(is_unclear, value, column))
    return counts._replace(table=table)
