"""Data cards: what is known of a state of a registry, as values; other modules have the words.

Everything is computed from entries, tags, scans and records of the state, so that a card never
shows numbers of another state, and equal states give equal cards. No image is read.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from sceneset.catalog.provenance import Restricted, restricted
from sceneset.catalog.reader import Catalog
from sceneset.catalog.split_selection import Selection, read_selection, samples_by_row
from sceneset.quality.evaluate import RELATION_CODES, all_findings
from sceneset.quality.leakage import LEAKAGE_CODES
from sceneset.quality.provenance_rules import CONSENT_CODES, PROVENANCE_CODES
from sceneset.reporting.data_card_coverage import Coverage
from sceneset.reporting.data_card_origin import (
    CardAccess,
    CardChanges,
    CardState,
    access_to,
    changes_of,
    state_of,
)
from sceneset.reporting.provenance import ProvenanceTotals
from sceneset.reporting.scan_columns import STATISTICS_COLUMNS
from sceneset.reporting.statistics import Union, subset_statistics
from sceneset.schemas.finding import Finding, errors_of
from sceneset.schemas.provenance import Restriction
from sceneset.schemas.rules import Severity
from sceneset.schemas.scene import Vocabulary
from sceneset.schemas.stats import SetStats, SubsetStats
from sceneset.schemas.subset import Subset

if TYPE_CHECKING:
    import pyarrow as pa

SHARE_BINS = 20
"""Bins of the histogram of the share of person pixels."""

_COLUMNS = (*STATISTICS_COLUMNS, "image_bytes", "mask_bytes")
_IMAGE_COLUMNS = ("image_md5", "picture")
_NOT_ON_RELATIONS = LEAKAGE_CODES | PROVENANCE_CODES | CONSENT_CODES | RELATION_CODES


class CardSubset(NamedTuple):
    """A subset, without the samples that the reader does not get."""

    entry: Subset
    stats: SubsetStats


class RuleCount(NamedTuple):
    """How many findings a rule has."""

    code: str
    severity: Severity
    number: int
    """Findings that are not waived."""
    waived: int


class AcceptedFindings(NamedTuple):
    """Findings of a rule in a subset that people accept for one reason."""

    code: str
    subset: str
    reason: str
    number: int


@dataclass
class LeftOut:
    """What the card does not describe, because its reader does not get it."""

    subsets: list[str] = field(default_factory=list)
    """Subsets without any other sample."""
    samples: int = 0
    by_subset: dict[str, Restricted] = field(default_factory=dict)


@dataclass(frozen=True)
class DataCard:
    """What is known of a state."""

    state: CardState
    access: CardAccess
    vocabulary: Vocabulary
    subsets: list[CardSubset]
    union: SetStats
    coverage: Coverage
    provenance: ProvenanceTotals
    bytes: int
    """Of all images and masks."""
    shares: list[int]
    """Number of samples in each of SHARE_BINS bins of the share of person pixels, from 0 to 1."""
    rules: list[RuleCount]
    """Rules with findings, errors first."""
    accepted: list[AcceptedFindings]
    is_compared: bool
    """Whether training and held-out images were compared; errors of the registry prevent it."""
    changes: CardChanges | None
    """What changed since the version before; None if there is no such version."""
    withdrawn: int
    """Samples of the state that were withdrawn, and so are not given out."""
    left_out: LeftOut

    @property
    def samples(self) -> int:
        """The number of samples."""
        return self.coverage.samples

    def findings(self, severity: Severity) -> int:
        """Return the number of findings of a severity that are not waived."""
        return sum(rule.number for rule in self.rules if rule.severity is severity)

    @property
    def waived(self) -> int:
        """The number of findings that are waived."""
        return sum(rule.waived for rule in self.rules)


class _Collected:
    """What is added up over the subsets of a state."""

    def __init__(self, catalog: Catalog, restrictions: Collection[Restriction]) -> None:
        self.catalog = catalog
        self.restrictions = restrictions
        self.union = Union()
        self.coverage = Coverage()
        self.provenance = ProvenanceTotals()
        self.left_out = LeftOut()
        self.withdrawn = 0
        self.bytes = 0
        self.shares = [0] * SHARE_BINS

    def read(self, name: str) -> CardSubset | None:
        """Add a subset; return None if its reader gets no sample of it."""
        withdrawn = self.catalog.withdrawn
        columns = (*_COLUMNS, *_IMAGE_COLUMNS) if withdrawn.files else _COLUMNS
        selection, table = read_selection(self.catalog, name), self.catalog.scan(name, columns)
        covered = restricted(self.catalog, name, self.restrictions)
        if covered:
            before = len(selection.tags)
            selection, table = _without(covered, selection, table)
            self.left_out.by_subset[name] = covered
            self.left_out.samples += before - len(selection.tags)
            if not selection.tags:
                self.left_out.subsets.append(name)
                return None
        stats = subset_statistics(self.catalog, selection, table, self.union)
        if withdrawn.files:
            self.withdrawn += sum(1 for _ in withdrawn.rows_of(table))
        self.coverage.add_tags(selection.tags)
        self.provenance.add(selection.entry.provenance, selection.tags)
        self.bytes += sum(int(table[c].to_numpy().sum()) for c in ("image_bytes", "mask_bytes"))
        self.shares = [a + b for a, b in zip(self.shares, _shares(table), strict=True)]
        return CardSubset(selection.entry, stats)


def compute_data_card(catalog: Catalog, *, left_out: Collection[Restriction] = ()) -> DataCard:
    """Return what is known of a state.

    Args:
        catalog: The working tree of a registry, or a revision.
        left_out: Samples with one of these restrictions are not described.

    Raises:
        FindingsError: A file of the state can't be read, or scans and tags differ.
    """
    with catalog.shared_reads():
        findings = all_findings(catalog, None, notes=True)
        parts = _Collected(catalog, left_out)
        subsets = [subset for subset in catalog.each(parts.read) if subset]
    shown = [found for found in findings if _is_shown(found, parts.left_out)]
    state = state_of(catalog)
    return DataCard(
        state=state,
        access=access_to(catalog, state),
        vocabulary=catalog.vocabulary,
        subsets=subsets,
        union=parts.union.statistics(catalog.vocabulary),
        coverage=parts.coverage,
        provenance=parts.provenance,
        bytes=parts.bytes,
        shares=parts.shares,
        rules=_rule_counts(shown),
        accepted=_accepted(shown),
        is_compared=not any(f.code not in _NOT_ON_RELATIONS for f in errors_of(findings)),
        changes=changes_of(catalog, state, hidden=parts.left_out.subsets),
        withdrawn=parts.withdrawn,
        left_out=parts.left_out,
    )


def _without(
    covered: Restricted, selection: Selection, table: "pa.Table"
) -> tuple[Selection, "pa.Table"]:
    """Return the tags and the scan of a subset without the samples of a restriction."""
    tags = [tag for tag in selection.tags if not covered.of(tag.key)]
    import numpy as np

    keys = zip(table["phase"].to_pylist(), table["stem"].to_pylist(), strict=True)
    rows = [row for row, key in enumerate(keys) if not covered.of(key)]
    kept = selection._replace(tags=tags, rows=samples_by_row(selection.entry.splits, tags))
    return kept, table.take(np.array(rows, np.int64))


def _shares(table: "pa.Table") -> list[int]:
    """Return the number of samples in each bin of the share of person pixels."""
    import numpy as np

    width, height, person = (
        table[name].to_numpy().astype(np.float64) for name in ("width", "height", "person")
    )
    counts, _ = np.histogram(person / (width * height), bins=SHARE_BINS, range=(0, 1))
    return [int(count) for count in counts]


def _is_shown(found: Finding, left_out: LeftOut) -> bool:
    if found.subset in left_out.subsets:
        return False
    covered = left_out.by_subset.get(found.subset)
    return not (covered and found.stem and covered.of((found.phase, found.stem)))


def _rule_counts(findings: Collection[Finding]) -> list[RuleCount]:
    open_ones: Counter[tuple[str, Severity]] = Counter()
    waived: Counter[tuple[str, Severity]] = Counter()
    for found in findings:
        (waived if found.waived else open_ones)[found.code, found.severity] += 1
    ranks: Mapping[Severity, int] = {severity: rank for rank, severity in enumerate(Severity)}
    keys = sorted({*open_ones, *waived}, key=lambda key: (ranks[key[1]], key[0]))
    return [RuleCount(*key, open_ones[key], waived[key]) for key in keys]


def _accepted(findings: Collection[Finding]) -> list[AcceptedFindings]:
    counts = Counter((f.code, f.subset, f.waived) for f in findings if f.waived)
    return [AcceptedFindings(*key, count) for key, count in sorted(counts.items())]
