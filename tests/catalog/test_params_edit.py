"""params.yaml is edited as a person would: one line more, everything else as it was."""

import pytest
import yaml

from sceneset.edits.ingest import with_subset

TEMPLATE = "# head\nsubsets: []\n\n# tail\nlimits:\n  max_pixels: 1\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(TEMPLATE, TEMPLATE.replace(" []", "\n  - b"), id="empty"),
        pytest.param("subsets: [a, c] # two\nx: 1\n", "subsets:\n  - a\n  - b\n  - c # two\nx: 1\n",
                     id="flow"),
        pytest.param("subsets:\n  - a # first\n  - c\n\n# tail\nx: 1\n",
                     "subsets:\n  - a # first\n  - b\n  - c\n\n# tail\nx: 1\n", id="between"),
        pytest.param("subsets:\n- a\n\n# tail\nx: 1\n", "subsets:\n- a\n- b\n\n# tail\nx: 1\n",
                     id="last, before a comment"),
        pytest.param("subsets:\n  # why\n  - c\n", "subsets:\n  # why\n  - b\n  - c\n", id="first"),
        pytest.param("x: 1\n", "x: 1\nsubsets:\n  - b\n", id="no list"),
        pytest.param("subsets:\nx: 1\n", "subsets:\n  - b\nx: 1\n", id="nothing behind the colon"),
        pytest.param("subsets:\n  - a", "subsets:\n  - a\n  - b\n", id="no line end"),
        pytest.param("", "\nsubsets:\n  - b\n", id="empty file"),
    ],
)  # fmt: skip
def test_one_more_subset(text: str, expected: str) -> None:
    assert with_subset(text, "b") == expected
    before = (yaml.safe_load(text) or {}).get("subsets") or []
    assert yaml.safe_load(expected)["subsets"] == sorted([*before, "b"])
