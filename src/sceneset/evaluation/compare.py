"""Compare one true mask with one prediction; the work of one sample, in any process."""

from typing import NamedTuple, Protocol

from sceneset.errors import UndecodableError
from sceneset.evaluation.counts import Facts, Row, Widths, count_pair
from sceneset.imaging.prediction_file import Predicted, PredictionError
from sceneset.schemas.params import Limits


class Prediction(Protocol):
    """The prediction of one sample, not read yet; it can be pickled."""

    def read(self) -> Predicted:
        """Return the mask.

        Raises:
            PredictionError: It can't be used.
        """


class Task(NamedTuple):
    """A sample to compare."""

    facts: Facts
    truth: bytes
    """The file of the true mask."""
    prediction: Prediction | None
    problem: tuple[str, str] | None = None
    """Why the sample can't be compared: the kind of problem, and one sentence."""


def compare(task: Task, limits: Limits, widths: Widths) -> Row:
    """Return the counts of a sample, or why there are none."""
    from sceneset.imaging.decode import decode_mask
    from sceneset.imaging.mask_agreement import PackedMask

    facts = task.facts
    if task.problem or task.prediction is None:
        return Row(facts, None, *(task.problem or ()))
    try:
        truth = decode_mask(task.truth, limits)
    except UndecodableError as error:
        return Row(facts, None, "no-truth", truth_problem(error))
    shape, packed = truth.shape, PackedMask.of(truth)
    del truth
    try:
        found = task.prediction.read()
    except PredictionError as error:
        return Row(facts, None, error.problem, error.detail)
    if found.mask.shape != shape:
        return Row(facts, None, "wrong-size", _size_text(found.mask.shape, facts))
    counts = count_pair(packed, PackedMask.of(found.mask), widths)
    return Row(facts, counts, values=found.values)


def truth_problem(error: Exception) -> str:
    """Say why the true mask can't be used."""
    return f"its mask in the registry {error}"


def crashed(task: Task) -> Row:
    """Return the row of a sample whose files crash the process that decodes them."""
    return Row(task.facts, None, "unreadable", "crashes the process that decodes it")


def _size_text(shape: tuple[int, ...], facts: Facts) -> str:
    height, width = shape[:2]
    text = f"is {width} x {height}, the image {facts.width} x {facts.height}"
    if (width, height) == (facts.height, facts.width):
        text += "; predict on the pixels as stored, without turning them by EXIF"
    return text
