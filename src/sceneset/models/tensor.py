"""What the header of a model says of its inputs, without running it."""

from typing import NamedTuple

from sceneset.errors import ModelError


class Tensor(NamedTuple):
    """An input of a model."""

    name: str
    shape: tuple[int | None, ...]
    """Lengths of its axes; None where the model leaves a length open."""
    is_float: bool
    """Whether it holds fractions of 16 or 32 bits."""

    @property
    def shape_text(self) -> str:
        """The shape in words: "1 x 3 x 256 x 256"; an open length is "?"."""
        return " x ".join("?" if side is None else str(side) for side in self.shape) or "no axis"


class Header(NamedTuple):
    """What is known of a model before it is read by a library."""

    inputs: tuple[Tensor, ...]
    licence: str = ""
    """What the model's metadata say of its licence."""


class BrokenHeaderError(ModelError):
    """The bytes are no model of this format; the message says where they end or what is wrong."""
