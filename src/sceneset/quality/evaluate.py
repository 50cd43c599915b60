"""Evaluate all rules on a registry and apply its policy to the findings."""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence

from sceneset.catalog.lineage import lineage_findings
from sceneset.catalog.reader import Catalog
from sceneset.catalog.selections import selection_findings
from sceneset.catalog.tombstones import lost_tombstone_findings
from sceneset.errors import FindingsError
from sceneset.quality.consistency import check_subsets
from sceneset.quality.ignored import ignored_findings
from sceneset.quality.leakage import LEAKAGE_CODES, find_leakage
from sceneset.quality.provenance_rules import (
    CONSENT_CODES,
    PROVENANCE_CODES,
    provenance_findings,
)
from sceneset.quality.rows import with_rows
from sceneset.quality.tested_images import ReleasedTestImages, tested_image_findings
from sceneset.rules.policy import apply_policy, read_waivers
from sceneset.schemas.finding import Finding, errors_of, in_order
from sceneset.schemas.rules import RULES
from sceneset.storage.transaction_rollback import unfinished_findings

RELATION_CODES = LEAKAGE_CODES | {"leak-tested", "version-unread", "waiver-stale"}
"""Codes of findings on relations between samples, and of those that waivers of them can cause."""

Reports = Mapping[str, Sequence[Finding]]
"""The findings that the stages `check` and `leakage` would report, by the name of the stage."""

# `forgotten-near` is evaluated when a delivery is added, not on a registry.
_SUBSET_CODES = RULES.keys() - LEAKAGE_CODES - PROVENANCE_CODES - CONSENT_CODES - {"forgotten-near"}


def subset_findings(
    catalog: Catalog, names: Sequence[str] | None = None, *, notes: bool = False
) -> list[Finding]:
    """Return the findings on subsets, each subset by itself, errors first.

    Args:
        catalog: The registry to check.
        names: The subsets to check; None means all listed subsets.
        notes: Include findings of severity "note".
    """
    try:
        params, waivers = catalog.params, read_waivers(catalog.root)
    except FindingsError as error:
        return error.findings  # the policy can't be applied without these files
    waivers = tuple(w for w in waivers if names is None or w.subset in names)
    findings = check_subsets(catalog, names, notes=notes)
    return apply_policy(findings, params, waivers, evaluated=_SUBSET_CODES)


def leakage_findings(catalog: Catalog, names: Sequence[str] | None = None) -> list[Finding]:
    """Return the findings on relations between samples of all subsets, errors first.

    Args:
        catalog: The registry to check.
        names: Only findings about these subsets; None means all. Their samples are compared with
            those of all subsets in any case.

    Raises:
        FindingsError: Scans or tags can't be read.
    """
    waivers = read_waivers(catalog.root)
    findings = find_leakage(catalog)
    findings = apply_policy(findings, catalog.params, waivers, evaluated=LEAKAGE_CODES)
    return _about(names, findings)


def all_findings(
    catalog: Catalog,
    tested: Callable[[Catalog], ReleasedTestImages] | None,
    names: Sequence[str] | None = None,
    *,
    notes: bool = False,
    derived: Callable[[Catalog, Reports], list[Finding]] | None = None,
    relations: bool = True,
    on: dt.date | None = None,
) -> list[Finding]:
    """Return the findings of all rules, errors first.

    Rules on leakage and on derived files are evaluated only if there is no other error.

    Args:
        catalog: The registry to check.
        tested: Reads the test images of all released versions. None skips the rule that training
            images must not be among them.
        names: Only findings about these subsets; None means all listed subsets.
        notes: Include findings of severity "note".
        derived: Compares the derived files with their sources. None skips that; so do names of
            subsets, because most derived files are about all of them.
        relations: False skips the rules that only give findings in RELATION_CODES, and ``derived``.
            They compare all samples with each other, which takes most of the time.
        on: The day for which the end of consent is checked; None skips that.
    """
    with catalog.shared_reads():
        findings = _all_findings(
            catalog, tested, names, notes=notes, derived=derived, relations=relations
        )
        findings += _provenance_findings(catalog, names, on)
    return in_order(with_rows(catalog, findings))


def _all_findings(
    catalog: Catalog,
    tested: Callable[[Catalog], ReleasedTestImages] | None,
    names: Sequence[str] | None,
    *,
    notes: bool,
    derived: Callable[[Catalog, Reports], list[Finding]] | None,
    relations: bool,
) -> list[Finding]:
    """Return the findings of all rules, in the order of their evaluation; see above."""
    subsets = subset_findings(catalog, names, notes=notes)
    findings = [
        *unfinished_findings(catalog.paths),
        *_about_files(names, ignored_findings(catalog)),
        *_about(names, lineage_findings(catalog.paths)),
        *_about_files(names, _lost_tombstones(catalog)),
        *_about_files(names, _selections(catalog)),
        *subsets,
    ]
    if relations and not errors_of(findings):
        leaks = leakage_findings(catalog, names)
        findings += leaks
        if tested:
            findings += _about(names, tested_image_findings(catalog, tested(catalog)))
        if derived and names is None and not errors_of(leaks):
            reports = {"leakage": leaks} if notes else {"check": subsets, "leakage": leaks}
            findings += derived(catalog, reports)
    return findings


def _provenance_findings(
    catalog: Catalog, names: Sequence[str] | None, on: dt.date | None
) -> list[Finding]:
    """Return the findings on provenance. Errors among them do not keep other rules from running."""
    try:
        waivers = [w for w in read_waivers(catalog.root) if names is None or w.subset in names]
        found = provenance_findings(catalog, names, on=on)
        evaluated = PROVENANCE_CODES | CONSENT_CODES if on else PROVENANCE_CODES
        return apply_policy(found, catalog.params, waivers, evaluated=evaluated)
    except FindingsError:
        return []  # params.yaml, the vocabulary or the waivers can't be read: reported already


def _selections(catalog: Catalog) -> list[Finding]:
    """Return the findings on the selections of params.yaml."""
    try:
        return selection_findings(catalog)
    except FindingsError:
        return []  # params.yaml or the vocabulary can't be read: a finding of the subsets


def _lost_tombstones(catalog: Catalog) -> list[Finding]:
    """Return what the history of a working tree says about withdrawals that a merge dropped."""
    if catalog.origin:
        return []
    try:
        return lost_tombstone_findings(catalog.root)
    except FindingsError:
        return []  # the file can't be read: a finding of the subsets


def _about(names: Sequence[str] | None, findings: Sequence[Finding]) -> list[Finding]:
    return [p for p in findings if names is None or p.subset in names]


def _about_files(names: Sequence[str] | None, findings: Sequence[Finding]) -> list[Finding]:
    """Return the findings about files of some subsets, and about files of all."""
    return [p for p in findings if names is None or not p.subset or p.subset in names]
