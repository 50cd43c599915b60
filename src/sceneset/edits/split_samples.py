"""Propose a phase for chosen samples, so that no source, clip or similar image is on two sides."""

import hashlib
from collections.abc import Mapping
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sceneset.catalog.reader import Catalog
from sceneset.catalog.sample_choice import Chosen, Key
from sceneset.edits.split_balance import assign
from sceneset.edits.split_limits import find_candidates, find_limits
from sceneset.edits.split_strata import PHASES, Counts, Shares, Strata, read_members
from sceneset.errors import UsageError, fail
from sceneset.quality.sample_groups import Groups, group_samples
from sceneset.quality.sample_table import SampleTable, read_sample_table
from sceneset.quality.tested_images import tested_samples
from sceneset.schemas.terms import Phase
from sceneset.storage.csv_rows import csv_text
from sceneset.versions.history import released_test_images

if TYPE_CHECKING:
    from sceneset.edits.split_balance import Mask
    from sceneset.quality.sample_table import Rows


class SplitOptions(NamedTuple):
    """What a split should be like."""

    shares: Mapping[Phase, float]
    """The wanted share of each phase; their sum is 1."""
    stratify: tuple[str, ...] = ("scene",)
    """What is balanced besides the total: scene, persons."""
    by_stem: bool = False
    """Whether numbered images without a source are one group if the rest of the stem is equal."""
    seed: int = 0
    redo: bool = False
    """Whether validation and test images get a new phase too."""


class Placed(NamedTuple):
    """Where one of the chosen samples belongs."""

    subset: str
    key: Key
    to: Phase
    group: int
    """Number of its group, from 1; 0 for a sample that was not to be placed."""


class Proposal(NamedTuple):
    """The phases that a split proposes."""

    samples: list[Placed]
    """All chosen samples."""
    shares: list[Shares]
    groups: int
    """Groups that the split could place."""
    held: int
    """Chosen samples that stay where they are, because they were not to be placed."""
    tested: int
    """Samples that were test images of a version, so that they can't be in train."""
    stuck: dict[str, list[str]]
    """Samples for whose group no phase is possible, by the reason; they stay."""

    @property
    def moves(self) -> dict[str, dict[Key, Phase]]:
        """The new phases of samples that change, by subset."""
        found: dict[str, dict[Key, Phase]] = {}
        for name, key, phase, _ in self.samples:
            if key[0] != phase:
                found.setdefault(name, {})[key] = phase
        return found


def propose_split(catalog: Catalog, chosen: Chosen, options: SplitOptions) -> Proposal:
    """Return the phases of chosen samples.

    The same images, tags and seed give the same phases, whatever files and subsets are called.

    Raises:
        FindingsError: Scans or tags can't be read, or disagree.
        UsageError: All chosen samples are held out already.
    """
    table = read_sample_table(catalog, turned=chosen.keys())
    candidates = find_candidates(table, _is_chosen(table, chosen), redo=options.redo)
    rows = np.flatnonzero(candidates.is_movable)
    if not len(rows):
        raise UsageError(
            "all chosen samples are held out already; --redo gives them a new phase too"
        )
    groups = group_samples(catalog, table, rows, by_stem=options.by_stem)
    is_tested = _is_tested(catalog, table, rows)
    limits = find_limits(groups, candidates, is_tested, options.shares)
    strata = Strata(catalog.vocabulary, options.stratify)
    members = read_members(catalog, table, candidates.is_chosen, strata)
    phases = np.log2(candidates.bits).astype(np.int64)  # numbers of phases, by row
    group_of_row = np.full(len(phases), -1)
    group_of_row[rows] = groups.number
    counts = Counts.of(members, group_of_row, limits.allowed, phases, len(strata.names))
    if len(counts.placeable):
        keys = _random_order(catalog, table, groups, options.seed)
        shares = tuple(options.shares[phase] for phase in PHASES)
        placed = assign(counts.balance(limits.allowed, keys, shares), options.seed)
        phase_of_group = np.full(len(limits.allowed), -1)
        phase_of_group[counts.placeable] = placed
        new = phase_of_group[groups.number]
        phases[rows] = np.where(new >= 0, new, phases[rows])
    stuck: dict[str, list[str]] = {}
    for row, number in zip(rows.tolist(), groups.number.tolist(), strict=True):
        if reason := limits.reasons.get(number):
            place = f"{table.subset[row]}/{table.phase[row]}/{table.stem[row]}"
            stuck.setdefault(reason, []).append(place)
    return Proposal(
        [
            Placed(
                table.subset[row],
                (Phase(table.phase[row]), table.stem[row]),
                PHASES[phases[row]],
                int(group_of_row[row]) + 1,
            )
            for row in np.flatnonzero(candidates.is_chosen).tolist()
        ],
        counts.shares(strata, phases, options.shares),
        len(counts.placeable),
        int(candidates.is_chosen.sum()) - len(rows),
        int(is_tested.sum()),
        stuck,
    )


def proposal_text(proposal: Proposal) -> str:
    """Return a proposal as CSV: one row for each chosen sample."""
    rows = (
        (name, phase, stem, to, group or "") for name, (phase, stem), to, group in proposal.samples
    )
    return csv_text(("subset", "phase", "stem", "to", "group"), rows)


def _is_chosen(table: SampleTable, chosen: Chosen) -> "Mask":
    empty: set[Key] = set()
    places = zip(table.subset, table.phase, table.stem, strict=True)
    found = np.array([(p, s) in chosen.get(name, empty) for name, p, s in places], bool)
    if found.sum() < sum(map(len, chosen.values())):
        fail(
            "scan-incomplete",
            "some chosen samples are in the tags and not in the scans",
            hint="run `sceneset check` to list the differences",
        )
    return found


def _is_tested(catalog: Catalog, table: SampleTable, rows: "Rows") -> "Mask":
    """Return for each of some rows whether it was a test image of a version."""
    names = sorted({table.subset[row] for row in rows.tolist()})
    tested = tested_samples(catalog, released_test_images(catalog), names)
    return np.array(
        [(table.subset[r], table.phase[r], table.stem[r]) in tested for r in rows.tolist()], bool
    )


def _random_order(catalog: Catalog, table: SampleTable, groups: Groups, seed: int) -> list[bytes]:
    """Return for each group the keyed hash of its smallest digest of a picture.

    It depends neither on names nor on other groups.
    """
    names = {table.subset[row] for row in groups.rows.tolist()}
    digests: list[bytes] = []
    for name, members in groupby(table.subset):
        if name in names:
            scan = catalog.scan(name, ("picture", "image_md5"))
            columns = (scan[column].to_pylist() for column in ("picture", "image_md5"))
            digests += [picture or md5 for picture, md5 in zip(*columns, strict=True)]
        else:
            digests += [b"" for _ in members]
    smallest: dict[int, bytes] = {}
    for row, number in zip(groups.rows.tolist(), groups.number.tolist(), strict=True):
        digest = digests[row]
        if number not in smallest or digest < smallest[number]:
            smallest[number] = digest
    key = seed.to_bytes(8, "little")
    return [
        hashlib.blake2b(smallest[number], digest_size=16, key=key).digest()
        for number in range(len(smallest))
    ]
