"""Scan rows: the measurements of one sample.

The scan stage computes them once per sample; all later stages work on the scans, without images.
"""

from typing import Annotated

from pydantic import Field

from sceneset.schemas.base import Model
from sceneset.schemas.names import Stem
from sceneset.schemas.terms import Phase

Md5 = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
Count = Annotated[int, Field(ge=0)]


class ScanRow(Model):
    """Measurements of one image and its mask. All sums are exact integers over all pixels."""

    phase: Phase
    """train, val or test."""
    stem: Stem
    """File name of the image without its suffix."""
    image: str
    """File name of the image in img_dir/<phase>."""
    mask: str
    """File name of the mask in ann_dir/<phase>."""
    image_md5: Md5
    """MD5 hash of the image file, as DVC records it."""
    mask_md5: Md5
    """MD5 hash of the mask file, as DVC records it."""
    picture: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")] | None = None
    """Digest of the image's decoded pixels as shown, with the EXIF orientation applied: the same
    for every file of one picture. None in scans of algorithms before 5."""
    image_bytes: Count
    """Size of the image file in bytes."""
    mask_bytes: Count
    """Size of the mask file in bytes."""
    width: Annotated[int, Field(ge=1)]
    """Width of image and mask in pixels, as stored."""
    height: Annotated[int, Field(ge=1)]
    """Height of image and mask in pixels, as stored."""
    mode: str
    """Pixel format of the image file, as Pillow names it: RGB, L, CMYK... With ";16" if it has 16
    bits per channel; sums and hashes are then those of the upper 8 bits, as Pillow reads them."""
    traits: tuple[str, ...] = ()
    """Further properties of the image file: progressive, gps, "personal: XMP"..."""
    mask_traits: tuple[str, ...] | None = ()
    """Properties of the mask file besides its pixels: "personal: PNG text Author", "orientation:
    6"... None in scans of algorithms before 5."""
    orientation: Annotated[int, Field(ge=1, le=8)] = 1
    """EXIF orientation of the image, 1 to 8; pixels are measured as stored, not rotated."""
    sum_r: Count
    """Sum of the red values (0-255) of all pixels."""
    sum_g: Count
    """Sum of the green values (0-255) of all pixels."""
    sum_b: Count
    """Sum of the blue values (0-255) of all pixels."""
    sq_r: Count
    """Sum of the squared red values of all pixels."""
    sq_g: Count
    """Sum of the squared green values of all pixels."""
    sq_b: Count
    """Sum of the squared blue values of all pixels."""
    phash: str
    """64-bit DCT perceptual hash of the fully decoded image, 16 hex digits."""
    phash_mirror: str
    """Perceptual hash of the mirrored image, 16 hex digits."""
    phash_turned: Annotated[str, Field(pattern=r"^[0-9a-f]{96}$")] | None = None
    """Perceptual hashes of the image as the EXIF orientations 3 to 8 show it, 16 hex digits each.
    None in scans of algorithms before 5."""
    pdq: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """256-bit PDQ hash of a 64 x 64 copy, 64 hex digits: the second hash of leak-review."""
    person: Count
    """Number of mask pixels with value 1."""
    ignore: Count
    """Number of mask pixels with value 255; all other pixels are background."""
    box: tuple[int, int, int, int] | None = None
    """Bounding box of all person pixels: left, top, right, bottom; right and bottom exclusive."""
    parts: tuple[int, ...] = ()
    """Pixels of each connected part of the person, largest first, at most 32 parts."""
    parts_total: Count = 0
    """Number of all connected parts."""
    holes: tuple[int, ...] = ()
    """Pixels of each hole in the person, largest first, at most 32 holes."""
    holes_total: Count = 0
    """Number of all holes."""
    straight: Annotated[int, Field(ge=0, le=1000)] = 0
    """Share of long straight edges in the outline of the largest part, in thousandths."""
    contrast: Annotated[int, Field(ge=0, le=255)] | None = None
    """Largest minus smallest green value (0-255) of the pixels under the mask."""
    outline: Count | None = None
    """Pixels of the outlines that the next columns measure: the 32 longest, without the border of
    the image and edges against ignored pixels. 0 if there is none; the next columns are then None,
    as all four are in scans of algorithms before 7."""
    outline_straight: Annotated[int, Field(ge=0, le=1000)] | None = None
    """Share of long straight edges in these outlines, in thousandths."""
    outline_turning: Count | None = None
    """How far these outlines turn on a way as long as the person is large (the square root of the
    area), in thousandths of a radian."""
    outline_edge: Annotated[int, Field(ge=0, le=1000)] | None = None
    """How much of the contrast within 6 pixels of these outlines is within 1 pixel, in
    thousandths. None if the image has no contrast there."""

    @property
    def hashes(self) -> tuple[int, ...]:
        """The perceptual hashes of the image as the EXIF orientations from 1 on show it.

        All eight of them, or only the first two in scans of algorithms before 5.
        """
        digits = self.phash + self.phash_mirror + (self.phash_turned or "")
        return tuple(int(digits[start : start + 16], 16) for start in range(0, len(digits), 16))

    @property
    def key(self) -> tuple[Phase, str]:
        """Phase and stem, which identify the sample within its subset."""
        return (self.phase, self.stem)
