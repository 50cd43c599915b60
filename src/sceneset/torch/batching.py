"""Join samples of different sizes into one batch."""

from collections.abc import Sequence
from typing import Any

import torch
from torch.nn.functional import pad

from sceneset.errors import UsageError

_IGNORE = 255


def collate(
    items: Sequence[dict[str, Any]],
    *,
    fit: str = "pad",
    size: tuple[int, int] | None = None,
    divisor: int = 1,
) -> dict[str, Any]:
    """Return a batch: "image", "mask" as int64 for cross_entropy, "key" and the original "size".

    Use it as ``collate_fn``; ``functools.partial`` sets the options. Padded pixels are 0 in images
    and 255 in masks, so a loss with ``ignore_index=255`` leaves them out.

    Args:
        items: Items of a dataset of this package.
        fit: "pad" to the largest height and width of the batch, or "crop" the centers to the
            smallest.
        size: Height and width of all batches; larger images are cropped, smaller ones padded.
        divisor: Height and width become multiples of it: larger ones for "pad", smaller ones, but
            at least one multiple, for "crop".
    """
    if fit not in {"pad", "crop"}:
        raise UsageError(f"samples can't be fitted by {fit!r}; use pad or crop")
    shapes = [tuple(item["image"].shape[-2:]) for item in items]
    height, width = size or (
        _side([shape[0] for shape in shapes], fit, divisor),
        _side([shape[1] for shape in shapes], fit, divisor),
    )
    return {
        "image": torch.stack([_fitted(item["image"], height, width, 0) for item in items]),
        "mask": torch.stack(
            [_fitted(item["mask"], height, width, _IGNORE) for item in items]
        ).long(),
        "key": [item["key"] for item in items],
        "size": torch.tensor(shapes),
    }


def _side(sides: Sequence[int], fit: str, divisor: int) -> int:
    if fit == "pad":
        return -(-max(sides) // divisor) * divisor
    return max(min(sides) // divisor, 1) * divisor


def _fitted(tensor: Any, height: int, width: int, value: int) -> torch.Tensor:
    """Return the center of a tensor, padded at the right and at the bottom."""
    tensor = tensor.as_subclass(torch.Tensor)
    top = max(0, (tensor.shape[-2] - height) // 2)
    left = max(0, (tensor.shape[-1] - width) // 2)
    tensor = tensor[..., top : top + height, left : left + width]
    below, right = height - tensor.shape[-2], width - tensor.shape[-1]
    return pad(tensor, (0, right, 0, below), value=value) if below or right else tensor
