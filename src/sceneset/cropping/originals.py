"""The images to crop: one type for the samples of a registered subset and of a delivery."""

from collections.abc import Callable
from dataclasses import dataclass, field

from sceneset.cropping.types import Refusal
from sceneset.schemas.base import Localized
from sceneset.schemas.provenance import Provenance
from sceneset.schemas.tag import Tag
from sceneset.schemas.terms import Phase


@dataclass(frozen=True, slots=True)
class Original:
    """An image with its mask, from which crops are cut."""

    tag: Tag
    names: tuple[str, ...]
    """Paths without the suffix by which a file of boxes may name the image."""
    source: str
    """What the source column of its crops says."""
    recorded: str
    """What the record of its crops says: SUBSET/PHASE/STEM, or the path in the delivery."""
    image_md5: str
    suffix: str
    """Suffix of the image, ".jpg" or ".png"."""
    width: int
    """Of image and mask as stored, in pixels."""
    height: int
    orientation: int
    """EXIF orientation of the image, 1 to 8. The mask fits the pixels as stored."""

    @property
    def key(self) -> tuple[Phase, str]:
        """Phase and stem."""
        return self.tag.key

    @property
    def shown(self) -> str:
        """The sample in messages."""
        return "/".join(self.tag.key)


@dataclass
class Originals:
    """All images of a source, and how their files are read."""

    images: list[Original]
    """Sorted by phase and stem."""
    read_image: Callable[[Original], bytes]
    """Raises BlobError or FindingsError if the file can't be read."""
    read_mask: Callable[[Original], bytes]
    refused: list[Refusal] = field(default_factory=list)
    """Samples that must not be cropped, or can't be."""
    described: str = ""
    """The source in words, for the description of the crops."""
    category: str = "person"
    provenance: Provenance | None = None
    says: list[str] = field(default_factory=list)
    """What was concluded from a delivery, for the user to check."""

    @property
    def description(self) -> Localized:
        """The description of the subset of crops."""
        return Localized(
            en=f"single persons, cut out around boxes from {self.described}",
            zh=f"按检测框从 {self.described} 裁切的单人图像",
        )


def unique_in_phases(keys: "list[tuple[Phase, str]]") -> dict[str, bool]:
    """Return for each stem whether just one phase has it."""
    seen: dict[str, bool] = {}
    for _, stem in keys:
        seen[stem] = stem not in seen
    return seen
