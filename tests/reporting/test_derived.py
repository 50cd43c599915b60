"""Derived files are compared with their sources, whatever dvc.lock says about them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sceneset.catalog.reader import Catalog
from sceneset.reporting.derived import stale_files
from support.build import NAME, Run, dvc, git

SPLIT = f"Insta360SemanticSeg/{NAME}/split_dir/ski.txt"
STATS = f"registry/stats/{NAME}.yaml"


def commit_as_current(root: Path) -> None:
    """Record the present files in dvc.lock, as if the pipeline had written them."""
    dvc(root, "commit", "--force")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "A false derived file")
    assert "up to date" in dvc(root, "status").out


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def drop_a_stem(root: Path) -> None:
    replace(root / SPLIT, "a\nb\n", "b\n")


def add_a_file(root: Path) -> None:
    (root / SPLIT).with_name("skating.txt").write_text("a\n")


def change_statistics(root: Path) -> None:
    replace(root / STATS, "images: 4", "images: 5")


def change_a_card(root: Path) -> None:
    replace(root / f"registry/cards/{NAME}.en.md", NAME, "Another title")


def change_the_manifest(root: Path) -> None:
    replace(root / "registry/manifest.json", '"samples": 4', '"samples": 5')


def change_a_report(root: Path) -> None:
    replace(root / "registry/reports/leakage.json", "[", '[{"code": "leak-near"}')


@pytest.mark.parametrize(
    ("change", "stage", "place"),
    [
        (drop_a_stem, f"splits@{NAME}", f"{SPLIT}:1: the line is 'b', but the sources give 'a'"),
        (add_a_file, f"splits@{NAME}", "split_dir/skating.txt: no source gives this file"),
        (change_statistics, "stats", f"{STATS}:"),
        (change_a_card, "card", f"registry/cards/{NAME}.en.md:"),
        (change_the_manifest, "manifest", "registry/manifest.json:3: the line is"),
        (change_a_report, "leakage", "registry/reports/leakage.json:"),
    ],
)
def test_check_review_and_release_report_a_false_file_that_dvc_takes_for_current(
    change: Callable[[Path], None], stage: str, place: str, ready: Path, sceneset: Run
) -> None:
    assert sceneset("check", cwd=ready).code == 0
    change(ready)
    commit_as_current(ready)
    checked = sceneset("check", "--all", cwd=ready)
    assert checked.code == 1
    assert "[derived-stale]" in checked.out
    assert place in checked.out
    assert f"dvc repro --force --single-item {stage}" in checked.out
    reviewed = sceneset("review", "HEAD~1", "--json", cwd=ready)
    assert reviewed.code == 1
    assert {found["code"] for found in reviewed.json["new"]} == {"derived-stale"}
    released = sceneset("release", "1.0.0", cwd=ready)
    assert released.code == 1
    assert "[derived-stale]" in released.err
    dvc(ready, "repro", "--force", "--single-item", stage)
    assert sceneset("check", cwd=ready).code == 0


def test_check_accepts_files_that_are_out_of_date_until_the_next_repro(
    ready: Path, sceneset: Run
) -> None:
    tags = ready / f"registry/tags/{NAME}.csv"
    replace(tags, "train,a,ski,single", "train,a,ski,multi")
    assert "derived-stale" not in sceneset("check", cwd=ready).out
    reviewed = sceneset("review", "HEAD", "--json", cwd=ready)
    assert {found["code"] for found in reviewed.json["new"]} >= {"release-stale", "derived-stale"}
    assert "ski.txt" in {Path(found["file"]).name for found in reviewed.json["new"]}


def test_a_false_file_is_read_no_further_than_the_true_one_is_long(ready: Path) -> None:
    with (ready / SPLIT).open("a") as file:
        file.truncate(1 << 40)  # a sparse file of 1 TB
    [found] = stale_files(Catalog(ready), {})
    assert (found.code, found.file, found.row) == ("derived-stale", SPLIT, 3)
