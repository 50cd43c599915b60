"""Hashes of turned images, computed from the hashes of an image and of its mirror image."""

import numpy as np
import pytest
from PIL import Image

from sceneset.catalog.orientations import all_orientations
from sceneset.catalog.tombstones import MAX_COPY_DISTANCE
from sceneset.imaging.perceptual_hash import hash_pixels


def drawn(seed: int) -> Image.Image:
    low = np.random.default_rng(seed).integers(0, 256, (6, 7, 3), dtype=np.uint8)
    return Image.fromarray(low).resize((320, 240), Image.Resampling.BICUBIC)


@pytest.mark.parametrize("turn", list(Image.Transpose))
def test_hashes_of_an_image_match_it_in_every_orientation(turn: Image.Transpose) -> None:
    for seed in range(5):
        image = drawn(seed)
        known = hash_pixels(np.asarray(image))
        turned = hash_pixels(np.asarray(image.transpose(turn)))
        distances = [
            (value ^ turned.phash).bit_count()
            for value in all_orientations(known.phash, known.mirror)
        ]
        assert min(distances) <= MAX_COPY_DISTANCE


def test_hashes_of_another_image_do_not_match_in_any_orientation() -> None:
    hashes = [hash_pixels(np.asarray(drawn(seed))) for seed in range(20)]
    for first in hashes:
        for second in hashes:
            values = all_orientations(first.phash, first.mirror)
            least = min((value ^ second.phash).bit_count() for value in values)
            assert first is second or least > MAX_COPY_DISTANCE


def test_hashes_of_a_scan_are_preferred_to_computed_ones() -> None:
    assert all_orientations(1, 2, (3, 4, 5, 6, 7, 8)) == (1, 2, 3, 4, 5, 6, 7, 8)
    assert len(all_orientations(1, 2)) == 8
