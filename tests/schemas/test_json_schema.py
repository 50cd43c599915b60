"""The exported JSON Schemas, which editors use, match the models."""

import json
from pathlib import Path

import pytest

from sceneset.schemas.export import MODELS, main, schema_text
from support.build import ROOT

FOLDER = ROOT / "schemas/json"


def test_schema_folder_has_one_file_per_model():
    assert sorted(path.stem for path in FOLDER.iterdir()) == sorted(MODELS)


@pytest.mark.parametrize("name", MODELS)
def test_schema_file_is_up_to_date(name):
    text = (FOLDER / f"{name}.json").read_text("utf-8")
    assert text == schema_text(MODELS[name]), "run `python -m sceneset.schemas.export`"


@pytest.mark.parametrize("name", MODELS)
def test_schema_rejects_unknown_fields_and_describes_known_ones(name):
    schema = json.loads(schema_text(MODELS[name]))
    assert schema["additionalProperties"] is False
    assert schema["$schema"].endswith("2020-12/schema")
    assert any("description" in field for field in schema["properties"].values())


def test_export_writes_all_schemas(tmp_path: Path):
    main(str(tmp_path / "new"))
    for name in MODELS:
        assert (tmp_path / "new" / f"{name}.json").read_bytes() == (
            FOLDER / f"{name}.json"
        ).read_bytes()


def test_tag_schema_describes_how_scenes_are_written():
    scenes = json.loads(schema_text(MODELS["tag"]))["properties"]["scenes"]
    assert "Scene keys" in scenes["description"]
