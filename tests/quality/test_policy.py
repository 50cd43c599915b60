"""A registry's policy: severities in params.yaml, and waivers."""

from pathlib import Path

import pytest

from support.build import NAME, Run
from support.policy import PROVENANCE, set_provenance, set_rules, waive
from support.rule_breaks import BREAKS, good_delivery


@pytest.fixture
def with_empty_mask(registry: Path, tmp_path: Path, sceneset: Run) -> Path:
    """A registry with a subset in which the mask of train/a is empty."""
    folder = good_delivery(tmp_path / "delivery")
    BREAKS["mask-empty"](folder)
    assert sceneset("add", folder, "--name", NAME, cwd=registry).code == 0
    set_provenance(registry, PROVENANCE)
    return registry


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ("mask-emty: error", "did you mean mask-empty"),
        ("leak-bytes: warning", "can't be set"),
        ("mask-empty: fatal", "error"),
    ],
)
def test_check_refuses_a_severity_when_it_can_not_be_set(
    rules: str, message: str, registry: Path, sceneset: Run
) -> None:
    set_rules(registry, rules)
    outcome = sceneset("check", cwd=registry)
    assert outcome.code == 1
    assert message in outcome.out


def test_check_uses_the_severities_of_params(with_empty_mask: Path, sceneset: Run) -> None:
    found = sceneset("check", "--json", cwd=with_empty_mask).json
    assert [(p["code"], p["severity"]) for p in found] == [("mask-empty", "warning")]
    set_rules(with_empty_mask, "mask-empty: error")
    assert sceneset("check", cwd=with_empty_mask).code == 1


def test_check_reports_nothing_when_the_rule_is_off(with_empty_mask: Path, sceneset: Run) -> None:
    set_rules(with_empty_mask, "mask-empty: off")
    assert sceneset("check", "--json", cwd=with_empty_mask).json == []


def test_waived_error_does_not_fail_the_check(with_empty_mask: Path, sceneset: Run) -> None:
    set_rules(with_empty_mask, "mask-empty: error")
    waive(with_empty_mask, "mask-empty", "train/a")
    outcome = sceneset("check", cwd=with_empty_mask)
    assert (outcome.code, outcome.out) == (0, "")
    assert "1 waived" in outcome.err
    [found] = sceneset("check", "--json", cwd=with_empty_mask).json
    assert (found["severity"], found["waived"]) == ("error", "looked at")


def test_waiver_is_reported_when_it_matches_no_finding(
    with_empty_mask: Path, sceneset: Run
) -> None:
    set_rules(with_empty_mask, "mask-empty: error")
    waive(with_empty_mask, "mask-empty", "train/b")  # the finding is on train/a
    outcome = sceneset("check", cwd=with_empty_mask)
    assert outcome.code == 1
    assert "[mask-empty]" in outcome.out
    assert "[waiver-stale]" in outcome.out


def test_check_refuses_a_waiver_when_the_rule_is_fixed(registry: Path, sceneset: Run) -> None:
    waive(registry, "leak-bytes", "train/b")
    assert "can't be waived" in sceneset("check", cwd=registry).out


def test_add_applies_the_policy_to_a_delivery(
    registry: Path, tmp_path: Path, sceneset: Run
) -> None:
    set_rules(registry, "image-gps: error")
    folder = good_delivery(tmp_path / "delivery")
    BREAKS["image-gps"](folder)
    command = ("add", folder, "--name", NAME, "--json")
    assert sceneset(*command, cwd=registry).json["taken"] is False
    quarantine = ("--quarantine", tmp_path / "left", "--dry-run")
    outcome = sceneset(*command, *quarantine, cwd=registry).json
    assert (outcome["samples"], outcome["left_out"]) == (1, 1)
    waive(registry, "image-gps", "train/a")
    assert sceneset(*command, cwd=registry).json["samples"] == 2
