"""Statistics of a group of samples, computed exactly from scan rows without reading pixels.

Sums are integers of any size. Means of per-image values are computed with ``math.fsum``, which
rounds only once. The same rows give the same digits on every machine and in any order.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sceneset.reporting.scan_columns import Measures, scaled_variances
from sceneset.schemas.stats import Colour, Foreground, GroupStats, Rgb, Sizes

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Ints = npt.NDArray[np.int64]
    Floats = npt.NDArray[np.float64]

_DIGITS = 12  # decimal places of colours and shares
_FEW = 10_000  # images


def group_statistics(measures: Measures, boxes: int | None) -> GroupStats:
    """Return all statistics of a group of samples.

    Args:
        measures: The samples.
        boxes: Their number of detection boxes, or None if it is not known.
    """
    if not len(measures):
        return GroupStats(images=0, boxes=boxes)
    columns = measures.columns
    pixels = columns["width"] * columns["height"]
    return GroupStats(
        images=len(measures),
        boxes=boxes,
        sizes=_sizes(columns["width"], columns["height"]),
        colour=_colour(columns, pixels),
        foreground=_foreground(columns, pixels),
    )


def _sizes(width: "Ints", height: "Ints") -> Sizes:
    import numpy as np

    packed, counts = np.unique(width << 32 | height, return_counts=True)
    sizes = [(size >> 32, size & 0xFFFFFFFF) for size in packed.tolist()]
    by_area = sorted(sizes, key=lambda size: (size[0] * size[1], size))
    count_of = dict(zip(sizes, counts.tolist(), strict=True))
    # min returns the first of several: the smallest of equally common sizes
    commonest = min(by_area, key=lambda size: -count_of[size])
    return Sizes(distinct=len(sizes), smallest=by_area[0], largest=by_area[-1], commonest=commonest)


def _colour(columns: dict[str, "Ints"], pixels: "Ints") -> Colour:
    """Return means and standard deviations of the values 0-255, scaled to 0-1."""
    import numpy as np

    channels: list[tuple[float, ...]] = []
    n = exact_sum(pixels)
    # Of few images all channels are computed together, of many one by one, for less memory.
    for names in ("rgb",) if len(pixels) < _FEW else ("r", "g", "b"):
        sums = np.stack([columns[f"sum_{channel}"] for channel in names])
        squares = np.stack([columns[f"sq_{channel}"] for channel in names])
        means: Floats = sums / pixels / 255
        variances = scaled_variances(pixels, sums, squares).astype(float)
        deviations: Floats = np.sqrt(variances) / pixels / 255
        image_means = [exact_mean(row) for row in means.tolist()]
        image_deviations = [exact_mean(row) for row in deviations.tolist()]
        spreads = np.square(means - np.array(image_means)[:, None]).tolist()
        channels += zip(  # in the order of Colour's fields
            (total / (n * 255) for total in exact_sums(sums)),  # of whole numbers: rounded once
            (
                math.sqrt((n * total_squares - total * total) / (n * 255) ** 2)
                for total, total_squares in zip(exact_sums(sums), exact_sums(squares), strict=True)
            ),
            image_means,
            image_deviations,
            (math.sqrt(exact_mean(row)) for row in spreads),
            strict=True,
        )
    values: list[Rgb] = [
        (round(r, _DIGITS), round(g, _DIGITS), round(b, _DIGITS))
        for r, g, b in zip(*channels, strict=True)
    ]
    return Colour(**dict(zip(Colour.model_fields, values, strict=True)))


def _foreground(columns: dict[str, "Ints"], pixels: "Ints") -> Foreground:
    n = exact_sum(pixels)
    shares: Floats = columns["person"] / pixels
    return Foreground(
        pooled=round(exact_sum(columns["person"]) / n, _DIGITS),
        image_mean=round(exact_mean(shares.tolist()), _DIGITS),
        ignored=round(exact_sum(columns["ignore"]) / n, _DIGITS),
        without_person=int((columns["person"] == 0).sum()),
    )


def exact_sum(column: "Ints") -> int:
    """Return the exact sum of non-negative integers, even if it exceeds 64 bits."""
    [total] = exact_sums(column[None])
    return total


def exact_sums(rows: "Ints") -> list[int]:
    """Return the exact sum of each row of non-negative integers, even if it exceeds 64 bits.

    The upper and lower halves are summed separately, and neither sum can overflow.
    """
    high, low = (rows >> 32).sum(axis=1), (rows & 0xFFFFFFFF).sum(axis=1)
    return [(upper << 32) + lower for upper, lower in zip(high.tolist(), low.tolist(), strict=True)]


def exact_mean(values: Sequence[float]) -> float:
    """Return the mean of values whose sum is rounded once, so that their order has no effect."""
    return math.fsum(values) / len(values)
