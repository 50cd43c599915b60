"""Validation of the provenance of an entry."""

from typing import Any

import pytest
from pydantic import ValidationError

from sceneset.catalog.params_edit import entry_text
from sceneset.schemas.provenance import Provenance, missing_fields
from sceneset.schemas.subset import Subset
from sceneset.storage.yaml_files import loads
from support.policy import PROVENANCE

FULL = PROVENANCE | {
    "origin": {
        "kind": "vendor",
        "name": "Studio A",
        "url": "https://example.com/@a?b=1",
        "start": "2024-01-15",
        "end": "2024-02-02",
    },
    "consent": {"basis": "consent", "until": "2034-01-15", "document": "2024-17"},
    "restrictions": ["no-export"],
    "exceptions": [
        {"samples": ["train/a", "b c"], "consent": {"basis": "contract"}},
        {"sources": ["video-1"], "restrictions": []},
    ],
}


def test_entry_keeps_its_provenance_when_it_is_written_and_read() -> None:
    fields = {"name": "CustomSeg_Person_20240115_web", "kind": "full", "provenance": FULL}
    fields["splits"] = [{"scene": "total", "file": "total.txt"}]
    entry = Subset.model_validate(fields)
    assert entry.provenance
    assert missing_fields(entry.provenance) == []
    text = entry_text(entry)
    assert loads(text, Subset, "entry")[0] == entry
    # A date without quotes is a date for YAML.
    assert loads(text.replace("'", ""), Subset, "entry")[0] == entry


def test_missing_fields_are_those_that_a_release_requires() -> None:
    everything = ["licence", "origin", "consent", "contact"]
    assert missing_fields(None) == missing_fields(Provenance()) == everything
    assert missing_fields(Provenance.model_validate({"licence": "MIT"})) == everything[1:]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"licence": ""}, "at least 1 item"),
        ({"licence": "a\nb"}, "one line"),
        ({"license": "MIT"}, "Extra inputs"),
        ({"contact": "x" * 201}, "at most 200"),
        ({"origin": {"kind": "found"}}, "own-camera"),
        ({"origin": {"kind": "crawl", "url": "ftp://example.com"}}, "http://"),
        ({"origin": {"kind": "crawl", "url": "https://me:word@example.com/"}}, "no password"),
        ({"origin": {"kind": "crawl", "start": 20240115}}, "YYYY-MM-DD"),
        ({"origin": {"kind": "crawl", "start": "2024-01-15T10:00"}}, "YYYY-MM-DD"),
        ({"origin": {"kind": "crawl", "start": "2024-02-30"}}, "valid date"),
        ({"origin": {"kind": "crawl", "start": "2024-02-01", "end": "2024-01-31"}}, "before"),
        ({"consent": {"basis": "no-persons", "until": "2034-01-15"}}, "leave until out"),
        ({"consent": {"until": "2034-01-15"}}, "Field required"),
        ({"restrictions": ["no-sale"]}, "no-release"),
        ({"restrictions": ["internal", "internal"]}, "listed twice"),
        ({"exceptions": [{"licence": "MIT"}]}, "samples, sources or both"),
        ({"exceptions": [{"samples": ["a"]}]}, "at least one of licence"),
        ({"exceptions": [{"samples": ["night/a"], "licence": "MIT"}]}, "phase/stem"),
        ({"exceptions": [{"samples": ["train/.a"], "licence": "MIT"}]}, "starts with a dot"),
    ],
)  # fmt: skip
def test_provenance_is_refused_when_a_field_is_wrong(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Provenance.model_validate(fields)
