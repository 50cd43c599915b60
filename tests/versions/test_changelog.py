"""Entries of CHANGELOG.md: notes are kept in full and can't change the structure of the file."""

import re
from pathlib import Path

import pytest

from sceneset.schemas.version import Version, VersionChanges
from sceneset.versions.changelog import HEADING, with_version
from support.build import Run

NOTES = "\n".join(
    [
        *("the ski season", "## Data", "### 9.9.9", "", "- 1 sample", "Title", "=====", "Sub"),
        *("---", "```", "<!-- hidden", "last \x1b[31mline\x1b[0m"),
    ]
)


def record(notes: str, number: str = "1.0.0") -> Version:
    changes = VersionChanges(step="major", samples={"metadata": 2, "moved": 1, "old kind": 3})
    return Version(version=number, notes=notes, state="0" * 32, samples=3, subsets={},
                   changes=changes)  # fmt: skip


def headings(text: str) -> list[str]:
    return [line for line in text.splitlines() if re.match(r"\s{0,3}#{1,6}\s", line)]


def test_notes_of_several_lines_are_kept_without_headings_of_their_own() -> None:
    text = with_version("", record(NOTES))
    assert headings(text) == ["# Changelog", HEADING, "### 1.0.0"]
    for word in ("the ski season", "Data", "9.9.9", "Title", "Sub", "hidden", "last"):
        assert word in text.partition("### 1.0.0")[2]
    body = text.split("- the ski season\n")[1]
    assert all(line.startswith("  ") or not line for line in body.splitlines())
    assert not re.search(r"(?m)^\s*(=+|-{2,}|```|~~~)", body)
    assert "\x1b" not in text
    assert r"\x1b[31mline" in text
    assert not re.search(r"(?<!\\)<", body)


def test_counts_name_the_kinds_of_changes() -> None:
    assert "3 samples: 2 metadata changed, 1 moved, 3 old kind" in with_version("", record(""))


@pytest.mark.parametrize(
    "text",
    [
        "# Changelog\n\n## Data\n\n### 1.0.0\n\n- 3 samples\n\n## Program\n\nwords\n",
        "## Data\n\n### 1.0.0\n\n- 3 samples\n\n## Program\n\nwords",
        "# Changelog\r\n\r\n## Program\r\n\r\nwords\r\n\r\n## Data",
        "# Changelog\n\nwords\n",
    ],
    ids=["usual", "no title", "carriage returns", "no section"],
)
def test_a_version_is_written_at_the_top_of_the_section_and_nothing_is_lost(text: str) -> None:
    result = with_version(text, record("mine", "2.0.0"))
    assert result.splitlines().count(HEADING) == 1
    at = result.splitlines().index(HEADING)
    assert result.splitlines()[at + 2] == "### 2.0.0"
    for line in filter(None, text.splitlines()):
        assert line in result.splitlines()


def test_release_keeps_notes_of_several_lines_and_versions_shows_no_escapes(
    ready: Path, sceneset: Run
) -> None:
    assert sceneset("release", "1.0.0", "--notes", NOTES, cwd=ready).code == 0
    assert headings((ready / "CHANGELOG.md").read_text())[:3] == [
        "# Changelog",
        HEADING,
        "### 1.0.0",
    ]
    shown = sceneset("versions", cwd=ready).out
    assert "\x1b" not in shown
    assert "the ski season" in shown
    [listed] = sceneset("versions", "--json", cwd=ready).json
    assert listed["notes"] == NOTES
    # The same call is an interrupted one that is completed; other notes are not dropped in silence.
    assert sceneset("release", "1.0.0", "--notes", NOTES, cwd=ready).code == 0
    refused = sceneset("release", "1.0.0", "--notes", "more", cwd=ready)
    assert refused.code == 2
    assert "released already, with other notes" in refused.err
