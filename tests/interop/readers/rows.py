"""What a reader found, printed as JSON: one row for each sample."""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL.Image import Image

Mask = np.ndarray
PERSON, IGNORE = 1, 255


class Rows:
    """The samples that a library gives, in its order."""

    def __init__(self) -> None:
        self._rows: list[dict[str, Any]] = []

    def add(
        self, name: object, image: bytes | str | Path | Image, mask: Mask, **details: object
    ) -> None:
        """Add a sample.

        Args:
            name: Name of the sample as the library gives it.
            image: The image file that the library pairs with the mask, its bytes, or its pixels.
            mask: height x width; persons are 1, ignored pixels 255.
            details: More fields of the row.
        """
        if isinstance(image, Image):
            data = image.convert("RGB").tobytes()
        else:
            data = image if isinstance(image, bytes) else Path(image).read_bytes()
        mask = np.ascontiguousarray(mask, np.uint8)
        height, width = mask.shape
        row = {
            "name": str(name),
            "image": hashlib.sha256(data).hexdigest(),
            "width": width,
            "height": height,
            "person": int((mask == PERSON).sum()),
            "ignore": int((mask == IGNORE).sum()),
            "mask": hashlib.sha256(mask.tobytes()).hexdigest(),
            "covered": hashlib.sha256((mask > 0).astype(np.uint8).tobytes()).hexdigest(),
        }
        self._rows.append(row | details)

    def print(self, **facts: object) -> None:
        """Print the rows, and facts about the whole. Libraries print too: it is the last line."""
        sys.stdout.flush()
        print("\n" + json.dumps({"rows": self._rows} | facts, ensure_ascii=False))


def paint(shape: tuple[int, int], regions: list[tuple[Mask, bool]]) -> Mask:
    """Return the mask of the regions of an image, each with whether it is to be ignored."""
    mask = np.zeros(shape, np.uint8)
    for inside, is_ignored in sorted(regions, key=lambda region: region[1]):
        mask[np.asarray(inside, bool)] = IGNORE if is_ignored else PERSON
    return mask
