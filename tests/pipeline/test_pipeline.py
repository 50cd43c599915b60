"""`dvc repro` gives the same bytes for the same inputs, and names errors and how to fix them."""

import json
import re
from pathlib import Path

import pytest
import yaml

from sceneset.cli.scaffold import lay_out
from sceneset.stages import card, check, leakage, manifest, stats
from support.build import (
    NAME,
    Outcome,
    Run,
    dvc,
    git,
    make_delivery,
    snapshot,
    write_image,
    write_mask,
)
from support.policy import PROVENANCE, set_default_rules

DATA = f"Insta360SemanticSeg/{NAME}"
TAGS = f"registry/tags/{NAME}.csv"
TEXT_STAGES = ("check", "splits", "stats", "leakage", "manifest", "card")


def ran(outcome: Outcome) -> list[str]:
    """Return the names of the stages that a repro ran, without the subset of each."""
    return re.findall(r"Running stage '(\w+)", outcome.out)


def changes(root: Path) -> str:
    return git(root, "status", "--porcelain", "--untracked-files=all")


def recorded(root: Path, folder: str, name: str = NAME) -> str:
    text = (root / f"Insta360SemanticSeg/{name}/{folder}.dvc").read_text()
    return str(yaml.safe_load(text)["outs"][0]["md5"])


def digests(root: Path, name: str = NAME) -> tuple[str, str]:
    subset = json.loads((root / "registry/manifest.json").read_text())["subsets"][name]
    return subset["img_dir"]["md5"], subset["ann_dir"]["md5"]


def clone_without_blobs(root: Path, target: Path) -> Path:
    git(root, "clone", "--quiet", ".", str(target))
    return target


def commit(root: Path) -> None:
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "Change")


def relabel(root: Path) -> None:
    tags = root / TAGS
    text = tags.read_text("utf-8")
    assert "train,a,ski,single" in text
    tags.write_text(text.replace("train,a,ski,single", "train,a,ski,multi"), "utf-8")


@pytest.mark.real_processes
def test_repro_changes_nothing_when_forced_and_runs_nothing_when_current(added: Path) -> None:
    assert ran(dvc(added, "repro")) == []
    before = snapshot(added)
    done = ran(dvc(added, "repro", "--force"))
    assert sorted(done) == sorted(["scan", *TEXT_STAGES])
    assert snapshot(added) == before, "the first run was in forks"
    assert changes(added) == ""


def test_repro_gives_the_same_bytes_when_built_in_another_folder(
    added: Path, tmp_path: Path, sceneset: Run
) -> None:
    root = tmp_path / "elsewhere/deeper"
    lay_out(root)
    set_default_rules(root)
    delivery = make_delivery(tmp_path / "again")
    entry = tmp_path / "entry.yaml"
    entry.write_text(f"provenance: {json.dumps(PROVENANCE)}\n")
    assert sceneset("add", delivery, "--name", NAME, "--entry", entry, cwd=root).code == 0
    dvc(root, "repro")
    assert snapshot(root) == snapshot(added)


def test_repro_runs_only_text_stages_when_a_tag_changed(added: Path, tmp_path: Path) -> None:
    clone = clone_without_blobs(added, tmp_path / "clone")
    for root, options in ((added, ()), (clone, ("--allow-missing",))):
        relabel(root)
        assert sorted(ran(dvc(root, "repro", *options))) == sorted(TEXT_STAGES)
        splits = root / DATA / "split_dir"
        assert (splits / "ski.txt").read_text() == "b\n"
        assert (splits / "ski_muiltiperson.txt").read_text() == "a\nc\nd\n"
    assert git(clone, "diff") == git(added, "diff")


def test_stage_fails_and_names_the_file_when_an_input_of_a_subset_is_missing(
    added: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stage that combines subsets must not skip a listed subset without its files."""
    monkeypatch.chdir(added)
    stages = {
        "check": check, "stats": stats, "leakage": leakage, "manifest": manifest, "card": card
    }  # fmt: skip
    scan, stat = f"registry/scans/{NAME}.parquet", f"registry/stats/{NAME}.yaml"
    entry = f"registry/subsets/{NAME}.yaml"
    before = snapshot(added)
    for lost, failing in (
        (scan, {"check", "stats", "leakage", "manifest"}),
        (TAGS, {"check", "stats", "leakage", "manifest"}),
        (entry, {"check", "stats", "manifest", "card"}),
        (stat, {"card"}),
    ):
        for name in sorted(failing):
            (added / lost).unlink()
            assert stages[name].main() == 1, f"{name} without {lost}"
            assert lost in capfd.readouterr().err, f"{name} does not name {lost}"
            after = snapshot(added)
            reports = {path for path in after if path.startswith("registry/reports/")}
            written = {path for path, data in after.items() if before.get(path) != data}
            assert written <= (reports if name in {"check", "leakage"} else set()), name
            assert before.keys() - after.keys() == {lost}, f"{name} deleted a file"
            for path in (lost, *written):
                (added / path).write_bytes(before[path])


def test_check_stage_fails_when_a_scan_is_missing(added: Path) -> None:
    """Otherwise later stages would compute results from the remaining subsets."""
    (added / "registry/scans" / f"{NAME}.parquet").unlink()
    outcome = dvc(added, "repro", "--single-item", "check", check=False)
    assert outcome.code != 0
    assert "scan-missing" in outcome.err
    git(added, "checkout", ".")
    assert ran(dvc(added, "repro")) == []


@pytest.mark.parametrize("lost", [("img_dir/train/b.jpg",), "partial"], ids=["one", "partial"])
def test_scan_stage_names_missing_files_and_its_hint_restores_them_when_files_were_deleted(
    lost: tuple[str, ...] | str, added: Path
) -> None:
    if lost == "partial":
        lost = tuple(
            f"{folder}/train/{stem}{suffix}"
            for folder, suffix in (("img_dir", ".jpg"), ("ann_dir", ".png"))
            for stem in "bcd"
        )
    before = snapshot(added)
    for path in lost:
        (added / DATA / path).unlink()
    outcome = dvc(added, "repro", check=False)
    assert outcome.code != 0
    assert ran(outcome) == ["scan"]
    for path in lost:
        assert repr(Path(path).stem) in outcome.err or path in outcome.err
    assert "scan-incomplete" in outcome.err
    # dvc has already rewritten the .dvc file, so the hint must restore that file too.
    commands = re.findall(r"`((?:git|dvc) checkout[^`]*)`", outcome.err)
    assert commands, outcome.err
    for command in commands:
        program, *words = command.split()
        (git if program == "git" else dvc)(added, *words)
    assert snapshot(added) == before
    assert changes(added) == ""
    assert ran(dvc(added, "repro")) == []


def test_manifest_changes_only_the_digest_of_masks_when_a_mask_was_edited(added: Path) -> None:
    before = digests(added)
    assert before == (recorded(added, "img_dir"), recorded(added, "ann_dir"))
    write_mask(added / DATA / "ann_dir/train/a.png", ignore=True)
    dvc(added, "add", "--quiet", f"{DATA}/ann_dir")
    assert "splits" not in ran(dvc(added, "repro"))
    after = digests(added)
    assert after == (recorded(added, "img_dir"), recorded(added, "ann_dir"))
    assert (after[0] == before[0], after[1] == before[1]) == (True, False)


def test_repro_updates_splits_and_statistics_when_samples_were_added(added: Path) -> None:
    tags = added / TAGS
    text = tags.read_text("utf-8")
    for seed, stem in enumerate(("new 1", "新2"), 50):
        write_image(added / DATA / f"img_dir/train/{stem}.jpg", seed)
        write_mask(added / DATA / f"ann_dir/train/{stem}.png")
        text += f"train,{stem},ski,single,,\n"
    tags.write_text(text, "utf-8")
    dvc(added, "add", "--quiet", f"{DATA}/img_dir", f"{DATA}/ann_dir")
    assert sorted(ran(dvc(added, "repro"))) == sorted(["scan", *TEXT_STAGES])
    split = (added / DATA / "split_dir/ski.txt").read_text("utf-8")
    assert split == "a\nb\nnew 1\n新2\n"
    assert digests(added) == (recorded(added, "img_dir"), recorded(added, "ann_dir"))
    assert yaml.safe_load((added / "registry/stats/dataset.yaml").read_text())["samples"] == {
        "train": 6
    }


def test_repro_accepts_a_chinese_subset_when_it_has_only_warnings(
    added: Path, tmp_path: Path, sceneset: Run
) -> None:
    name = "CustomSeg_Person_20240301_滑雪-第二批"
    stems = ("雪山 一", "雪山 二", "é")
    delivery = make_delivery(tmp_path / "送货", {"ski.txt": stems[:2]}, train=stems)
    write_mask(delivery / "ann_dir/train/é.png", person=0)
    outcome = sceneset("add", delivery, "--name", name, cwd=added)
    assert outcome.code == 0, outcome.err
    assert "mask-empty" in outcome.err
    assert "no-scene" in outcome.err
    again = dvc(added, "repro")
    assert sorted(ran(again)) == sorted(["scan", *TEXT_STAGES]), (
        "the scan of the other subset must not run"
    )
    assert digests(added, name) == (
        recorded(added, "img_dir", name),
        recorded(added, "ann_dir", name),
    )
    assert (added / f"Insta360SemanticSeg/{name}/split_dir/ski.txt").read_text("utf-8") == (
        "雪山 一\n雪山 二\n"
    )
    assert "mask-empty" in (added / "registry/reports/check.json").read_text()
    assert (added / "registry/reports/errors.json").read_text() == "[]\n"
    found = sceneset("lookup", "滑雪", "--subset", "第二批", "--stems", cwd=added)
    assert found.out.splitlines() == ["雪山 一", "雪山 二"]
    assert (added / f"registry/cards/{name}.zh.html").is_file()
    commit(added)
    assert ran(dvc(added, "repro")) == []
    assert changes(added) == ""
