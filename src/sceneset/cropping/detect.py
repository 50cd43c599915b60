"""Find the boxes of persons with the user's own detector, on pictures as they are shown."""

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sceneset.cropping.originals import Original, Originals
from sceneset.cropping.types import Detection, Reason, Refusal
from sceneset.errors import BlobError, FindingsError, UsageError
from sceneset.imaging.crop import cut
from sceneset.imaging.decode import decode_image
from sceneset.models.detector import decode, preparation_for, recognized_decoder
from sceneset.models.model_file import Input, read_model
from sceneset.models.model_pool import ModelPool
from sceneset.models.model_process import Failure
from sceneset.models.network import OutputError
from sceneset.models.preparation import Preparation, prepare
from sceneset.progress import Progress
from sceneset.schemas.crop import Sides
from sceneset.schemas.orientation import STEPS
from sceneset.schemas.params import Limits
from sceneset.schemas.terms import Phase

if TYPE_CHECKING:
    from sceneset.models.network import Network


class Choice(NamedTuple):
    """Which detector is run, and how."""

    file: Path
    decoder: str | None
    """One of ``DECODERS``; None: recognized by the shapes of the outputs."""
    prepare: str
    """How pictures are prepared, in words, see ``Preparation.parse``; "" is that of the decoder."""
    licence: str
    """What the user says; "" takes what the file says."""
    person: int | None
    """The number of the class; None: that of COCO."""
    min_score: float


class Detected(NamedTuple):
    """The boxes that a detector found."""

    about: str
    by_original: dict[tuple[Phase, str], list[Detection]]
    refused: list[Refusal]
    others: Mapping[str, int] = MappingProxyType({})
    """Number of boxes of each other class in a file, by its name."""


class _Reading(NamedTuple):
    """How pictures are prepared and outputs decoded."""

    decoder: str
    preparation: Preparation
    person: int | None
    min_score: float
    limits: Limits


class _Item(NamedTuple):
    """A picture."""

    data: bytes
    suffix: str
    orientation: int


def detect(originals: Originals, choice: Choice, limits: Limits, *, progress: Progress) -> Detected:
    """Return the boxes of persons in all images.

    The same model and images give the same boxes, whatever the number of cores.

    Args:
        originals: The images.
        choice: The detector.
        limits: The largest sizes to decode.
        progress: Called with the images.

    Raises:
        ModelError: The model can't be run.
        UsageError: Its outputs are of no known kind.
    """
    size = Preparation.parse(choice.prepare).size
    model = read_model(choice.file, choice.licence)
    detected = Detected("", {}, [])
    with ModelPool(model, size=size) as pool:
        [shapes] = pool.map(_outputs_of_nothing, [None])
        if isinstance(shapes, Failure):
            raise model.error(f"fails on an empty picture: {shapes.reason}")
        decoder = _fitting_decoder(choice, shapes, model.input(size))
        preparation = Preparation.parse(choice.prepare, preparation_for(decoder))
        reading = _Reading(decoder, preparation, choice.person, choice.min_score, limits)
        readable: list[Original] = []
        items = _items(originals, readable, detected.refused)
        results = pool.map(partial(_boxes, reading=reading), items)
        for number, found in enumerate(progress(results, len(originals.images), "detect")):
            original = readable[number]
            if isinstance(found, Failure):
                detected.refused.append(
                    Refusal(Reason.UNREADABLE, original.shown, choice.file.name, found.reason)
                )
            else:
                detected.by_original[original.key] = _detections(original, found, choice.file.name)
    for original in readable:
        if detected.by_original.get(original.key) == []:
            detail = "the detector finds nobody"
            detected.refused.append(Refusal(Reason.NO_BOX, original.shown, "", detail))
    licence = model.licence or "unknown licence"
    about = f"{model.path.name} sha256:{model.sha256} ({licence}; {decoder})"
    return detected._replace(about=" ".join(about.split()))


def _fitting_decoder(choice: Choice, shapes: Sequence[tuple[int, ...]], wanted: Input) -> str:
    """Return the decoder, after a try: else each image would have the same error.

    Raises:
        UsageError: The outputs are of no known kind, or do not fit the given decoder.
    """
    outputs = {str(n): np.zeros(shape, np.float32) for n, shape in enumerate(shapes)}
    size = (wanted.width, wanted.height)
    decoder = choice.decoder or recognized_decoder(outputs, size)
    try:
        decode(outputs, decoder, size, person=choice.person, min_score=1)
    except OutputError as error:
        raise UsageError(
            f"{choice.file}: {error} ({decoder}); name another one with --decoder, or another "
            "class with --person"
        ) from None
    return decoder


def _items(
    originals: Originals, readable: list[Original], refused: list[Refusal]
) -> Iterator[_Item]:
    """Yield the pictures that can be read; ``readable`` gets their images."""
    for original in originals.images:
        try:
            data = originals.read_image(original)
        except BlobError as error:
            refused.append(Refusal(Reason.UNREADABLE, original.shown, "", str(error)))
            continue
        except FindingsError as error:
            text = error.findings[0].message
            refused.append(Refusal(Reason.UNREADABLE, original.shown, "", text))
            continue
        readable.append(original)
        yield _Item(data, original.suffix, original.orientation)


def _outputs_of_nothing(network: "Network", _item: None) -> list[tuple[int, ...]]:
    """Return the shapes of the outputs for an empty picture, in another process."""
    outputs = network.run(np.zeros(network.shape, np.float32))
    return [array.shape for array in outputs.values()]


def _boxes(network: "Network", item: _Item, *, reading: _Reading) -> list[tuple[Sides, float]]:
    """Return the boxes in a picture as shown and their scores, in another process."""
    stored = decode_image(item.data, item.suffix, reading.limits).pixels
    pixels = cut(stored, (0, 0, stored.shape[1], stored.shape[0]), item.orientation)
    if pixels.ndim == 2:
        pixels = np.repeat(pixels[:, :, None], 3, axis=2)
    blob, placement = prepare(pixels, reading.preparation, network.input)
    found = decode(
        network.run(blob),
        reading.decoder,
        placement.input_size,
        person=reading.person,
        min_score=reading.min_score,
    )
    boxes: list[tuple[Sides, float]] = []
    for sides, score in zip(found.sides.tolist(), found.scores.tolist(), strict=True):
        left, top = placement.point(*sides[:2])
        right, bottom = placement.point(*sides[2:])
        rounded = (round(left, 2), round(top, 2), round(right, 2), round(bottom, 2))
        if rounded[0] < rounded[2] and rounded[1] < rounded[3]:
            boxes.append((rounded, round(score, 4)))
    return boxes


def _detections(
    original: Original, boxes: Sequence[tuple[Sides, float]], name: str
) -> list[Detection]:
    size = (original.width, original.height)
    shown = size[::-1] if STEPS[original.orientation][0] else size
    inside = (
        (sides, score)
        for sides, score in boxes
        if sides[0] < shown[0] and sides[1] < shown[1] and sides[2] > 0 and sides[3] > 0
    )
    return [
        Detection(original.shown, sides, score, f"{name} (box {number})", fits="shown")
        for number, (sides, score) in enumerate(inside, 1)
    ]
