"""What the catalogue shows, computed once for all pages and both languages."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sceneset.catalog.reader import Catalog
from sceneset.schemas.finding import Finding
from sceneset.schemas.stats import SubsetStats
from sceneset.schemas.subset import Subset
from sceneset.schemas.terms import Kind
from sceneset.schemas.version import Version
from sceneset.site.facts import Facts, SubsetFacts
from sceneset.site.sample_keys import SampleKeys
from sceneset.versions.records import VersionTag

if TYPE_CHECKING:
    from sceneset.site.evaluations import EvaluationModel
    from sceneset.site.finding_places import FindingPlaces
    from sceneset.site.leak_pairs import LeakPair
    from sceneset.site.selections import SelectionModel

LANGUAGES = ("en", "zh")


@dataclass
class SubsetModel:
    """A subset as pages show it."""

    entry: Subset
    facts: SubsetFacts
    stats: SubsetStats | None = None
    """Its statistics; None if the scan has other samples than the tags."""
    withdrawn: int = 0
    restricted: int = 0
    unscanned: int = 0
    """Numbers of samples that are not shown; see `sceneset.site.samples.ShownSubset`."""
    missing: int = 0
    """Number of shown samples without a picture or an outline."""
    keys: SampleKeys = field(default_factory=SampleKeys)
    """The shown samples."""

    @property
    def name(self) -> str:
        """The name."""
        return self.entry.name

    @property
    def kind(self) -> Kind:
        """The kind, full or crop."""
        return self.entry.kind


@dataclass
class SiteModel:
    """A registry as pages show it."""

    catalog: Catalog
    title: str
    """The name of the registry: of its folder or repository."""
    state: str
    """The version or commit that is shown; "" for the working tree."""
    repo: str
    """What --repo is given for this registry; "" for the current folder."""
    subsets: list[SubsetModel]
    findings: Sequence[Finding]
    """All findings that are not notes, errors first."""
    versions: Sequence[Version]
    """All released versions, oldest first."""
    unread: Sequence[str] = ()
    """Subsets that are left out, because their entry, tags or scan can't be read."""
    whole: Facts = field(default_factory=Facts)
    """Of all subsets."""
    scenes: dict[str, Facts] = field(default_factory=dict)
    """Of each scene of the vocabulary, by key."""
    has_search: bool = False
    """Whether a server has a page search.html beside the pages."""
    has_large: bool = False
    """Whether there is a large picture of each sample."""
    translate: Callable[[str], str] = str
    """Returns a message in Chinese."""
    address: str = ""
    """What readers clone, without credentials; "" if it is not known."""
    tags: Mapping[str, VersionTag] = field(default_factory=dict)
    """What git knows about versions, by number."""
    licences: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """The licences of each subset of each version that can be read, in one text."""
    selections: Sequence["SelectionModel"] = ()
    places: "FindingPlaces | None" = None
    """The samples of the findings; set before pages are made."""
    pairs: Sequence["LeakPair"] = ()
    """Related images, with pictures."""
    histories: Sequence[str] = ()
    """The subsets that have a file with the history of their samples."""
    evaluations: Sequence["EvaluationModel"] = ()
    """Runs that were evaluated, in the order in which they were given."""
    diffs: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """HTML that shows what changed, by version and language; see `sceneset.site.version_diffs`."""

    @property
    def latest(self) -> Version | None:
        """The latest version."""
        return self.versions[-1] if self.versions else None

    def subsets_of(self, scene: str) -> list[SubsetModel]:
        """Return the subsets that have samples of a scene."""
        return [subset for subset in self.subsets if scene in subset.facts.scenes]
