"""Pictures of samples with the errors of their predictions."""

from collections.abc import Sequence
from typing import NamedTuple

from sceneset.catalog.reader import Catalog
from sceneset.errors import BlobError, UndecodableError
from sceneset.evaluation.predictions import Predictions
from sceneset.exports.types import ExportSample
from sceneset.imaging.pillow_warnings import no_warnings
from sceneset.progress import Progress, no_progress
from sceneset.reporting.sheet_samples import refusing_withdrawn
from sceneset.versions.local_files import LocalFiles

SIDE = 480
"""Longer side of a picture in pixels."""


class Picture(NamedTuple):
    """A sample with the errors of its prediction."""

    sample: ExportSample
    photo: bytes
    """A JPEG file; b"" if there is none."""
    marks: bytes
    """A PNG file of the same size, transparent where the masks agree."""
    size: tuple[int, int]
    """Width and height in pixels."""
    problem: str = ""
    """Why there is no picture."""


def draw_worst(
    samples: Sequence[ExportSample],
    predictions: Predictions,
    files: LocalFiles,
    catalog: Catalog,
    *,
    progress: Progress = no_progress,
) -> list[Picture]:
    """Return pictures of samples, in their order.

    Args:
        samples: Samples that were compared.
        predictions: Their predictions.
        files: Reads images and true masks.
        catalog: The registry.
        progress: Called with the samples.
    """

    def draw(sample: ExportSample) -> Picture:
        try:
            return _draw(sample, predictions, files, catalog)
        except BlobError as error:
            return Picture(sample, b"", b"", (0, 0), f"{sample.image} {error}")
        except UndecodableError as error:
            return Picture(sample, b"", b"", (0, 0), f"{sample.image} {error.message}")

    with no_warnings():
        return list(progress(map(draw, samples), len(samples), "draw"))


def _draw(
    sample: ExportSample, predictions: Predictions, files: LocalFiles, catalog: Catalog
) -> Picture:
    from functools import partial

    from sceneset.imaging.decode import decode_mask
    from sceneset.imaging.encode import grey_png
    from sceneset.imaging.mask_change import Side, draw_change
    from sceneset.imaging.shapes import IGNORE, PERSON

    image = refusing_withdrawn(catalog, partial(files.read, sample.image_path, sample.image_md5))()
    truth = files.read(sample.mask_path, sample.mask_md5)
    limits = catalog.params.limits
    mask = predictions.prediction(sample).read().mask.copy()
    mask[decode_mask(truth, limits) == IGNORE] = IGNORE  # ignored pixels are no errors
    predicted = grey_png(mask, {PERSON: PERSON, IGNORE: IGNORE})
    before, after = (Side(image, sample.suffix, data) for data in (truth, predicted))
    change = draw_change(before, after, SIDE, limits)
    height, width = change.after.photo.shape[:2]
    return Picture(sample, change.after.photo_jpeg(), change.marks_png(), (width, height))
