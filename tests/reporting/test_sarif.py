"""Findings of `sceneset check` as SARIF and as Markdown."""

import re
from pathlib import Path

import pytest

from support.build import NAME, Run
from support.policy import waive
from support.rule_breaks import BREAKS, good_delivery, rename_sample

STEM = "滑雪 <b>|x"


@pytest.fixture
def with_findings(registry: Path, tmp_path: Path, sceneset: Run) -> Path:
    """A registry with a waived finding, and a stem that SARIF and Markdown have to escape."""
    folder = good_delivery(tmp_path / "delivery")
    BREAKS["mask-empty"](folder)
    rename_sample(STEM)(folder)
    assert sceneset("add", folder, "--name", NAME, cwd=registry).code == 0
    waive(registry, "mask-empty", f"train/{STEM}")
    return registry


def test_sarif_refers_to_rules_and_valid_uris(with_findings: Path, sceneset: Run) -> None:
    log = sceneset("check", "--sarif", cwd=with_findings).json
    [run] = log["runs"]
    assert (log["version"], run["tool"]["driver"]["name"]) == ("2.1.0", "sceneset")
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in {"error", "warning", "note"}
        [place] = result["locations"]
        uri = place["physicalLocation"]["artifactLocation"]["uri"]
        assert re.fullmatch(r"[\x21-\x7e]+", uri)
    [waived] = [result for result in run["results"] if "suppressions" in result]
    assert waived["suppressions"] == [{"kind": "external", "justification": "looked at"}]


def test_markdown_counts_findings_and_escapes_names(with_findings: Path, sceneset: Run) -> None:
    page = sceneset("check", "--markdown", cwd=with_findings).out
    assert "| ⚠️ | `name-space`: a stem contains white space | 1 |" in page
    assert "| | waived | 1 |" in page
    places = re.findall(r"`` .*? ``", page)
    assert any("<b>" in place for place in places), "a code span needs no escapes"
    outside = re.sub(r"`` .*? ``", "", page)
    assert "\\<b\\>\\|x" in outside
    assert "<b>" not in outside
    assert "<b\\>" not in outside.replace("\\<b\\>", "")
