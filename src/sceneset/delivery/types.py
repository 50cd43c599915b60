"""Input and result types of `sceneset add`."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sceneset.catalog.subset_folder import Key, Layout
from sceneset.schemas.crop import CropRow
from sceneset.schemas.delivered import Delivered
from sceneset.schemas.finding import Finding
from sceneset.schemas.rules.delivery import NAMES
from sceneset.schemas.rules.pixels import IMAGES, MASKS
from sceneset.schemas.scan_row import ScanRow
from sceneset.schemas.subset import Subset
from sceneset.schemas.tag import Tag
from sceneset.schemas.terms import Kind

if TYPE_CHECKING:
    from sceneset.formats.archives import Opened
    from sceneset.formats.types import Format, Options

QUARANTINE_CODES = frozenset(
    {
        *(rule.code for group in (IMAGES, MASKS, NAMES) for rule in group),
        *("stray-file", "suffix", "mask-missing", "image-missing", "file-unreadable", "forgotten"),
        *("annotation-broken", "archive-member"),
        *("split-encoding", "split-blank-line", "split-unsafe-line", "split-duplicate-line"),
        *("split-unknown-stem", "split-incomplete", "sample-exists"),
    }
)
"""Codes of errors about one file, sample or line, which `--quarantine` leaves out."""


class Files(NamedTuple):
    """The content hashes of a sample."""

    image_md5: str
    mask_md5: str


@dataclass(frozen=True)
class Request:
    """Which delivery is read, and how."""

    folder: Path
    """The delivered folder."""
    name: str
    """The name of the new subset."""
    kind: Kind | None = None
    entry_file: Path | None = None
    tags_file: Path | None = None
    quarantine: bool = False
    """Leave out bad files, samples and lines instead of refusing the delivery."""
    form: "Format | None" = None
    """The annotation format; None for the Custom layout."""
    options: "Options | None" = None
    """How to read the annotation format."""
    work: Path | None = None
    """An empty folder for the masks that are drawn from annotations."""
    opened: "Opened | None" = None
    """The delivery with its archives extracted, if it has some."""
    scenes_file: Path | None = None
    """A CSV file with the scenes of converted samples."""
    source_pattern: re.Pattern[str] | None = None
    """Finds the source of a sample in its stem; see ``frame_stems.source_of``."""
    into: Subset | None = None
    """The entry of the subset that gets the samples; None for a new subset."""
    existing: Mapping[Key, Files] = field(default_factory=dict)
    """The samples that this subset has already."""


@dataclass
class Delivery:
    """The subset that a delivery would become, and all findings on it."""

    layout: Layout
    entry: Subset | None = None
    """None if no scene table could be built."""
    tags: list[Tag] = field(default_factory=list)
    rows: list[ScanRow] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    left_out: list[Finding] = field(default_factory=list)
    """Errors whose files, samples or lines are not part of the subset."""
    delivered: list[Delivered] = field(default_factory=list)
    """Where each sample comes from, if the delivery was converted from an annotation format."""
    crops: list[CropRow] = field(default_factory=list)
    """How each sample was cut, if `sceneset crop` wrote the delivery."""
    says: list[str] = field(default_factory=list)
    """What was concluded from the delivery, for the user to check."""
    identity: tuple[str, ...] = ()
    """Digests of all samples that could be read, also of those that the subset has already: equal
    for equal deliveries, before and after they are added."""
