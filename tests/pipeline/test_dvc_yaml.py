"""The pipeline file agrees with the code: stages, commands, parameters, outputs."""

import importlib
from typing import Any

import pytest
import yaml

from sceneset.schemas.params import Algorithms, Params
from support.build import ROOT

TEMPLATE = ROOT / "src/sceneset/cli/templates"
STAGES: dict[str, Any] = yaml.safe_load((TEMPLATE / "pipeline.yaml").read_text())["stages"]


def body(stage: str) -> dict[str, Any]:
    found = STAGES[stage]
    return dict(found["do"]) if "foreach" in found else dict(found)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_is_a_module(stage: str) -> None:
    module = importlib.import_module(f"sceneset.stages.{stage}")
    assert callable(module.main)
    item = f" ${{item}} ${{algorithms.{stage}}}" if "foreach" in STAGES[stage] else ""
    assert body(stage)["cmd"] == f"python -m sceneset.stages.{stage}{item}"


def test_every_module_is_a_stage() -> None:
    modules = {path.stem for path in (ROOT / "stages").glob("[!_]*.py")}
    assert modules == set(STAGES) == set(Algorithms.model_fields)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_is_pinned_by_its_number_and_not_by_code(stage: str) -> None:
    said = (*body(stage).get("params", ()), body(stage)["cmd"])
    assert any(f"algorithms.{stage}" in text for text in said)
    assert not [dep for dep in body(stage)["deps"] if dep.endswith(".py") or dep == "schemas"]


@pytest.mark.parametrize("stage", STAGES)
def test_outputs_stand_in_git(stage: str) -> None:
    for out in body(stage)["outs"]:
        [(path, options)] = out.items()
        assert options["cache"] is False, path


@pytest.mark.parametrize("stage", [name for name in STAGES if "foreach" not in STAGES[name]])
def test_an_aggregate_knows_the_list(stage: str) -> None:
    assert "subsets" in body(stage)["params"]


@pytest.mark.parametrize("stage", ["splits", "stats", "leakage", "manifest"])
def test_later_stages_wait_for_the_gate(stage: str) -> None:
    assert "registry/reports/errors.json" in body(stage)["deps"]


def test_the_settings_a_registry_starts_with_are_the_schema_s() -> None:
    fields = yaml.safe_load((TEMPLATE / "params.yaml").read_text())
    assert Params.model_validate(fields) == Params()


@pytest.mark.parametrize(
    ("ours", "template"),
    [
        ("dvc.yaml", "pipeline.yaml"),
        (".dvcignore", "dvcignore"),
        (".gitattributes", "gitattributes"),
    ],
)
def test_this_registry_is_one_like_any_other(ours: str, template: str) -> None:
    text = (ROOT / ours).read_text("utf-8")
    assert text.startswith((TEMPLATE / template).read_text("utf-8").splitlines()[0])
    if ours != ".gitattributes":
        assert text == (TEMPLATE / template).read_text("utf-8")
