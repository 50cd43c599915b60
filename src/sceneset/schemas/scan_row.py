"""A scan row: what the pixels of one sample say, computed once."""

from typing import Annotated

from pydantic import Field

from sceneset.schemas.base import Model
from sceneset.schemas.names import Stem
from sceneset.schemas.terms import Phase

Md5 = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
Count = Annotated[int, Field(ge=0)]


class ScanRow(Model):
    """One sample as its two files are. All sums are exact integers over all pixels."""

    phase: Phase
    stem: Stem
    image: str
    """File name in img_dir/<phase>."""
    mask: str
    """File name in ann_dir/<phase>."""
    image_md5: Md5
    """Content hash as DVC has it."""
    mask_md5: Md5
    image_bytes: Count
    mask_bytes: Count
    width: Annotated[int, Field(ge=1)]
    height: Annotated[int, Field(ge=1)]
    mode: str
    """Pillow's name of the stored pixels: RGB, L, CMYK..."""
    traits: tuple[str, ...] = ()
    """What else the image file is or carries: progressive, gps, "profile Display P3"..."""
    orientation: Annotated[int, Field(ge=1, le=8)] = 1
    """EXIF orientation of the image; pixels are measured as stored."""
    sum_r: Count
    sum_g: Count
    sum_b: Count
    """Sum of each channel's values 0-255."""
    sq_r: Count
    sq_g: Count
    sq_b: Count
    """Sum of each channel's squared values."""
    phash: str
    """64-bit DCT perceptual hash of the full decode, 16 hex digits."""
    phash_mirror: str
    """The same of the mirrored image."""
    pdq: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """256-bit PDQ hash of a 64 x 64 copy: a second opinion."""
    person: Count
    """Mask pixels of value 1."""
    ignore: Count
    """Mask pixels of value 255; the rest is background."""
    box: tuple[int, int, int, int] | None = None
    """Smallest box around all person pixels: left, top, right, bottom, the last two exclusive."""
    parts: tuple[int, ...] = ()
    """Pixels of each separate part of the person, largest first, 32 at most."""
    parts_total: Count = 0
    holes: tuple[int, ...] = ()
    """Pixels of each hole in the person, largest first, 32 at most."""
    holes_total: Count = 0
    straight: Annotated[int, Field(ge=0, le=1000)] = 0
    """Thousandths of the largest part's outline that lie in long straight edges."""
    contrast: Annotated[int, Field(ge=0, le=255)] | None = None
    """Levels of green between the least and the most under the mask."""

    @property
    def key(self) -> tuple[Phase, str]:
        """The sample: phase and stem."""
        return (self.phase, self.stem)
