"""The findings of a review with pictures of their samples; related samples side by side.

Findings that can't have a picture, for example because a subset can't be read, are texts.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sceneset.catalog.reader import Catalog
from sceneset.catalog.subset_folder import printable
from sceneset.errors import FindingsError
from sceneset.paths import DATA_ROOT
from sceneset.progress import Progress, no_progress
from sceneset.quality.leakage import LEAKAGE_CODES
from sceneset.reporting.contact_sheet import Card, Translate, draw_cards
from sceneset.reporting.draw_diff import GRID_SIDE, encoded
from sceneset.reporting.picture_diff import Photo
from sceneset.reporting.sheet_samples import Choice, Key, SheetEntry, allowed, entries_of
from sceneset.schemas.finding import Finding, in_order
from sceneset.schemas.terms import Phase
from sceneset.versions.local_files import LocalFiles

FINDINGS = 20
"""Findings of each rule that are shown, unless an option says otherwise."""
PICTURES = 120
"""Samples of findings that are drawn at most."""

Fetch = Callable[[LocalFiles, Sequence[tuple[str, str | None]]], int]
"""Downloads files, by path and hash, and returns their number."""


class SamplePicture(NamedTuple):
    """A sample of a finding."""

    name: str
    facts: tuple[str, ...]
    photo: Photo | None
    problem: str
    """Why the image or its mask is not shown."""


class ShownFinding(NamedTuple):
    """A finding with the pictures of its sample and, of a relation, of the other sample."""

    finding: Finding
    pictures: tuple[SamplePicture, ...] = ()


@dataclass
class FindingGroup:
    """The new findings of one rule."""

    code: str
    shown: list[ShownFinding]
    total: int


@dataclass
class ReviewPictures:
    """The findings of a review, errors first."""

    groups: list[FindingGroup] = field(default_factory=list)
    known: Counter[str] = field(default_factory=Counter)
    """Number of findings of each rule that the base has too."""
    hidden: int = 0
    """Number of samples that are withdrawn or restricted and therefore not drawn."""
    fetched: int = 0

    @property
    def drawn(self) -> int:
        """Number of pictures."""
        return sum(
            picture.photo is not None
            for group in self.groups
            for found in group.shown
            for picture in found.pictures
        )


def draw_findings(
    catalog: Catalog,
    new: Iterable[Finding],
    known: Iterable[Finding],
    *,
    limit: int = FINDINGS,
    fetch: Fetch | None = None,
    language: str = "en",
    translate: Translate = str,
    progress: Progress = no_progress,
) -> ReviewPictures:
    """Return the findings of a changed registry with pictures.

    Args:
        catalog: The changed registry.
        new: The findings that the base does not have; waived ones are left out.
        known: The findings that the base has too; they are counted.
        limit: Findings of each rule that are shown.
        fetch: Downloads files; None draws only what is on this machine.
        language: "en" or "zh".
        translate: Translates messages about files that are not shown.
        progress: Called with the pictures.

    Raises:
        DvcError: Files are to be downloaded and the remote can't be reached.
    """
    by_rule: dict[str, list[Finding]] = {}
    for found in in_order(new):
        if not found.waived:
            by_rule.setdefault(found.code, []).append(found)
    shown = {code: found[:limit] for code, found in by_rule.items()}
    related = _Related(catalog)
    keys_of = {id(found): related.keys(found) for findings in shown.values() for found in findings}
    wanted = list(dict.fromkeys(key for keys in keys_of.values() for key in keys))[:PICTURES]
    result = ReviewPictures(known=Counter(found.code for found in known if not found.waived))
    files = LocalFiles(catalog)
    entries = list(_entries(catalog, wanted, files, result, language=language))
    if fetch:
        result.fetched = fetch(files, [file for entry in entries for file in entry.files])
    cards = draw_cards(
        [entry.entry for entry in entries],
        catalog.params.limits,
        side=GRID_SIDE,
        language=language,
        translate=translate,
        progress=progress,
    )
    pictures = {(c.entry.subset, c.entry.phase, c.entry.stem): _picture(c) for c in cards}

    def with_pictures(found: Finding) -> ShownFinding:
        names = ((subset, phase, printable(stem)) for subset, phase, stem in keys_of[id(found)])
        return ShownFinding(found, tuple(pictures[name] for name in names if name in pictures))

    result.groups = [
        FindingGroup(code, [with_pictures(found) for found in findings], len(by_rule[code]))
        for code, findings in shown.items()
    ]
    return result


def _entries(
    catalog: Catalog,
    keys: Sequence[Key],
    files: LocalFiles,
    result: ReviewPictures,
    *,
    language: str,
) -> Iterator[SheetEntry]:
    """Yield the samples that may be drawn, without those of subsets that can't be read."""
    for name in dict.fromkeys(subset for subset, _, _ in keys):
        choice = Choice()
        try:
            of_subset = [key[1:] for key in keys if key[0] == name]
            may = [(name, *key) for key in allowed(catalog, name, of_subset, (), choice)]
            yield from entries_of(catalog, may, files, language=language)
        except FindingsError:
            continue  # the findings say what is wrong
        result.hidden += choice.withdrawn + choice.restricted


def _picture(card: Card) -> SamplePicture:
    entry = card.entry
    photo = encoded(card.overlay) if card.overlay else None
    return SamplePicture(f"{entry.subset}/{entry.name}", entry.facts, photo, card.problem)


class _Related:
    """Finds the samples that findings are about."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._names = catalog.names
        self._stems: dict[tuple[str, Phase], set[str]] = {}

    def keys(self, found: Finding) -> list[Key]:
        """Return the sample of a finding and, for relations, the other one that it names."""
        if not (found.stem and found.phase and found.subset in self._names):
            return []
        own = (found.subset, found.phase, found.stem)
        other = self._other(found.message) if found.code in LEAKAGE_CODES else None
        return [own, other] if other and other != own else [own]

    def _other(self, message: str) -> Key | None:
        """Return the sample whose image path a message contains, if the tags have it."""
        for name in self._names:
            for phase in Phase:
                _, found, rest = message.partition(f"{DATA_ROOT}/{name}/img_dir/{phase}/")
                if found:
                    return self._longest(name, phase, rest)
        return None

    def _longest(self, name: str, phase: Phase, rest: str) -> Key | None:
        """Return the sample whose file name begins a text; stems may contain dots and blanks."""
        try:
            suffix = self._catalog.entry(name).img_suffix
            if (name, phase) not in self._stems:
                tags = self._catalog.tags(name)
                self._stems[name, phase] = {tag.stem for tag in tags if tag.phase == phase}
        except FindingsError:
            return None
        end = rest.rfind(suffix)
        while end >= 0:
            if rest[:end] in self._stems[name, phase]:
                return (name, str(phase), rest[:end])
            end = rest.rfind(suffix, 0, end)
        return None
