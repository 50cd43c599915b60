"""Read where persons are from the outputs of a segmentation model."""

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sceneset.errors import UsageError
from sceneset.models.network import OutputError

if TYPE_CHECKING:
    import numpy.typing as npt

    Array = npt.NDArray[np.float32]

_LEAST_SIDE = 8  # cells; smaller outputs are no maps
_TOLERANCE = 1e-3  # of probabilities


class Output(NamedTuple):
    """What the output of a model means."""

    kind: str = "probability"
    """"probability" of a person from 0 to 1, "logit" of it, or "class"."""
    person: int = 0
    """The channel of persons, if the model has one for each class."""

    @classmethod
    def parse(cls, text: str) -> "Output":
        """Return what a word says: "probability", "logit" or "class=N".

        Raises:
            UsageError: It is another word.
        """
        name, _, number = text.partition("=")
        if text in {"probability", "logit"}:
            return cls(text)
        if name == "class" and number.isascii() and number.isdigit() and len(number) < 5:
            return cls(name, int(number))
        raise UsageError(f"{text!r} is no output; use probability, logit or class=N")


def person_map(
    outputs: "dict[str, Array]", output: Output, *, channels_last: bool = False
) -> "Array":
    """Return the probability that there is a person, rows x columns.

    Args:
        outputs: The outputs of a model; the first one that is a map is read.
        output: What it means.
        channels_last: Whether the model has the axes rows, columns, channels.

    Raises:
        OutputError: No output is such a map.
    """
    name, channels = _first_map(outputs, channels_last=channels_last)
    count = len(channels)
    if output.kind == "class":
        if output.person >= count:
            raise OutputError(f"the model's output {name!r} has no class {output.person}")
        person: Array = _softmax(channels)[output.person]
        return person
    if count != 1:
        raise OutputError(
            f"the model's output {name!r} has {count} channels; say which one is person with "
            "--output class=N"
        )
    values: Array = channels[0]
    if output.kind == "logit":
        return _sigmoid(values)
    low, high = float(values.min()), float(values.max())
    if low < -_TOLERANCE or high > 1 + _TOLERANCE:
        raise OutputError(
            f"the model's output {name!r} has values from {low:g} to {high:g}, which are no "
            "probabilities; if they are logits, use --output logit"
        )
    clipped: Array = np.clip(values, 0, 1)
    return clipped


def _first_map(outputs: "dict[str, Array]", *, channels_last: bool) -> "tuple[str, Array]":
    """Return name and values, channels x rows x columns, of the first output that is a map."""
    for name, values in outputs.items():
        found: Any = values
        while found.ndim > 3 and found.shape[0] == 1:
            found = found[0]
        if found.ndim == 2:
            found = found[np.newaxis]
        elif found.ndim == 3 and (channels_last or found.shape[-1] == 1):
            found = np.moveaxis(found, -1, 0)
        if found.ndim == 3 and min(found.shape[1:]) >= _LEAST_SIDE:
            return name, found
    shapes = ", ".join(
        f"{name!r} with {' x '.join(map(str, values.shape)) or 'one value'}"
        for name, values in list(outputs.items())[:5]
    )
    raise OutputError(f"the model has no output with a map of the picture, only {shapes}")


def _sigmoid(values: "Array") -> "Array":
    return np.asarray(1 / (1 + np.exp(-np.clip(values, -60, 60))), np.float32)


def _softmax(channels: "Array") -> "Array":
    """Return probabilities of classes; values that are some already stay as they are."""
    sums = channels.sum(axis=0)
    if channels.min() >= 0 and np.allclose(sums, 1, atol=_TOLERANCE):
        return channels
    powers = np.exp(channels - channels.max(axis=0))
    found: Array = powers / powers.sum(axis=0)
    return found
