"""The record registry/dropped.csv: samples and subsets that people took out of new versions."""

from sceneset.schemas.base import Line, Model, Word
from sceneset.schemas.names import SubsetNameText


class DroppedRow(Model):
    """One row of registry/dropped.csv: a sample that was dropped, or a subset that was retired."""

    subset: SubsetNameText
    """Name of the subset."""
    sample: Line = ""
    """The sample as phase/stem; empty if the whole subset was retired."""
    image_md5: Line = ""
    """MD5 hash of its image; empty for a whole subset."""
    reason: Word
    """Why. Name no person: git keeps this text forever."""

    @property
    def sort_key(self) -> tuple[str, str, str, str]:
        """What rows are sorted by."""
        return (self.subset, self.sample, self.image_md5, self.reason)
