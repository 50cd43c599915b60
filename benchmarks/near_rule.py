"""Measure how well the leakage rules find near-duplicates, by kind of change.

    python benchmarks/near_rule.py FOLDER...

Every JPEG below the folders is one photo. Of photos with similar hashes (within 16 bits) only one
is used, so that every match between different photos is a false match. Each photo is changed in
every way, and compared with all photos, as the leakage stage compares held-out images with training
images. Prints a Markdown table.
"""

import io
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageEnhance, ImageFilter, ImageOps

from sceneset.imaging.facts import hash_pil_image
from sceneset.imaging.perceptual_hash import ImageHashes
from sceneset.schemas.params import LeakageParams

Bits = npt.NDArray[np.integer[Any]]
Change = Callable[[Image.Image], Image.Image]
_SIMILAR = 16  # bits


def encoded(quality: int) -> Change:
    """Return a change that encodes the photo as JPEG again."""

    def change(image: Image.Image) -> Image.Image:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=quality)
        return Image.open(buffer).convert("RGB")

    return change


def scaled(factor: float) -> Change:
    """Return a change that scales both sides by a factor."""
    return lambda p: p.resize((round(p.width * factor), round(p.height * factor)))


def cropped(left: float, top: float, right: float, bottom: float) -> Change:
    """Return a change that crops each side by a fraction of the width or height."""

    def change(p: Image.Image) -> Image.Image:
        w, h = p.size
        return p.crop(
            (round(left * w), round(top * h), round(w - right * w), round(h - bottom * h))
        )

    return change


CHANGES: dict[str, Change] = {
    "re-encoded, quality 30": encoded(30),
    "half the size": scaled(0.5),
    "a quarter of the size": scaled(0.25),
    "twice the size": scaled(2),
    "blurred, radius 2": lambda p: p.filter(ImageFilter.GaussianBlur(2)),
    "brightness x 0.7": lambda p: ImageEnhance.Brightness(p).enhance(0.7),
    "brightness x 1.3": lambda p: ImageEnhance.Brightness(p).enhance(1.3),
    "contrast x 1.4": lambda p: ImageEnhance.Contrast(p).enhance(1.4),
    "gray": lambda p: p.convert("L").convert("RGB"),
    "mirrored": ImageOps.mirror,
    "mirrored, half the size": lambda p: ImageOps.mirror(scaled(0.5)(p)),
    "5 % cropped, centred": cropped(0.025, 0.025, 0.025, 0.025),
    "10 % cropped, centred": cropped(0.05, 0.05, 0.05, 0.05),
    "10 % cropped at one corner": cropped(0.1, 0.1, 0, 0),
    "turned by 2 degrees": lambda p: p.rotate(2, Image.Resampling.BICUBIC),
    "white border of 3 %": lambda p: ImageOps.expand(p, round(0.03 * p.width), "white"),
}


class HashColumns:
    """The hashes of many images as arrays."""

    def __init__(self, images: list[ImageHashes]) -> None:
        self.phash = np.array([hashes.phash for hashes in images], np.uint64)
        self.mirror = np.array([hashes.mirror for hashes in images], np.uint64)
        raw = b"".join(hashes.pdq.to_bytes(32) for hashes in images)
        self.pdq = np.frombuffer(raw, ">u8").astype(np.uint64).reshape(-1, 4)

    def distances(self, photos: "HashColumns") -> tuple[Bits, Bits, Bits]:
        """Return the distances in bits of every image (rows) to every photo (columns).

        The three arrays are the distance of the hashes, that of the mirrored image's hash, and
        that of the PDQ hashes (256 bits).
        """
        plain = np.bitwise_count(self.phash[:, None] ^ photos.phash[None])
        mirrored = np.bitwise_count(self.mirror[:, None] ^ photos.phash[None])
        pdq = np.stack([np.bitwise_count(row ^ photos.pdq).sum(axis=1) for row in self.pdq])
        return plain, mirrored, pdq


def main(folders: list[str]) -> None:
    """Compare all changed photos with all photos, and print the table."""
    files = sorted(path for folder in folders for path in Path(folder).rglob("*.jpg"))
    changes: dict[str, Change] = {"": lambda p: p} | CHANGES

    def hash_changes(path: Path) -> dict[str, ImageHashes]:
        with Image.open(path) as opened:
            image = opened.convert("RGB")
        return {name: hash_pil_image(change(image)) for name, change in changes.items()}

    with ThreadPoolExecutor() as pool:
        found = list(pool.map(hash_changes, files))
    everything = HashColumns([hashes[""] for hashes in found])
    plain, mirrored, _ = everything.distances(everything)
    is_similar = np.minimum(plain, mirrored) <= _SIMILAR
    kept = [n for n in range(len(files)) if not is_similar[n, :n].any()]
    photos = HashColumns([found[n][""] for n in kept])
    rule = LeakageParams()
    print(
        f"{len(kept)} photos that are not similar, of {len(files)}; near <= {rule.near}, "
        f"review <= {rule.review} bits where PDQ agrees within {rule.second} of 256\n"
    )
    print("| change | found, near | near or review | false pairs, near | false, review |")
    print("| --- | ---: | ---: | ---: | ---: |")
    totals = np.zeros(4, np.int64)
    for name in CHANGES:
        changed = HashColumns([found[n][name] for n in kept])
        plain, mirrored, pdq = changed.distances(photos)
        least = np.minimum(plain, mirrored)
        near = least <= rule.near
        review = (plain <= rule.review) & (pdq <= rule.second) & ~near
        is_original = np.eye(len(kept), dtype=bool)
        row = np.array(
            [
                (near & is_original).sum(),
                ((near | review) & is_original).sum(),
                (near & ~is_original).sum(),
                (review & ~is_original).sum(),
            ]
        )
        totals += row
        near_share, share = row[:2] / len(kept)
        print(f"| {name} | {near_share:.1%} | {share:.1%} | {row[2]} | {row[3]} |")
    pairs = totals[0] + totals[2]
    print(f"\nPrecision of near pairs {totals[0] / pairs:.4f} ({totals[2]} of {pairs} false)")


if __name__ == "__main__":
    main(sys.argv[1:])
