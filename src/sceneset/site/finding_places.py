"""Which samples findings are about, and which findings are not listed.

The name of a withdrawn or restricted sample must not be on a page: neither as the place of a
finding nor in its message.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sceneset.paths import DATA_ROOT
from sceneset.schemas.finding import Finding
from sceneset.schemas.terms import Phase
from sceneset.site.model import SubsetModel
from sceneset.site.sample_keys import SampleName, shown_among

_OTHER = re.compile(
    rf"{re.escape(DATA_ROOT)}/(?P<subset>[^/]+)/img_dir/(?P<phase>{'|'.join(Phase)})/(?P<rest>.*)",
    re.DOTALL,
)


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


def finding_places(findings: Iterable[Finding], subsets: Iterable[SubsetModel]) -> FindingPlaces:
    """Return the samples of findings."""
    models = {subset.name: subset for subset in subsets}
    suffixes = {name: subset.entry.img_suffix for name, subset in models.items()}
    names: set[SampleName] = set()
    for found in findings:
        names |= {_sample(found), *related_samples(found.message, suffixes)}
    return FindingPlaces(
        shown_among(names, {name: subset.keys for name, subset in models.items()}),
        suffixes,
        frozenset(n for n, subset in models.items() if subset.withdrawn or subset.restricted),
    )


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
