"""The flow through `dvc repro`: same inputs, same bytes; faults are named, and mended as told."""

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

DATA = f"Insta360SemanticSeg/{NAME}"
TAGS = f"registry/tags/{NAME}.csv"
TEXT_STAGES = ("check", "splits", "stats", "leakage", "manifest", "card")


def ran(outcome: Outcome) -> list[str]:
    """Return the stages a repro ran, subsets left out."""
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


def test_forced_runs_change_nothing_and_plain_ones_run_nothing(added: Path) -> None:
    assert ran(dvc(added, "repro")) == []
    before = snapshot(added)
    for _ in range(2):
        done = ran(dvc(added, "repro", "--force"))
        assert sorted(done) == sorted(["scan", *TEXT_STAGES])
        assert snapshot(added) == before
    assert changes(added) == ""


def test_two_builds_give_the_same_bytes(added: Path, tmp_path: Path, sceneset: Run) -> None:
    root = tmp_path / "elsewhere/deeper"
    lay_out(root)
    delivery = make_delivery(tmp_path / "again")
    assert sceneset("add", delivery, "--name", NAME, cwd=root).code == 0
    dvc(root, "repro")
    assert snapshot(root) == snapshot(added)


def test_relabelling_needs_no_pixel(added: Path, tmp_path: Path) -> None:
    clone = clone_without_blobs(added, tmp_path / "clone")
    for root, how in ((added, ()), (clone, ("--allow-missing",))):
        relabel(root)
        assert sorted(ran(dvc(root, "repro", *how))) == sorted(TEXT_STAGES)
        splits = root / DATA / "split_dir"
        assert (splits / "ski.txt").read_text() == "b\n"
        assert (splits / "ski_muiltiperson.txt").read_text() == "a\nc\nd\n"
    assert git(clone, "diff") == git(added, "diff")


def test_a_subset_is_never_lost_in_silence(
    added: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All that a listed subset needs is asked for by every stage that sums over subsets."""
    monkeypatch.chdir(added)
    names = {"check": check, "stats": stats, "leakage": leakage}
    stages = {**names, "manifest": manifest, "card": card}
    scan, stat = f"registry/scans/{NAME}.parquet", f"registry/stats/{NAME}.yaml"
    entry = f"registry/subsets/{NAME}.yaml"
    before = snapshot(added)
    for lost, notice in (
        (scan, {"check", "stats", "leakage", "manifest"}),
        (TAGS, {"check", "stats", "leakage", "manifest"}),
        (entry, {"check", "stats", "manifest", "card"}),
        (stat, {"card"}),
    ):
        for name in sorted(notice):
            (added / lost).unlink()
            assert stages[name].main() == 1, f"{name} without {lost}"
            assert lost in capfd.readouterr().err, f"{name} names {lost}"
            for path, data in before.items():
                (added / path).write_bytes(data)
            assert snapshot(added) == before, f"{name} wrote something new"


def test_a_missing_file_stops_the_pipeline_before_it_gets_to_the_tables(added: Path) -> None:
    """dvc would rewrite the folder's .dvc file and take the rest for the new truth."""
    (added / "registry/scans" / f"{NAME}.parquet").unlink()
    outcome = dvc(added, "repro", "--single-item", "check", check=False)
    assert outcome.code != 0
    assert "scan-missing" in outcome.err
    git(added, "checkout", ".")
    assert ran(dvc(added, "repro")) == []


@pytest.mark.parametrize("lost", [("img_dir/train/b.jpg",), "partial"], ids=["one", "partial"])
def test_lost_images_are_named_and_got_back(lost: tuple[str, ...] | str, added: Path) -> None:
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
    # dvc has rewritten the .dvc file by now; the hint must lead out of that.
    hint = next(line for line in outcome.err.splitlines() if "scan-incomplete" in line)
    commands = re.findall(r"`((?:git|dvc) checkout[^`]*)`", hint)
    assert commands, hint
    for command in commands:
        program, *words = command.split()
        (git if program == "git" else dvc)(added, *words)
    assert snapshot(added) == before
    assert changes(added) == ""
    assert ran(dvc(added, "repro")) == []


def test_an_edited_mask(added: Path) -> None:
    before = digests(added)
    assert before == (recorded(added, "img_dir"), recorded(added, "ann_dir"))
    write_mask(added / DATA / "ann_dir/train/a.png", ignore=True)
    dvc(added, "add", "--quiet", f"{DATA}/ann_dir")
    assert "splits" not in ran(dvc(added, "repro"))
    after = digests(added)
    assert after == (recorded(added, "img_dir"), recorded(added, "ann_dir"))
    assert (after[0] == before[0], after[1] == before[1]) == (True, False)


def test_two_more_samples(added: Path) -> None:
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


def test_a_subset_in_chinese_whose_warnings_stop_nothing(
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
    assert sorted(ran(again)) == sorted(["scan", *TEXT_STAGES]), "the other subset rests"
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
