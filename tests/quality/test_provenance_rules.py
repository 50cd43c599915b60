"""Findings on provenance: in check, review and release, and not in the pipeline."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from sceneset.catalog.reader import Catalog
from sceneset.quality.provenance_rules import provenance_findings, restricted_findings
from sceneset.reporting.cards import card_texts, read_statistics
from sceneset.reporting.provenance import ProvenanceChange
from sceneset.reporting.review import Review, review_page
from sceneset.stages import check
from sceneset.versions.diff import Diff
from sceneset.versions.manifest import manifest
from support.build import NAME, Run, dvc, git, make_delivery
from support.policy import PROVENANCE, set_provenance, set_rules


def codes(findings: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(one["code"], one["severity"]) for one in findings]


def test_entry_without_provenance_fails_check_and_review_and_not_the_pipeline(
    added: Path, sceneset: Run
) -> None:
    set_provenance(added, None)
    outcome = sceneset("check", "--json", cwd=added)
    assert outcome.code == 0
    assert codes(outcome.json) == [("entry-provenance", "warning")]
    set_rules(added, "entry-provenance: error")
    outcome = sceneset("check", "--json", cwd=added)
    assert outcome.code == 1
    [found] = outcome.json
    assert codes([found]) == [("entry-provenance", "error")]
    assert "licence, origin, consent, contact" in found["message"]
    assert "sceneset rules entry-provenance" in found["hint"]
    refused = sceneset("review", "HEAD", "--json", cwd=added)
    assert refused.code == 1
    assert not refused.json["good"]
    assert check.main([]) == 0, "the stage does not evaluate the rule"


def test_entry_without_provenance_keeps_its_digest(added: Path) -> None:
    set_provenance(added, None)
    digest = manifest(Catalog(added))["subsets"][NAME]["entry"]
    # What releases before 0.2 recorded for this entry.
    assert digest == "180b42d6040d3d4ac97fdd52c3ad34a3"


@pytest.mark.faults  # because it takes long
def test_registry_that_init_creates_walks_from_add_to_release(
    tmp_path: Path, sceneset: Run
) -> None:
    assert sceneset("init", "people", cwd=tmp_path).code == 0
    root = tmp_path / "people"
    dvc(root, "remote", "add", "--default", "store", "../store")
    delivery = make_delivery(tmp_path / "delivery")
    entry = tmp_path / "entry.yaml"
    entry.write_text(f"provenance: {json.dumps(PROVENANCE | {'contact': None})}\n")
    outcome = sceneset("add", delivery, "--name", NAME, "--entry", entry, cwd=root)
    assert outcome.code == 0, outcome.err
    assert f"write contact into registry/subsets/{NAME}.yaml" in outcome.err
    dvc(root, "repro")
    dvc(root, "push")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "Add a subset")
    outcome = sceneset("release", "1.0.0", cwd=root)
    assert outcome.code == 0, outcome.err
    assert "does not say whose data it is (contact)" in outcome.err
    set_provenance(root, PROVENANCE)
    dvc(root, "repro")
    git(root, "commit", "--quiet", "--all", "--message", "Whose data it is")
    outcome = sceneset("release", "1.0.1", cwd=root)
    assert outcome.code == 0, outcome.err
    assert "whose data" not in outcome.err
    assert "CC-BY-4.0 (1 subset)" in outcome.err


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2026-03-01", []),
        ("2026-04-01", []),  # 91 days before
        ("2026-04-02", ["consent-expires"]),  # 90 days before
        ("2026-07-01", ["consent-expires"]),  # the last day itself
        ("2026-07-02", ["consent-expired"]),
    ],
)
def test_consent_is_reported_at_the_edges_of_its_days(
    day: str, expected: list[str], added: Path
) -> None:
    set_provenance(added, PROVENANCE | {"consent": {"basis": "consent", "until": "2026-07-01"}})
    on = dt.date.fromisoformat(day)
    assert [f.code for f in provenance_findings(Catalog(added), on=on)] == expected
    assert provenance_findings(Catalog(added)) == [], "without a date, no day counts"


def test_consent_of_exceptions_is_counted_by_day(added: Path, sceneset: Run) -> None:
    until = {"samples": ["a", "train/b"], "consent": {"basis": "consent", "until": "2026-01-01"}}
    later = {"samples": ["c"], "consent": {"basis": "consent", "until": "2026-02-01"}}
    set_provenance(added, PROVENANCE | {"exceptions": [until, later]})
    outcome = sceneset("check", "--on", "2026-01-15", "--json", cwd=added)
    assert outcome.code == 1
    assert [(one["code"], one["message"]) for one in outcome.json] == [
        ("consent-expired", "consent of 2 samples ended on 2026-01-01"),
        ("consent-expires", "consent of 1 sample ends on 2026-02-01"),
    ]
    assert sceneset("check", "--json", cwd=added).json == []
    for word in ("2026-13-01", "20260101", "soon"):
        refused = sceneset("check", "--on", word, cwd=added)
        assert (refused.code, "YYYY-MM-DD" in refused.err) == (2, True)
    assert sceneset("check", "--on", "today", cwd=added).code in {0, 1}


def test_exception_for_a_name_that_no_sample_has_is_reported(added: Path, sceneset: Run) -> None:
    names = {"samples": ["a", "train/aa"], "sources": ["video"], "restrictions": ["internal"]}
    set_provenance(added, PROVENANCE | {"exceptions": [names]})
    found = sceneset("check", "--json", cwd=added).json
    assert codes(found) == [("provenance-stale", "warning")] * 2
    assert ["'train/aa'" in found[0]["message"], "'video'" in found[1]["message"]] == [True, True]


@pytest.mark.parametrize("whole", [True, False])
def test_samples_that_may_not_be_released_are_named(whole: bool, added: Path) -> None:
    some = {"samples": ["a", "c"], "restrictions": [] if whole else ["no-release"]}
    fields = {"restrictions": ["no-release"] if whole else [], "exceptions": [some]}
    set_provenance(added, PROVENANCE | fields)
    found = [f.stem for f in restricted_findings(Catalog(added))]
    assert found == (["b", "d"] if whole else ["a", "c"])
    set_provenance(added, PROVENANCE | {"restrictions": ["no-release"]})
    [finding] = restricted_findings(Catalog(added))
    assert (finding.code, finding.stem) == ("release-restricted", "")


def test_release_refuses_a_restricted_sample(ready: Path, sceneset: Run) -> None:
    some = {"samples": ["a"], "restrictions": ["no-release"]}
    set_provenance(ready, PROVENANCE | {"exceptions": [some]})
    dvc(ready, "repro")
    git(ready, "commit", "--quiet", "--all", "--message", "Restricted")
    outcome = sceneset("release", "1.0.0", cwd=ready)
    assert outcome.code == 1
    assert "train/a may not be released" in outcome.err
    assert git(ready, "tag", "--list") == ""
    assert sceneset("check", cwd=ready).code == 0, "only a release is refused"


def test_review_shows_what_changed_in_the_provenance(added: Path, sceneset: Run) -> None:
    set_provenance(added, PROVENANCE | {"licence": "ODbL-1.0"})
    outcome = sceneset("review", "HEAD", "--json", cwd=added)
    [change] = outcome.json["provenance"]
    assert change["subset"] == NAME
    assert "licence: CC-BY-4.0" in change["before"]
    assert "licence: ODbL-1.0" in change["after"]
    rows = [ProvenanceChange(*change.values())]
    page = review_page(Review([], [], Diff(), provenance=rows), "HEAD", "")
    assert "| licence: ODbL-1.0" in page


def test_cards_and_show_have_the_provenance(added: Path, sceneset: Run) -> None:
    consent = {"basis": "consent", "until": "2034-01-15"}
    some = {"samples": ["a"], "restrictions": ["internal"]}
    set_provenance(added, PROVENANCE | {"consent": consent, "exceptions": [some]})
    catalog = Catalog(added)
    cards = dict(card_texts(catalog, *read_statistics(catalog)))
    for text in ("licence: CC-BY-4.0", "consent: consent, until 2034-01-15", "1 sample (restr"):
        assert text in cards[f"{NAME}.en.md"]
    assert "同意依据: consent, 至 2034-01-15" in cards[f"{NAME}.zh.md"]
    assert "<li>licence: CC-BY-4.0</li>" in cards[f"{NAME}.en.html"]
    assert "contact: data@example.com" in sceneset("show", "web", cwd=added).out
    shown = sceneset("show", "web", "--json", cwd=added).json["provenance"]
    assert shown["consent"]["until"] == "2034-01-15"
