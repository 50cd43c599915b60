"""Every rule on files finds a file that breaks it and reports nothing on good files."""

import re
from pathlib import Path

import pytest

from sceneset import Registry
from sceneset.catalog.scan_table import table_from_rows
from sceneset.delivery.read import read_delivery
from sceneset.delivery.types import Delivery, Request
from sceneset.progress import no_progress
from sceneset.rules.sample_rules import sample_findings
from sceneset.schemas.finding import Finding
from sceneset.schemas.params import Params
from sceneset.schemas.rules import GROUPS, RULES, Freedom, Severity
from sceneset.schemas.terms import Kind
from support.build import NAME, ROOT, Run
from support.rule_breaks import BREAKS, good_delivery

ON_FILES = {rule.code for name in ("images", "masks", "names") for rule in GROUPS[name]}


class DefaultRegistry(Registry):
    """A registry under default settings, whatever its params.yaml says."""

    params = Params()


def read(folder: Path, kind: Kind | None = None) -> Delivery:
    """Read a delivery, with the entry.yaml and tags.csv beside it, under default settings."""
    files = (folder.parent / "entry.yaml", folder.parent / "tags.csv")
    request = Request(folder, NAME, kind, *(file if file.exists() else None for file in files))
    return read_delivery(request, DefaultRegistry(ROOT), no_progress)


def notes_on(folder: Path) -> list[Finding]:
    """Return the findings on samples including notes, which `sceneset add` does not report."""
    table = table_from_rows(read(folder).rows, 1)
    return list(sample_findings(table, Params(), notes=True))


@pytest.mark.parametrize("code", BREAKS)
def test_rule_reports_a_file_that_breaks_it(code: str, tmp_path: Path) -> None:
    folder = good_delivery(tmp_path / "delivery")
    BREAKS[code](folder)
    kind = Kind.CROP if code.startswith("crop-") else None
    is_note = RULES[code].severity is Severity.NOTE
    found = notes_on(folder) if is_note else read(folder, kind).findings
    [first, *_] = [p for p in found if p.code == code]
    assert first.severity is RULES[code].severity
    assert first.file
    assert first.message
    assert first.hint or first.severity is not Severity.ERROR


def test_rules_report_nothing_when_files_are_good(tmp_path: Path) -> None:
    folder = good_delivery(tmp_path / "delivery")
    assert read(folder).findings == []
    assert notes_on(folder) == []


def test_every_rule_on_files_has_a_file_that_breaks_it() -> None:
    tested_elsewhere = {"mask-disagrees", "stem-duplicate"}
    assert ON_FILES - BREAKS.keys() == tested_elsewhere


def test_every_rule_is_named_by_a_test() -> None:
    texts = "".join(path.read_text("utf-8") for path in (ROOT / "tests").rglob("*.py"))
    assert [code for code in RULES if f'"{code}"' not in texts and f"[{code}]" not in texts] == []


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_every_rule_has_a_meaning_and_a_help_text(rule) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule.code)
    assert rule.meaning[0].islower()
    assert not rule.meaning.endswith(".")
    assert len(rule.help) > 15
    assert rule.help.endswith(".")


def test_rules_without_which_the_rest_fails_can_not_be_changed() -> None:
    fixed = {code for code, rule in RULES.items() if rule.freedom is Freedom.FIXED}
    assert {"leak-bytes", "leak-pixels", "leak-tested", "size-differs", "image-unreadable"} <= fixed
    assert "leak-near" not in fixed


def test_rules_command_lists_every_rule_outside_of_a_registry(
    tmp_path: Path, sceneset: Run
) -> None:
    assert len(sceneset("rules", cwd=tmp_path).out.splitlines()) == len(RULES) + 1


def test_rules_command_shows_the_severities_of_the_registry(registry: Path, sceneset: Run) -> None:
    params = registry / "params.yaml"
    params.write_text(
        params.read_text().replace("rules: {}", "rules:\n  mask-empty: error\n  image-gps: off")
    )
    shown = sceneset("rules", "--json", cwd=registry).json
    here = {rule["code"]: rule["here"] for rule in shown}
    assert list(here) == list(RULES)
    assert (here["mask-empty"], here["image-gps"], here["mask-full"]) == ("error", "off", "warning")


def test_rules_command_shows_the_help_of_one_rule(registry: Path, sceneset: Run) -> None:
    assert RULES["leak-near"].help in sceneset("rules", "leak-near", cwd=registry).out


def test_rules_command_suggests_a_code_when_one_is_misspelt(registry: Path, sceneset: Run) -> None:
    outcome = sceneset("rules", "mask-emty", cwd=registry)
    assert (outcome.code, "mask-empty" in outcome.err) == (2, True)
