"""How well near-duplicates are found: made variants of real photos, by kind of change.

    python benchmarks/near_rule.py FOLDER...

Every JPEG below the folders counts as one photo; photos that already look alike (within 16 bits)
are left out but for one, so that every pair of different photos is a false one. Each photo is
changed in every way, and compared with all photos, as the leakage gate compares held-out images
with training images. Prints Markdown.
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

from sceneset.imaging.facts import looks_of_image
from sceneset.imaging.perceptual_hash import Looks
from sceneset.schemas.params import Leakage

Bits = npt.NDArray[np.integer[Any]]
Change = Callable[[Image.Image], Image.Image]
_APART = 16  # bits


def encoded(quality: int) -> Change:
    """Encode as JPEG again."""

    def change(image: Image.Image) -> Image.Image:
        held = io.BytesIO()
        image.save(held, "JPEG", quality=quality)
        return Image.open(held).convert("RGB")

    return change


def scaled(share: float) -> Change:
    """Scale both sides."""
    return lambda p: p.resize((round(p.width * share), round(p.height * share)))


def cropped(left: float, top: float, right: float, bottom: float) -> Change:
    """Cut so much off each side, as a share of the whole."""

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


class Set:
    """Hashes of many pictures, in columns."""

    def __init__(self, all_looks: list[Looks]) -> None:
        self.phash = np.array([one.phash for one in all_looks], np.uint64)
        self.mirror = np.array([one.mirror for one in all_looks], np.uint64)
        raw = b"".join(one.pdq.to_bytes(32) for one in all_looks)
        self.pdq = np.frombuffer(raw, ">u8").astype(np.uint64).reshape(-1, 4)

    def apart(self, photos: "Set") -> tuple[Bits, Bits, Bits]:
        """Return bits apart from each of the photos: as it is, mirrored, by second opinion."""
        plain = np.bitwise_count(self.phash[:, None] ^ photos.phash[None])
        mirrored = np.bitwise_count(self.mirror[:, None] ^ photos.phash[None])
        second = np.stack([np.bitwise_count(row ^ photos.pdq).sum(axis=1) for row in self.pdq])
        return plain, mirrored, second


def main(folders: list[str]) -> None:
    """Measure, and print the table."""
    files = sorted(path for folder in folders for path in Path(folder).rglob("*.jpg"))
    changes: dict[str, Change] = {"": lambda p: p} | CHANGES

    def measured(path: Path) -> dict[str, Looks]:
        with Image.open(path) as opened:
            image = opened.convert("RGB")
        return {name: looks_of_image(change(image)) for name, change in changes.items()}

    with ThreadPoolExecutor() as pool:
        found = list(pool.map(measured, files))
    everything = Set([one[""] for one in found])
    plain, mirrored, _ = everything.apart(everything)
    alike = np.minimum(plain, mirrored) <= _APART
    kept = [n for n in range(len(files)) if not alike[n, :n].any()]
    photos = Set([found[n][""] for n in kept])
    rule = Leakage()
    print(
        f"{len(kept)} photos that do not look alike, of {len(files)}; near <= {rule.near}, "
        f"review <= {rule.review} bits where PDQ agrees within {rule.second} of 256\n"
    )
    print("| change | found, near | near or review | false pairs, near | false, review |")
    print("| --- | ---: | ---: | ---: | ---: |")
    totals = np.zeros(6, np.int64)
    for name in CHANGES:
        one, other, second = Set([found[n][name] for n in kept]).apart(photos)
        least = np.minimum(one, other)
        near = least <= rule.near
        review = (one <= rule.review) & (second <= rule.second) & ~near
        own = np.eye(len(kept), dtype=bool)
        row = np.array(
            [
                (near & own).sum(),
                ((near | review) & own).sum(),
                (near & ~own).sum(),
                (review & ~own).sum(),
                len(kept),
                1,
            ]
        )
        totals += row
        near_share, share = row[:2] / len(kept)
        print(f"| {name} | {near_share:.1%} | {share:.1%} | {row[2]} | {row[3]} |")
    pairs = totals[0] + totals[2]
    print(f"\nPrecision of near pairs {totals[0] / pairs:.4f} ({totals[2]} of {pairs} false)")


if __name__ == "__main__":
    main(sys.argv[1:])
