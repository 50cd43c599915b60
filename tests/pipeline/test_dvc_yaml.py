"""dvc.yaml agrees with the code: stages, commands, parameters and outputs."""

import importlib
from typing import Any

import pytest
import yaml

from sceneset.schemas.params import Algorithms, Params
from sceneset.storage.dvc import TEXT_STAGES
from support.build import ROOT

TEMPLATE = ROOT / "src/sceneset/cli/templates"
STAGES: dict[str, Any] = yaml.safe_load((TEMPLATE / "pipeline.yaml").read_text())["stages"]


def body(stage: str) -> dict[str, Any]:
    found = STAGES[stage]
    return dict(found["do"]) if "foreach" in found else dict(found)


@pytest.mark.parametrize("stage", STAGES)
def test_stage_runs_the_module_of_its_name(stage: str) -> None:
    module = importlib.import_module(f"sceneset.stages.{stage}")
    assert callable(module.main)
    item = f" ${{item}} ${{algorithms.{stage}}}" if "foreach" in STAGES[stage] else ""
    assert body(stage)["cmd"] == f"python -P -m sceneset.stages.{stage}{item}"


def test_every_module_in_stages_but_the_runner_is_a_stage() -> None:
    modules = {path.stem for path in (ROOT / "src/sceneset/stages").glob("[!_]*.py")}
    # The stage `site` is a comment of dvc.yaml, and its results need no algorithm.
    assert modules - {"runner", "site"} == set(STAGES) == set(Algorithms.model_fields)
    assert modules >= {"runner", "site"}


@pytest.mark.parametrize("stage", STAGES)
def test_stage_depends_on_its_algorithm_number_and_not_on_code(stage: str) -> None:
    inputs = (*body(stage).get("params", ()), body(stage)["cmd"])
    assert any(f"algorithms.{stage}" in text for text in inputs)
    assert not [dep for dep in body(stage)["deps"] if dep.endswith(".py") or dep == "schemas"]


@pytest.mark.parametrize("stage", STAGES)
def test_outputs_are_in_git_and_not_in_the_dvc_cache(stage: str) -> None:
    for out in body(stage)["outs"]:
        [(path, options)] = out.items()
        assert options["cache"] is False, path


@pytest.mark.parametrize("stage", [name for name in STAGES if "foreach" not in STAGES[name]])
def test_stage_over_all_subsets_depends_on_the_list_of_subsets(stage: str) -> None:
    assert "subsets" in body(stage)["params"]


@pytest.mark.parametrize("stage", ["splits", "stats", "leakage", "manifest"])
def test_later_stages_depend_on_the_errors_of_the_check(stage: str) -> None:
    assert "registry/reports/errors.json" in body(stage)["deps"]


def test_new_registry_has_the_default_settings_of_the_schema() -> None:
    fields = yaml.safe_load((TEMPLATE / "params.yaml").read_text())
    # A new registry has no older subsets that would break this rule.
    strict = {"entry-provenance": "error"}
    assert Params.model_validate(fields) == Params.model_validate({"rules": strict})


@pytest.mark.parametrize(
    ("ours", "template"),
    [
        ("dvc.yaml", "pipeline.yaml"),
        (".dvcignore", "dvcignore"),
        (".gitattributes", "gitattributes"),
    ],
)
def test_this_registry_has_the_files_of_a_new_registry(ours: str, template: str) -> None:
    text = (ROOT / ours).read_text("utf-8")
    assert text.startswith((TEMPLATE / template).read_text("utf-8").splitlines()[0])
    if ours != ".gitattributes":
        assert text == (TEMPLATE / template).read_text("utf-8")


def test_text_stages_are_all_stages_but_the_scan():
    assert set(TEXT_STAGES) == STAGES.keys() - {"scan"}
