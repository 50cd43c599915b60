"""Samples move and leave, subsets retire and get other names; what names them follows."""

import shutil
from pathlib import Path

import pytest

from sceneset.catalog.dropped import read_dropped
from sceneset.catalog.lineage import read_lineage
from sceneset.catalog.reader import Catalog
from support.build import NAME, Run, dvc, git, snapshot

FOLDER = f"Insta360SemanticSeg/{NAME}"
NEW = "CustomSeg_Person_20240115_crawl"


def is_current(root: Path) -> bool:
    return dvc(root, "status", "--quiet", check=False).code == 0


def test_moved_samples_are_known_to_everything(ready: Path, sceneset: Run) -> None:
    waivers = ready / "registry/waivers.yaml"
    waivers.write_text(
        "waivers:\n"
        f"- {{code: mask-coarse, subset: {NAME}, sample: train/a, reason: ok, date: 2024-01-01}}\n"
        f"- {{code: mask-coarse, subset: {NAME}, file: {FOLDER}/ann_dir/train/b.png,"
        " reason: ok, date: 2024-01-01}\n"
    )
    params = ready / "params.yaml"
    stems = f"stems: [{NAME}/train/a, c]"
    text = params.read_text().replace(
        "selections: {}",
        f"selections: # of people\n  rest: {{exclude: {{{stems}}}}}\n  marked: {{{stems}}}",
    )
    assert stems in text
    params.write_text(text)
    planned = sceneset("move", "ski", "--match", "[ab]", "--phase", "val", "--dry-run", cwd=ready)
    assert planned.code == 0, planned.err
    assert (ready / FOLDER / "img_dir/train/a.jpg").exists()
    outcome = sceneset("move", "ski", "--match", "[ab]", "--phase", "val", cwd=ready)
    assert outcome.code == 0, outcome.err
    assert "2 samples were moved to val" in outcome.err
    for part, suffix in (("img_dir", "jpg"), ("ann_dir", "png")):
        folder = ready / FOLDER / part
        for phase, stems in (("val", "ab"), ("train", "cd")):
            names = {path.name for path in (folder / phase).iterdir()}
            assert names == {f"{stem}.{suffix}" for stem in stems}
    assert (ready / FOLDER / "split_dir/ski_val.txt").read_text() == "a\nb\n"
    assert not (ready / FOLDER / "split_dir/ski.txt").exists()
    assert "sample: val/a" in waivers.read_text()
    assert f"file: {FOLDER}/ann_dir/val/b.png" in waivers.read_text()
    assert params.read_text().count(f"[{NAME}/val/a, c]") == 2
    assert "selections: # of people" in params.read_text()
    rows = read_lineage(Catalog(ready).paths, NAME)
    assert [(row.before[:2], row.after[:2]) for row in rows] == [
        (("train", "a"), ("val", "a")),
        (("train", "b"), ("val", "b")),
    ]
    assert sceneset("diff", "HEAD", "--json", cwd=ready).json["counts"]["moved"] == 2
    assert is_current(ready)
    assert not [f for f in sceneset("check", "--json", cwd=ready).json if f["severity"] == "error"]


def test_findings_of_moved_samples_are_not_shown_as_new(added: Path, sceneset: Run) -> None:
    params = added / "params.yaml"
    params.write_text(params.read_text().replace("min_person: 0.02", "min_person: 0.99"))
    codes = [f["code"] for f in sceneset("check", "--json", cwd=added).json]
    assert codes.count("person-small") == 4
    words = ("move", "ski", "--match", "[ab]", "--phase", "val")
    planned = sceneset(*words, "--dry-run", "--json", cwd=added)
    assert planned.json["counts"]["moved"] == 2
    assert planned.json["problems"] == []
    done = sceneset(*words, cwd=added)
    assert "person-small" not in done.err


def test_a_clone_without_images_moves_samples_and_fetches_them_later(
    ready: Path, sceneset: Run
) -> None:
    clone = ready.parent / "clone"
    git(ready, "clone", "--quiet", str(ready), str(clone))
    assert sceneset("move", "ski", "--match", "a", "--phase", "test", cwd=clone).code == 0
    assert not (clone / FOLDER / "img_dir").exists()
    assert not (clone / ".dvc/cache/files/md5/").exists() or not any(
        path.stat().st_size > 1000 for path in (clone / ".dvc/cache").rglob("*") if path.is_file()
    )
    dvc(clone, "push", "--quiet")
    shutil.rmtree(clone / ".dvc/cache", ignore_errors=True)
    dvc(clone, "pull", "--quiet")
    assert (clone / FOLDER / "img_dir/test/a.jpg").is_file()
    assert is_current(clone)


def test_a_move_that_divides_a_clip_is_refused(added: Path, sceneset: Run) -> None:
    assert sceneset("tag", "ski", "--match", "[ab]", "--source", "clip-7", cwd=added).code == 0
    before = snapshot(added)
    words = ("move", "ski", "--match", "a", "--phase", "val")
    outcome = sceneset(*words, cwd=added)
    assert outcome.code == 1
    assert "[leak-source]" in outcome.err
    assert snapshot(added) == before
    planned = sceneset(*words, "--dry-run", cwd=added)
    assert planned.code == 1
    assert "the change would be refused" in planned.err
    assert sceneset("move", "ski", "--match", "[ab]", "--phase", "val", cwd=added).code == 0


def test_a_subset_of_which_half_the_images_are_here_is_changed(ready: Path, sceneset: Run) -> None:
    for file in ("img_dir/train/a.jpg", "ann_dir/train/a.png", "ann_dir/train/b.png"):
        (ready / FOLDER / file).unlink()
    shutil.rmtree(ready / ".dvc/cache")
    assert sceneset("move", "ski", "--match", "[abc]", "--phase", "val", cwd=ready).code == 0
    present = {str(p.relative_to(ready / FOLDER)) for p in (ready / FOLDER).glob("*_dir/val/*")}
    assert present == {"img_dir/val/b.jpg", "img_dir/val/c.jpg", "ann_dir/val/c.png"}
    dvc(ready, "push")
    dvc(ready, "pull")
    assert is_current(ready)
    assert len(list((ready / FOLDER).glob("*_dir/val/*"))) == 6


def test_a_move_and_back_is_the_registry_as_it_was(ready: Path, sceneset: Run) -> None:
    for phase in ("val", "train"):
        words = ("move", "total", "--match", "a", "--phase", phase)
        assert sceneset(*words, cwd=ready).code == 0
    changed = git(ready, "status", "--porcelain").split()
    assert changed == ["??", "registry/lineage/"]
    assert not any(sceneset("diff", "HEAD", "--json", cwd=ready).json["counts"].values())


def test_a_name_that_is_taken_is_refused(ready: Path, sceneset: Run) -> None:
    assert sceneset("move", "ski", "--match", "a", "--phase", "val", cwd=ready).code == 0
    git(ready, "commit", "--quiet", "--all", "--message", "Move")
    tags = ready / f"registry/tags/{NAME}.csv"
    edited = ready / FOLDER / "img_dir/train/b.jpg"
    edited.chmod(0o644)
    data = edited.read_bytes()
    edited.unlink()
    edited.write_bytes(data + b"x")
    before = tags.read_bytes()
    outcome = sceneset("move", "ski", "--phase", "test", cwd=ready)
    assert outcome.code == 1
    assert "train/b.jpg: differs from the file that was scanned" in outcome.err
    assert tags.read_bytes() == before


def test_dropped_samples_stay_in_versions_and_a_pull_says_so(
    released: Path, sceneset: Run, tmp_path: Path
) -> None:
    words = ("drop", "ski", "--match", "[ab]", "--reason", "out of focus")
    assert sceneset(*words, "--dry-run", "--json", cwd=released).json["counts"]["removed"] == 2
    outcome = sceneset(*words, cwd=released)
    assert outcome.code == 0, outcome.err
    assert not (released / FOLDER / "img_dir/train/a.jpg").exists()
    assert [row.sample for row in read_dropped(released)] == ["train/a", "train/b"]
    assert is_current(released)
    git(released, "add", "--all")
    git(released, "commit", "--quiet", "--message", "Drop")
    dvc(released, "push", "--quiet")
    assert sceneset("release", "2.0.0", cwd=released).code == 0
    outcome = sceneset("pull", "--rev", "1.0.0", "--to", tmp_path / "old", cwd=released)
    assert outcome.code == 0, outcome.err
    assert len(list((tmp_path / "old").rglob("*.jpg"))) == 4
    assert "2 of these samples were dropped since (out of focus)" in outcome.err
    outcome = sceneset("pull", "--rev", "2.0.0", "--to", tmp_path / "new", cwd=released)
    assert len(list((tmp_path / "new").rglob("*.jpg"))) == 2
    assert "were dropped" not in outcome.err


def test_a_dropped_file_that_only_the_working_tree_has_goes_to_the_cache(
    added: Path, sceneset: Run
) -> None:
    shutil.rmtree(added / ".dvc/cache")
    image = added / FOLDER / "img_dir/train/a.jpg"
    data = image.read_bytes()
    assert sceneset("drop", "ski", "--match", "a", "--reason", "x", cwd=added).code == 0
    cached = [path.read_bytes() for path in (added / ".dvc/cache").rglob("*") if path.is_file()]
    assert data in cached


def test_a_retired_subset_is_left_out_of_new_versions(
    released: Path, sceneset: Run, tmp_path: Path
) -> None:
    outcome = sceneset("retire", "web", "--reason", "replaced", cwd=released)
    assert outcome.code == 0, outcome.err
    assert Catalog(released).names == ()
    assert not (released / FOLDER).exists()
    git(released, "add", "--all")
    git(released, "commit", "--quiet", "--message", "Retire")
    outcome = sceneset("pull", "--rev", "1.0.0", "--to", tmp_path / "old", cwd=released)
    assert outcome.code == 0, outcome.err
    assert len(list((tmp_path / "old").rglob("*.jpg"))) == 4
    assert f"{NAME} was retired since: replaced" in outcome.err
    outcome = sceneset("lookup", "--subset", "web", cwd=released)
    assert outcome.code == 2
    assert f"{NAME} was retired: replaced" in outcome.err


@pytest.mark.parametrize("has_images", [True, False])
def test_a_renamed_subset_is_found_by_both_names(
    ready: Path, sceneset: Run, has_images: bool
) -> None:
    root = ready
    if not has_images:
        root = ready.parent / "clone"
        git(ready, "clone", "--quiet", str(ready), str(root))
    lock = (root / "dvc.lock").read_text()
    outcome = sceneset("rename", "web", NEW, cwd=root)
    assert outcome.code == 0, outcome.err
    assert Catalog(root).names == (NEW,)
    assert not (root / FOLDER).exists()
    assert (root / f"Insta360SemanticSeg/{NEW}/img_dir").exists() == has_images
    assert (root / "dvc.lock").read_text().count("\n") == lock.count("\n")
    for name in (NAME, "web", NEW):
        rows = sceneset("lookup", "ski", "--subset", name, "--json", cwd=root).json
        assert {row["subset"] for row in rows} == {NEW}, name
    if has_images:
        assert is_current(root)
        assert sceneset("check", cwd=root).code == 0
    outcome = sceneset("rename", "crawl", NEW, cwd=root)
    assert outcome.code == 2
