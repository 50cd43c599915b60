"""What a catalogue shows, and what a build of it did."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from sceneset.schemas.finding import Finding
from sceneset.schemas.provenance import Restriction
from sceneset.schemas.version import Version
from sceneset.site.evaluations import EvaluationModel
from sceneset.versions.local_files import LocalFiles

Fetch = Callable[[LocalFiles, list[tuple[str, str | None]]], int]
"""Downloads files; returns their number."""


def _fetch_nothing(_files: LocalFiles, _wanted: list[tuple[str, str | None]]) -> int:
    return 0


@dataclass
class SiteOptions:
    """What a catalogue shows, and how."""

    left_out: Collection[Restriction] = ()
    """Samples with one of these restrictions are not shown."""
    has_large: bool = False
    """Whether a large picture of each sample is written."""
    diffs: int = 1
    """How many of the last versions have pictures of what changed."""
    fetch: Fetch = _fetch_nothing
    translate: Callable[[str], str] = str
    """Returns a message in Chinese."""
    title: str = ""
    state: str = ""
    repo: str = ""
    has_search: bool = False
    """See `SiteModel`."""
    findings: Sequence[Finding] = ()
    versions: Sequence[Version] = ()
    evaluations: Sequence[EvaluationModel] = ()
    """Runs of models; see `sceneset.site.evaluations`."""


@dataclass
class SiteReport:
    """What a build did."""

    samples: int = 0
    missing: int = 0
    """Number of samples without a picture or an outline."""
    withdrawn: int = 0
    restricted: int = 0
    unread: list[str] = field(default_factory=list)
    """Subsets that are left out, because their entry, tags or scan can't be read."""
    fetched: int = 0
    pages: int = 0
    written: int = 0
    """Number of files that are new or changed."""
    deleted: int = 0
    problems: list[str] = field(default_factory=list)
    """Different reasons why pictures are missing."""
