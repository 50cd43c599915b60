"""Differences between states: images are identified by content, and each is counted once."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from sceneset.catalog.reader import Catalog
from sceneset.versions import changed_samples
from sceneset.versions.changed_samples import Pixels, Place, Sample
from sceneset.versions.pairing import Pairing
from support.build import NAME, Run, dvc, git, make_delivery, write_image, write_mask
from support.rule_breaks import exif

DATA = f"Insta360SemanticSeg/{NAME}"
KINDS = ("added", "removed", "moved", "renamed", "mask", "scenes", "metadata", "image")
NO_CHANGES = dict.fromkeys(KINDS, 0)


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


def comment(root: Path, place: str = "train/a") -> None:
    """Insert a comment into a JPEG: its pixels stay."""
    path = root / DATA / f"img_dir/{place}.jpg"
    data = path.read_bytes()
    path.write_bytes(data[:2] + b"\xff\xfe\x00\x07hello" + data[2:])


def comment_and_move(root: Path) -> None:
    comment(root)
    rename(root, "a", "a", "val")


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
    pytest.param(comment, {"metadata": 1}, "patch", id="metadata changed"),
    pytest.param(comment_and_move, {"metadata": 1, "moved": 1}, "major",
                 id="moved to val with other metadata"),
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


@pytest.mark.parametrize("suffix", [".jpg", ".png"])
def test_diff_reports_no_sample_as_added_when_fix_turned_an_image(
    suffix: str, registry: Path, tmp_path: Path, sceneset: Run
) -> None:
    delivery = make_delivery(tmp_path / "delivery", {"ski.txt": ["a", "b"]}, train=("a", "b"),
                             suffix=suffix)  # fmt: skip
    path = delivery / f"img_dir/train/a{suffix}"
    with Image.open(path) as image:
        image.load()
    image.save(path, exif=exif(orientation=6, gps="N"))
    assert sceneset("add", delivery, "--name", NAME, cwd=registry).code == 0
    dvc(registry, "repro", "--quiet")
    git(registry, "add", "--all")
    git(registry, "commit", "--quiet", "--message", "Add")
    assert sceneset("fix", NAME, "--apply", cwd=registry).code == 0
    found = sceneset("diff", "HEAD", "--json", cwd=registry).json
    # Turning a JPEG encodes it again, which changes pixels; the mask is turned too.
    kind = "image" if suffix == ".jpg" else "metadata"
    assert found["counts"] == NO_CHANGES | {kind: 1, "mask": 1}
    shown = sceneset("diff", "HEAD", "--samples", cwd=registry).out
    assert f"{kind} changed" in shown


def test_release_accepts_a_patch_step_when_only_metadata_changed(
    ready: Path, sceneset: Run
) -> None:
    assert sceneset("release", "1.0.0", cwd=ready).code == 0
    comment(ready)
    dvc(ready, "add", "--quiet", f"{DATA}/img_dir")
    dvc(ready, "repro", "--quiet")
    git(ready, "add", "--all")
    git(ready, "commit", "--quiet", "--message", "A comment")
    dvc(ready, "push")
    outcome = sceneset("release", "1.0.1", cwd=ready)
    assert outcome.code == 0, outcome.err
    assert "1 metadata changed" in (ready / "CHANGELOG.md").read_text()
    assert "1 metadata changed" in sceneset("versions", cwd=ready).out


def place(stem: str, subset: str = NAME) -> Place:
    return Place(subset, "train", stem)


def sample(stem: str, image: str, mask: str = "m") -> Sample:
    return Sample(place(stem), image, mask, ())


def pair(
    before: list[Sample], after: list[Sample], **pixels: Pixels
) -> tuple[set[tuple[str, str]], Pairing]:
    pairing = Pairing(before, after)
    pairing.pair(list, lambda _: pixels, lambda _: pixels)
    stems = {
        (old.place.stem if old else "", new.place.stem if new else "") for old, new in pairing.pairs
    }
    return stems, pairing


def test_samples_are_paired_by_exact_sums_when_scans_have_no_pictures() -> None:
    old, new, other = sample("a", "1"), sample("b", "2"), sample("c", "3")
    stems, pairing = pair(
        [old], [new, other], **{"1": Pixels("", (1,)), "2": Pixels("", (1,)), "3": Pixels("", (2,))}
    )
    assert stems == {("a", "b"), ("", "c")}
    assert pairing.is_same_picture(old, new)


def test_samples_are_paired_by_picture_when_an_old_scan_is_compared() -> None:
    known = {"1": Pixels("p", (1,)), "2": Pixels("p", (9,)), "3": Pixels("q", (1,))}
    stems, pairing = pair([sample("a", "1")], [sample("b", "2"), sample("c", "3")], **known)
    assert stems == {("a", "b"), ("", "c")}
    stems, pairing = pair([sample("a", "1")], [sample("c", "3")], **known)
    assert stems == {("a", "c")}
    assert not pairing.is_same_picture(sample("a", "1"), sample("c", "3"))


def test_a_thousand_copies_of_one_image_are_paired_in_linear_time() -> None:
    before = [sample(f"a{number}", "1") for number in range(20_000)]
    after = [sample(f"b{number}", "1") for number in range(20_000)]
    stems, _ = pair(before, after)
    assert len(stems) == 20_000
    assert ("a0", "b0") in stems


def test_diff_names_the_sample_when_the_tags_have_one_that_no_scan_has(
    added: Path, sceneset: Run
) -> None:
    replace_tag(added, "train,a,", "train,nobody,ski,single,,\ntrain,a,")
    outcome = sceneset("diff", "HEAD", cwd=added)
    assert outcome.code == 1
    assert "nobody" in outcome.err
    assert "scan-incomplete" in outcome.err


def test_diff_does_not_read_the_tags_of_unchanged_subsets(
    added: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("read")

    monkeypatch.setattr(changed_samples, "_rows", refuse)
    assert sceneset("diff", "HEAD", "--json", cwd=added).json["counts"] == NO_CHANGES


def test_samples_are_equal_when_a_scan_lists_them_in_another_order(
    added: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = Catalog(added), Catalog(added)
    old.tags(NAME)  # kept in memory
    scan = new.scan(NAME)
    monkeypatch.setattr(new, "scan", lambda *_: scan.take(list(range(len(scan)))[::-1]))
    monkeypatch.setattr(changed_samples, "_have_same_files", lambda *_: False)
    assert changed_samples.changed_samples(old, new) == ([], [])
    replace_tag(added, "train,a,ski,single", "train,a,ski,multi")
    [[before], [after]] = changed_samples.changed_samples(old, Catalog(added))
    assert (before.place.stem, before.scenes, after.scenes) == (
        "a",
        ("ski:single",),
        ("ski:multi",),
    )


def test_equal_states_are_said_to_be_equal(added: Path, sceneset: Run) -> None:
    outcome = sceneset("diff", "HEAD", "HEAD", cwd=added)
    assert outcome.code == 0
    assert outcome.out.startswith("no difference in samples, scenes and subsets\n")
    assert "samples added" not in outcome.out
