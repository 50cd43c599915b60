"""Differences between states: images are identified by content, and each is counted once."""

from collections.abc import Callable
from pathlib import Path

import pytest

from support.build import NAME, Run, dvc, git, make_delivery, write_image, write_mask

DATA = f"Insta360SemanticSeg/{NAME}"
NO_CHANGES = dict.fromkeys(("added", "removed", "moved", "renamed", "mask", "scenes"), 0)


def rename(root: Path, old: str, new: str, phase: str = "train") -> None:
    for folder, suffix in (("img_dir", ".jpg"), ("ann_dir", ".png")):
        target = root / DATA / folder / phase / f"{new}{suffix}"
        target.parent.mkdir(exist_ok=True)
        (root / DATA / folder / "train" / f"{old}{suffix}").rename(target)
    replace_tag(root, f"train,{old},", f"{phase},{new},")


def replace_tag(root: Path, old: str, new: str) -> None:
    path = root / f"registry/tags/{NAME}.csv"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def remove(root: Path) -> None:
    (root / DATA / "img_dir/train/a.jpg").unlink()
    (root / DATA / "ann_dir/train/a.png").unlink()
    replace_tag(root, "train,a,ski,single,,\n", "")


def add(root: Path) -> None:
    write_image(root / DATA / "img_dir/train/new.jpg", seed=99)
    write_mask(root / DATA / "ann_dir/train/new.png")
    replace_tag(root, "train,a,", "train,new,ski,single,,\ntrain,a,")


def copy(root: Path) -> None:
    for folder, suffix in (("img_dir", ".jpg"), ("ann_dir", ".png")):
        base = root / DATA / folder / "train"
        (base / f"twin{suffix}").write_bytes((base / f"a{suffix}").read_bytes())
    replace_tag(root, "train,a,", "train,twin,ski,single,,\ntrain,a,")


def rename_all(root: Path) -> None:
    for stem in "abcd":
        rename(root, stem, f"z{stem}")


def edit_entry(root: Path) -> None:
    path = root / f"registry/subsets/{NAME}.yaml"
    path.write_text(path.read_text() + "description: {en: words}\n")


CHANGES = [
    pytest.param(edit_entry, {}, "patch", id="description edited"),
    pytest.param(add, {"added": 1}, "minor", id="one added"),
    pytest.param(copy, {"added": 1}, "minor", id="copy added"),
    pytest.param(remove, {"removed": 1}, "major", id="one removed"),
    pytest.param(rename_all, {"renamed": 4}, "minor", id="all renamed"),
    pytest.param(lambda root: rename(root, "a", "a", "val"), {"moved": 1}, "major",
                 id="moved to val"),
    pytest.param(lambda root: write_mask(root / DATA / "ann_dir/train/b.png", ignore=True),
                 {"mask": 1}, "major", id="mask changed"),
    pytest.param(lambda root: replace_tag(root, "train,a,ski,single", "train,a,ski,multi"),
                 {"scenes": 1}, "minor", id="single to multi"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "counts", "step"), CHANGES)
def test_diff_reports_kind_and_step_of_every_change(
    change: Callable[[Path], object], counts: dict[str, int], step: str, added: Path, sceneset: Run
) -> None:
    change(added)
    dvc(added, "add", "--quiet", f"{DATA}/img_dir", f"{DATA}/ann_dir")
    dvc(added, "repro", "--quiet")
    found = sceneset("diff", "HEAD", "--samples", "--json", cwd=added).json
    assert found["counts"] == NO_CHANGES | counts
    assert found["step"] == step
    assert len(found["samples"]) == sum(counts.values())
    git(added, "add", "--all")
    git(added, "commit", "--quiet", "--message", "A change")
    committed = sceneset("diff", "HEAD~1", "HEAD", "--samples", "--json", cwd=added).json
    assert committed == found
    back = sceneset("diff", "HEAD", "HEAD~1", "--json", cwd=added).json["counts"]
    swapped = {"added": "removed", "removed": "added"}
    assert back == {swapped.get(kind, kind): n for kind, n in found["counts"].items()}
    assert f"at least a {step} step" in sceneset("diff", "HEAD~1", cwd=added).out


def test_diff_is_empty_when_nothing_changed(added: Path, sceneset: Run) -> None:
    found = sceneset("diff", "HEAD", "--json", cwd=added).json
    assert (found["counts"], found["drift"], found["step"]) == (NO_CHANGES, [], "patch")


def test_diff_reports_drift_when_a_sample_changes_from_single_to_multi(
    added: Path, sceneset: Run
) -> None:
    replace_tag(added, "train,a,ski,single", "train,a,ski,multi")
    dvc(added, "repro", "--quiet")
    found = sceneset("diff", "HEAD", "--json", cwd=added).json["drift"]
    assert [(d["scene"], d["persons"], d["images"]) for d in found] == [
        ("ski", "single", [2, 1]), ("ski", "multi", [2, 3]),
    ]  # fmt: skip
    assert all(d["colour"] > 0 for d in found)


def test_diff_reports_one_rename_per_sample_when_a_hundred_are_renamed(
    registry: Path, tmp_path: Path, sceneset: Run
) -> None:
    stems = [f"{number:03d}" for number in range(101)]
    delivery = make_delivery(tmp_path / "delivery", {"ski.txt": stems}, train=stems)
    assert sceneset("add", delivery, "--name", NAME, cwd=registry).code == 0
    dvc(registry, "repro", "--quiet")
    git(registry, "add", "--all")
    git(registry, "commit", "--quiet", "--message", "Add")
    for stem in stems[1:]:
        rename(registry, stem, f"shot_{stem}")
    dvc(registry, "repro", "--quiet")
    found = sceneset("diff", "HEAD", "--samples", "--json", cwd=registry).json
    assert found["counts"] == NO_CHANGES | {"renamed": 100}
    assert {c["new"]["place"].partition("shot_")[2] for c in found["samples"]} == set(stems[1:])
