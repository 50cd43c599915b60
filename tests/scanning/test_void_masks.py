"""Masks of 0 and 255 alone are errors only if no other mask uses 1."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from sceneset.scanning.measure_sample import Measured, Pair, measure_in_threads
from sceneset.scanning.void_masks import settle_void_masks
from sceneset.schemas.params import Limits
from sceneset.schemas.terms import Phase
from support.build import write_image


def measured(folder: Path, masks: Sequence[Image.Image]) -> list[Measured]:
    pairs = []
    for number, mask in enumerate(masks):
        image, path = folder / f"{number}.jpg", folder / f"{number}.png"
        write_image(image, number)
        mask.save(path)
        pairs.append(Pair(Phase.TRAIN, str(number), image, path, folder))
    return list(settle_void_masks(measure_in_threads(pairs, Limits())))


def mask(*values: int, mode: str = "L") -> Image.Image:
    """Return a mask that holds 0 and these values."""
    array = np.zeros((24, 32), np.uint8)
    for number, value in enumerate(values):
        array[number // 32, number % 32] = value
    image = Image.fromarray(array)
    if mode == "P":
        image.putpalette([0, 0, 0, 200, 0, 0, 0, 200, 0, 0, 0, 200])
        return image
    return image.convert(mode)


def codes(results: Sequence[Measured]) -> list[tuple[str, ...]]:
    return [tuple(found.code for found in result.findings) for result in results]


def test_masks_of_0_and_255_are_taken_in_their_order_when_another_mask_uses_1(
    tmp_path: Path,
) -> None:
    results = measured(tmp_path, [mask(), mask(255), mask(), mask(1), mask(255), mask(1, 255)])
    assert [result.pair.stem for result in results] == [*"012345"]
    assert codes(results) == [()] * 6
    assert [r.row and (r.row.person, r.row.ignore) for r in results] == [
        (0, 0), (0, 1), (0, 0), (1, 0), (0, 1), (1, 1),
    ]  # fmt: skip


def test_masks_of_0_and_255_are_errors_when_no_mask_uses_1(tmp_path: Path) -> None:
    results = measured(tmp_path, [mask(), mask(255), mask()])
    assert codes(results) == [(), ("mask-0-255",), ()]
    assert results[1].row is None
    assert results[1].void_row is not None


def test_masks_that_are_refused_count_when_1_is_one_of_their_classes(tmp_path: Path) -> None:
    for other in (mask(1, 2, 3), mask(1, mode="P"), mask(1, mode="RGB"), mask(1, mode="RGBA")):
        results = measured(tmp_path, [mask(255), other])
        assert codes(results)[0] == (), other.mode
        assert results[1].row is None


def test_levels_of_gray_are_no_classes(tmp_path: Path) -> None:
    matte = mask(*range(1, 250))
    for other in (matte, matte.convert("RGB"), mask(255, mode="1"), mask(2, mode="P")):
        assert codes(measured(tmp_path, [mask(255), other]))[0] == ("mask-0-255",), other.mode
