"""Restrictions are honoured by pulls, exports and training, here and over a URL."""

import csv
import json
from pathlib import Path

import pytest

from sceneset import Registry
from sceneset.torch import from_registry
from support.build import NAME, Run, dvc, git
from support.policy import PROVENANCE, set_provenance

INTERNAL = PROVENANCE | {
    "exceptions": [
        {"samples": ["train/a"], "restrictions": ["internal"]},
        {"samples": ["b"], "restrictions": ["no-export"], "licence": "MIT"},
    ]
}


def images(folder: Path) -> list[str]:
    return sorted(path.stem for path in folder.rglob("*.jpg"))


@pytest.fixture
def origin(ready: Path) -> str:
    """The URL of a registry with a sample for internal use, and one that is not for exports."""
    set_provenance(ready, INTERNAL)
    dvc(ready, "repro")
    dvc(ready, "remote", "modify", "store", "url", str(ready.parent / "store"))
    git(ready, "commit", "--quiet", "--all", "--message", "Restricted")
    return f"file://{ready}"


def test_pull_by_url_leaves_out_internal_samples(
    origin: str, ready: Path, tmp_path: Path, sceneset: Run
) -> None:
    assert sceneset("trust", origin, cwd=tmp_path).code == 0
    to = tmp_path / "out"
    words = ("pull", "--repo", origin, "--to", to)
    outcome = sceneset(*words, cwd=tmp_path)
    assert outcome.code == 0, outcome.err
    assert "1 sample for internal use was left out" in outcome.err
    assert images(to) == ["b", "c", "d"]
    assert (to / NAME / "split_dir/ski.txt").read_text() == "b\n"
    record = json.loads((to / "sceneset.json").read_text())
    assert record["restricted"] == 1
    assert record["subsets"][NAME]["provenance"]["licence"] == "CC-BY-4.0"
    outcome = sceneset(*words, "--internal", "--json", cwd=tmp_path)
    assert outcome.json["restricted"] == 0
    assert images(to) == ["a", "b", "c", "d"]
    assert (to / NAME / "split_dir/ski.txt").read_text() == "a\nb\n"
    # Without the option, what the other pull wrote is deleted again.
    assert sceneset(*words, cwd=tmp_path).code == 0
    assert images(to) == ["b", "c", "d"]
    assert not (to / NAME / "ann_dir/train/a.png").exists()
    # In the repository itself, nothing is left out.
    outcome = sceneset("pull", "--to", tmp_path / "here", cwd=ready)
    assert (outcome.code, "internal" in outcome.err) == (0, False)
    assert images(tmp_path / "here") == ["a", "b", "c", "d"]


def test_pull_of_a_subset_for_internal_use_gives_nothing_by_url(
    origin: str, ready: Path, tmp_path: Path, sceneset: Run
) -> None:
    set_provenance(ready, PROVENANCE | {"restrictions": ["internal"]})
    dvc(ready, "repro")
    git(ready, "commit", "--quiet", "--all", "--message", "Internal")
    assert sceneset("trust", origin, cwd=tmp_path).code == 0
    outcome = sceneset("pull", "--repo", origin, "--to", tmp_path / "out", cwd=tmp_path)
    assert (outcome.code, images(tmp_path / "out")) == (0, [])
    assert "4 samples for internal use were left out" in outcome.err
    words = ("export", "coco", "--repo", origin, "--to", tmp_path / "coco")
    outcome = sceneset(*words, cwd=tmp_path)
    assert outcome.code == 2
    assert "4 samples are restricted (internal)" in outcome.err


def test_export_leaves_out_restricted_samples_and_names_them(
    origin: str, ready: Path, tmp_path: Path, sceneset: Run
) -> None:
    assert sceneset("trust", origin, cwd=tmp_path).code == 0
    cases = {
        "here": (ready, ()),
        "url": (tmp_path, ("--repo", origin)),
        "colleague": (tmp_path, ("--repo", origin, "--internal")),
    }
    left_out = {}
    for name, (cwd, words) in cases.items():
        to = tmp_path / name
        outcome = sceneset("export", "mmseg", "--to", to, *words, "--json", cwd=cwd)
        assert outcome.code == 0, outcome.err
        with (to / "left_out.csv").open(encoding="utf-8") as file:
            left_out[name] = {row["stem"]: row["reason"] for row in csv.DictReader(file)}
        assert outcome.json["restricted"] == len(left_out[name])
        assert outcome.json["samples"] + outcome.json["restricted"] == 4
        assert not {*images(to)} & left_out[name].keys()
        assert json.loads((to / "sceneset.json").read_text())["restricted"] == len(left_out[name])
        assert "#   CC-BY-4.0: " in (to / "mmseg_1x.py").read_text("utf-8")
    assert {name: sorted(rows) for name, rows in left_out.items()} == {
        "here": ["b"], "url": ["a", "b"], "colleague": ["b"],
    }  # fmt: skip
    assert left_out["url"] == {
        "a": "its provenance has the restriction internal",
        "b": "its provenance has the restriction no-export",
    }
    outcome = sceneset("export", "coco", "--to", tmp_path / "coco", cwd=ready)
    assert "1 restricted sample was left out" in outcome.err


def test_training_by_url_leaves_out_internal_samples(
    origin: str, tmp_path: Path, sceneset: Run
) -> None:
    pytest.importorskip("torch")
    assert sceneset("trust", origin, cwd=tmp_path).code == 0
    said: list[str] = []
    registry = Registry.open(origin)
    source = from_registry(registry, cache=tmp_path / "cache", notify=said.append)
    assert [sample.stem for sample in source.samples] == ["b", "c", "d"]
    assert "1 sample for internal use was left out" in said[0]
    assert len(from_registry(registry, cache=tmp_path / "cache", internal=True).samples) == 4
