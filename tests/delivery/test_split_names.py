"""Split files may have any of the names of their scene."""

from pathlib import Path

import pytest
import yaml

from support.build import NAME, Run, make_delivery
from support.printed import findings


def test_split_files_are_read_when_they_have_other_names_of_their_scene(
    tmp_path: Path, registry: Path, sceneset: Run
) -> None:
    splits = {
        "滑雪.txt": ["a"],
        "skiing.txt": ["b"],
        "ski_single.txt": ["c"],
        "city_multi.txt": ["d"],
    }
    folder = make_delivery(tmp_path / "d", splits)
    outcome = sceneset("add", folder, "--name", NAME, "--json", cwd=registry)
    assert outcome.code == 0, outcome.out
    assert {p["code"] for p in outcome.json["problems"]} == {"split-name"}
    rows = {row["split_file"]: row["images"] for row in outcome.json["rows"]}
    assert rows == {"total.txt": 4, "ski.txt": 3, "city_muiltiperson.txt": 1}
    samples = sceneset("lookup", "--samples", "--json", cwd=registry).json
    assert {s["stem"]: s["scenes"] for s in samples} == {
        "a": ["ski"], "b": ["ski"], "c": ["ski"], "d": ["city"]
    }  # fmt: skip


def test_split_file_of_another_phase_gets_the_name_of_that_phase(
    tmp_path: Path, registry: Path, sceneset: Run
) -> None:
    splits = {"ski.txt": ["a"], "滑雪.txt": ["v"]}
    folder = make_delivery(tmp_path / "d", splits, train=("a",), val=("v",))
    outcome = sceneset("add", folder, "--name", NAME, "--dry-run", "--json", cwd=registry)
    rows = {row["split_file"]: row["images"] for row in outcome.json["rows"]}
    assert rows["ski.txt"] == rows["ski_val.txt"] == 1


@pytest.mark.parametrize("options", [(), ("--quarantine", "left")])
def test_split_file_is_refused_when_its_name_is_ambiguous(
    options: tuple[str, ...], tmp_path: Path, registry: Path, sceneset: Run
) -> None:
    path = registry / "registry/scenes.yaml"
    vocabulary = yaml.safe_load(path.read_text("utf-8"))
    [surfing] = [scene for scene in vocabulary["scenes"] if scene["key"] == "surfing"]
    surfing["aliases"] = ["sea multi"]
    path.write_text(yaml.safe_dump(vocabulary, allow_unicode=True), "utf-8")
    folder = make_delivery(tmp_path / "d", {"sea_multi.txt": ["a"]})
    outcome = sceneset("add", folder, "--name", NAME, *options, "--all", cwd=registry)
    assert outcome.code == 1
    assert findings(outcome.err) == {("split_dir/sea_multi.txt", "unknown-split-file")}
    assert "sea (multi)" in outcome.err
    assert "surfing (single)" in outcome.err
