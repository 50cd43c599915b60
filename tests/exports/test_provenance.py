"""Exports show the licences of their samples."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from sceneset import Registry
from sceneset.exports.croissant import _licence
from sceneset.exports.hf_card import _licence_head, _licences
from sceneset.exports.mmseg_config import licence_comment
from sceneset.exports.types import Selection
from sceneset.reporting.data_card_blocks import Section
from sceneset.reporting.data_card_coverage import Coverage
from sceneset.reporting.data_card_limits import Limited, limit_texts
from sceneset.reporting.data_card_measures import statistics_blocks
from sceneset.reporting.data_card_pages import sections_markdown
from sceneset.reporting.markdown import escape_cell
from sceneset.reporting.statistics import compute_statistics
from support.build import NAME
from support.policy import PROVENANCE, set_provenance


def selection(licences: dict[str, int], *contacts: str) -> Selection:
    texts: Any = dict
    return Selection([], [], {}, (), {}, None, texts, "all samples", "", licences, contacts)


@pytest.mark.parametrize(
    ("licences", "head", "croissant"),
    [
        ({}, {}, {}),
        ({"": 3}, {}, {}),
        (
            {"CC-BY-4.0": 3},
            {"license": "cc-by-4.0"},
            {"license": "https://spdx.org/licenses/CC-BY-4.0.html"},
        ),
        (
            {"CC-BY-4.0": 3, "MIT": 1},
            {"license": ["cc-by-4.0", "mit"]},
            {
                "license": [
                    "https://spdx.org/licenses/CC-BY-4.0.html",
                    "https://spdx.org/licenses/MIT.html",
                ]
            },
        ),
        # Not all samples have the licence: Hugging Face must not show it for all.
        (
            {"": 1, "MIT": 3},
            {"license": "other", "license_name": "mit"},
            {"license": "https://spdx.org/licenses/MIT.html"},
        ),
        (
            {"Bought from Studio A, no resale": 3},
            {"license": "other", "license_name": "bought-from-studio-a-no-resale"},
            {"license": "Bought from Studio A, no resale"},
        ),
        (
            {"MIT OR Apache-2.0": 3},
            {"license": "other", "license_name": "mit-or-apache-2.0"},
            {"license": "MIT OR Apache-2.0"},
        ),
        ({"专有": 3}, {"license": "other", "license_name": "see-below"}, {"license": "专有"}),
    ],
)
def test_licences_are_given_in_the_words_of_the_format(
    licences: dict[str, int], head: dict[str, object], croissant: dict[str, object]
) -> None:
    chosen = selection(licences)
    assert _licence_head(chosen) == head
    assert _licence(chosen) == croissant
    shown = _licences(chosen)
    comment = licence_comment(licences)
    for name in licences if any(licences) else ():
        assert f"| {name or 'not recorded'} | " in shown
        assert f"#   {name or 'not recorded'}: " in comment
    assert bool(shown) == bool(comment) == any(licences)


def test_comment_of_a_config_holds_no_text_that_mmengine_replaces() -> None:
    assert "{{" not in licence_comment({"{{_base_.model}}": 1})


def test_export_records_the_licence_of_each_sample_that_it_holds(
    ready: Path, tmp_path: Path
) -> None:
    some = {"samples": ["b"], "licence": "MIT", "contact": "b@example.com"}
    set_provenance(ready, PROVENANCE | {"exceptions": [some]})
    Registry.open(ready).export("hf", to=tmp_path / "hf")
    record = json.loads((tmp_path / "hf/sceneset.json").read_text("utf-8"))
    assert record["licences"] == {"CC-BY-4.0": 3, "MIT": 1}
    assert record["subsets"][NAME]["provenance"]["contact"] == "data@example.com"
    card = (tmp_path / "hf/README.md").read_text("utf-8")
    head = yaml.safe_load(card.split("---\n")[1])
    assert head["license"] == ["cc-by-4.0", "mit"]
    assert ", ".join(map(escape_cell, ("b@example.com", "data@example.com"))) in card
    assert "| CC-BY-4.0 | 3 |\n| MIT | 1 |\n" in card
    # The same words as in data cards, of the samples that the export holds.
    coverage, numbers = Coverage(), compute_statistics(Registry.open(ready))[1].numbers
    coverage.add_tags(Registry.open(ready).tags(NAME))
    for text in limit_texts(Limited(coverage, numbers, {"ski": "ski"}), "en"):
        assert f"\n- {text}\n" in card
    assert sections_markdown([Section("", "Statistics", statistics_blocks(numbers, "en"))]) in card
