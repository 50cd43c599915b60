"""The JSON Schemas that editors read are those of the code."""

import json
from pathlib import Path

import pytest

from sceneset.schemas.export import MODELS, main, schema_text
from support.build import ROOT

FOLDER = ROOT / "schemas/json"


def test_no_schema_is_stale_or_missing():
    assert sorted(path.stem for path in FOLDER.iterdir()) == sorted(MODELS)


@pytest.mark.parametrize("name", MODELS)
def test_the_file_is_what_the_code_says(name):
    text = (FOLDER / f"{name}.json").read_text("utf-8")
    again = "run `python -m sceneset.schemas.export`"
    assert text == schema_text(MODELS[name]), again


@pytest.mark.parametrize("name", MODELS)
def test_unknown_fields_are_refused_and_fields_are_described(name):
    schema = json.loads(schema_text(MODELS[name]))
    assert schema["additionalProperties"] is False
    assert schema["$schema"].endswith("2020-12/schema")
    assert any("description" in field for field in schema["properties"].values())


def test_export_writes_them_all(tmp_path: Path):
    main(str(tmp_path / "new"))
    for name in MODELS:
        assert (tmp_path / "new" / f"{name}.json").read_bytes() == (
            FOLDER / f"{name}.json"
        ).read_bytes()


def test_a_row_of_tags_is_text_to_an_editor():
    scenes = json.loads(schema_text(MODELS["tag"]))["properties"]["scenes"]
    assert "Scene keys" in scenes["description"]
