"""Lineage: which files of a sample replaced which, so that changed samples are still known.

An image is identified by the hash of its file. Removing metadata, turning the pixels or replacing
the mask gives new files; the lineage records both.
"""

from pydantic import model_validator

from sceneset.schemas.base import Model, Word
from sceneset.schemas.names import Stem
from sceneset.schemas.scan_row import Md5
from sceneset.schemas.terms import Phase


class LineageRow(Model):
    """One row of registry/lineage/<subset>.csv: a sample before and after a change of its files."""

    phase: Phase
    """Phase of the sample before the change: train, val or test."""
    stem: Stem
    """File name of the image before the change, without its suffix."""
    image_md5: Md5
    """MD5 hash of the image file before the change."""
    mask_md5: Md5
    """MD5 hash of the mask file before the change."""
    new_phase: Phase
    """Phase after the change."""
    new_stem: Stem
    """File name of the image after the change, without its suffix."""
    new_image_md5: Md5
    """MD5 hash of the image file after the change."""
    new_mask_md5: Md5
    """MD5 hash of the mask file after the change."""
    reason: Word
    """What changed the sample, for example "fix: image-gps image-orientation"."""

    @model_validator(mode="after")
    def _something_changes(self) -> "LineageRow":
        if self.before == self.after:
            raise ValueError("the sample is the same before and after")
        return self

    @property
    def before(self) -> tuple[str, str, str, str]:
        """Phase, stem, image and mask before the change."""
        return (self.phase, self.stem, self.image_md5, self.mask_md5)

    @property
    def after(self) -> tuple[str, str, str, str]:
        """Phase, stem, image and mask after the change."""
        return (self.new_phase, self.new_stem, self.new_image_md5, self.new_mask_md5)
