"""What an add is asked to take, and what checking it comes to."""

from dataclasses import dataclass, field
from pathlib import Path

from sceneset.catalog.subset_folder import Layout
from sceneset.schemas.finding import Finding
from sceneset.schemas.rules.delivery import NAMES
from sceneset.schemas.rules.pixels import IMAGES, MASKS
from sceneset.schemas.scan_row import ScanRow
from sceneset.schemas.subset import Subset
from sceneset.schemas.tag import Tag
from sceneset.schemas.terms import Kind

LEAVABLE = frozenset(
    {
        *(rule.code for group in (IMAGES, MASKS, NAMES) for rule in group),
        *("stray-file", "suffix", "mask-missing", "image-missing", "file-unreadable", "forgotten"),
        *("split-encoding", "split-blank-line", "split-unsafe-line", "split-duplicate-line"),
        *("split-unknown-stem", "split-incomplete"),
    }
)
"""Errors that concern one file, sample or line: a delivery can be taken without it."""


@dataclass
class Delivery:
    """What a delivery would become.

    ``problems`` holds every finding, ``left_out`` those errors whose files, samples or lines are
    not part of the subset.
    """

    layout: Layout
    entry: Subset | None = None
    tags: list[Tag] = field(default_factory=list)
    rows: list[ScanRow] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    left_out: list[Finding] = field(default_factory=list)


@dataclass(frozen=True)
class Request:
    """What `sceneset add` was asked to take."""

    folder: Path
    name: str
    kind: Kind | None = None
    entry_file: Path | None = None
    tags_file: Path | None = None
    quarantine: bool = False
