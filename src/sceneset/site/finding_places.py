"""Which samples findings are about, and which findings are not listed.

The name of a withdrawn or restricted sample must not be on a page: neither as the place of a
finding nor in its message.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from sceneset.catalog.reader import Catalog
from sceneset.errors import FindingsError
from sceneset.paths import DATA_ROOT
from sceneset.reporting.sheet_samples import Choice, allowed
from sceneset.schemas.finding import Finding
from sceneset.schemas.provenance import Restriction
from sceneset.schemas.terms import Phase
from sceneset.site.sample_keys import SampleKeys, SampleName, shown_among

_OTHER = re.compile(
    rf"{re.escape(DATA_ROOT)}/(?P<subset>[^/]+)/img_dir/(?P<phase>{'|'.join(Phase)})/(?P<rest>.*)",
    re.DOTALL,
)


_ANY_SUFFIX = "."
"""Before the suffix of every image."""


@dataclass
class FindingPlaces:
    """The samples of findings."""

    shown: frozenset[SampleName]
    """The samples that pages show, among those of the findings."""
    suffixes: Mapping[str, str]
    """The suffix of the images of each subset."""
    secret: frozenset[str]
    """Subsets with samples that must not be named."""

    def sample_of(self, found: Finding) -> SampleName | None:
        """Return the sample that a finding is about, if pages show it."""
        name = _sample(found)
        return name if name in self.shown else None

    def related_to(self, found: Finding) -> SampleName | None:
        """Return the other sample that a message names, if pages show it."""
        others = related_samples(found.message, self.suffixes)
        return next((name for name in others if name in self.shown), None)

    def is_hidden(self, found: Finding) -> bool:
        """Return whether a finding names a sample that must not be named."""
        if found.stem and found.subset in self.secret and self.sample_of(found) is None:
            return True
        others = list(related_samples(found.message, self.suffixes))
        return any(one.subset in self.secret for one in others) and not self.related_to(found)


def finding_places(
    findings: Iterable[Finding],
    shown: Mapping[str, SampleKeys],
    suffixes: Mapping[str, str],
    secret: Iterable[str],
) -> FindingPlaces:
    """Return the samples of findings.

    Args:
        findings: Any findings.
        shown: The samples that pages show, by subset.
        suffixes: The suffix of the images of each subset.
        secret: Subsets with samples that must not be named.
    """
    names: set[SampleName] = set()
    for found in findings:
        names |= {_sample(found), *related_samples(found.message, suffixes)}
    return FindingPlaces(shown_among(names, shown), suffixes, frozenset(secret))


def without_hidden_names(
    catalog: Catalog, findings: Iterable[Finding], left_out: Collection[Restriction]
) -> list[Finding]:
    """Return the findings whose messages name no sample that must not be named.

    Args:
        catalog: The registry.
        findings: Any findings.
        left_out: Samples with one of these restrictions must not be named.
    """
    findings = list(findings)
    suffixes = dict.fromkeys(catalog.names, _ANY_SUFFIX)
    others = [list(related_samples(found.message, suffixes)) for found in findings]
    keys: dict[str, set[tuple[str, str]]] = {}
    for name in (name for names in others for name in names):
        keys.setdefault(name.subset, set()).add((name.phase, name.stem))
    shown: set[SampleName] = set()
    for subset, wanted in keys.items():
        try:
            found = allowed(catalog, subset, sorted(wanted), left_out, Choice())
            shown |= {SampleName(subset, *key) for key in found}
        except FindingsError:
            continue  # nothing is known of its samples
    return [one for one, names in zip(findings, others, strict=True) if shown.issuperset(names)]


def _sample(found: Finding) -> SampleName:
    return SampleName(found.subset, str(found.phase), found.stem)


def related_samples(message: str, suffixes: Mapping[str, str]) -> Iterator[SampleName]:
    """Yield what the path of another image in a message can mean, the longest name first.

    A file name can contain blanks and dots, so only the registry knows where it ends.
    """
    found = _OTHER.search(message)
    suffix = suffixes.get(found["subset"]) if found else None
    if not found or not suffix:
        return
    end = found["rest"].rfind(suffix)
    while end > 0:
        yield SampleName(found["subset"], found["phase"], found["rest"][:end])
        end = found["rest"].rfind(suffix, 0, end)
