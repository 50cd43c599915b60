"""The IoU of changed masks, as `sceneset diff` shows it."""

import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sceneset.schemas.params import Limits
from sceneset.storage.blobs import Blobs
from sceneset.versions.mask_iou import iou
from support.build import NAME, ROOT, Outcome, Run, blob, copy_home, dvc, git, write_mask

ANN = f"Insta360SemanticSeg/{NAME}/ann_dir"


def png(*rows: list[int]) -> bytes:
    out = io.BytesIO()
    Image.fromarray(np.array(rows, np.uint8)).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ([1, 1, 0, 0], [1, 1, 0, 0], 1.0),
        ([1, 1, 0, 0], [0, 1, 1, 0], 1 / 3),
        ([1, 1, 0, 0], [0, 0, 1, 1], 0.0),
        ([1, 1, 255, 0], [1, 0, 1, 255], 1 / 2),
        ([0, 0, 0, 0], [0, 255, 0, 0], 1.0),
        ([1, 1, 0, 0], [1, 1, 0], None),
    ],
)
def test_iou_counts_person_pixels_outside_ignored_ones(
    old: list[int], new: list[int], expected: float | None
) -> None:
    assert iou(png(old), png(new), Limits(min_side=1)) == expected


@pytest.mark.parametrize("data", [b"", b"not an image", png([1, 2])[:-5]])
def test_iou_is_none_when_a_file_is_not_a_mask(data: bytes) -> None:
    assert iou(png([1, 0]), data, Limits()) is None


def test_iou_is_none_when_a_mask_exceeds_the_limits() -> None:
    assert iou(png([1] * 100), png([1] * 100), Limits(max_pixels=10)) is None


@pytest.fixture(scope="module")
def _remasked(tmp_path_factory: pytest.TempPathFactory, _ready_registry: Path) -> Path:
    home = tmp_path_factory.mktemp("remasked") / "home"
    shutil.copytree(_ready_registry, home, symlinks=True)
    root = home / "registry"
    git(root, "tag", "v1")
    folder = root / ANN / "train"
    mask = np.zeros((24, 32), np.uint8)
    mask[6:18, 12:20] = 1
    Image.fromarray(mask).save(folder / "a.png")
    for part, suffix in (("img_dir", "jpg"), ("ann_dir", "png")):
        path = root / f"Insta360SemanticSeg/{NAME}/{part}/train/b.{suffix}"
        path.rename(path.with_stem("new"))
    Image.fromarray(np.zeros((24, 32), np.uint8)).save(folder / "new.png")
    tags = root / f"registry/tags/{NAME}.csv"
    tags.write_text(tags.read_text().replace("train,b,", "train,new,"))
    dvc(root, "repro", "--quiet")
    git(root, "commit", "--quiet", "--all", "--message", "Change masks")
    dvc(root, "push")
    return home


@pytest.fixture
def remasked(tmp_path: Path, _remasked: Path) -> Path:
    """A registry where two masks changed since v1, one of them of a renamed sample."""
    return copy_home(_remasked, tmp_path)


def expected_iou(root: Path, new: str) -> float:
    write_mask(root.parent / "drawn.png")
    old = np.asarray(Image.open(root.parent / "drawn.png")) == 1
    new_mask = np.asarray(Image.open(root / ANN / f"train/{new}.png")) == 1
    return float((old & new_mask).sum() / (old | new_mask).sum())


def ious(outcome: Outcome) -> dict[str, float | None]:
    changes = outcome.json["samples"]
    return {
        c["new"]["place"].rpartition("/")[2]: c["iou"] for c in changes if c["change"] == "mask"
    }


def test_diff_shows_iou_when_both_masks_are_local(remasked: Path, sceneset: Run) -> None:
    outcome = sceneset("diff", "v1", "--samples", "--json", cwd=remasked)
    found = {stem: pytest.approx(expected_iou(remasked, stem)) for stem in ("a", "new")}
    assert ious(outcome) == found
    summary = outcome.json["iou"]
    assert (summary["of"], summary["compared"], summary["least"]) == (2, 2, 0.0)
    shown = sceneset("diff", "v1", "--samples", cwd=remasked).out
    assert "2 of 2 could be compared" in shown
    assert f"least 0.000 ({NAME}/train/new)" in shown
    assert sceneset("diff", "HEAD", "--json", cwd=remasked).json["iou"] is None
    assert "IoU of" not in sceneset("diff", "HEAD", cwd=remasked).out


def test_diff_downloads_masks_only_with_fetch(remasked: Path, sceneset: Run) -> None:
    shutil.rmtree(remasked / ".dvc/cache")
    words = ("diff", "v1", "HEAD", "--samples", "--json")
    outcome = sceneset(*words, cwd=remasked)
    assert ious(outcome) == {"a": None, "new": None}, "the old masks are not on this machine"
    assert not list((remasked / ".dvc/cache").rglob("*"))
    outcome = sceneset(*words, "--fetch", cwd=remasked)
    assert ious(outcome)["a"] == pytest.approx(expected_iou(remasked, "a"))


def test_diff_ignores_damaged_cache_entries_and_replaces_them_only_with_fetch(
    remasked: Path, sceneset: Run
) -> None:
    shutil.rmtree(remasked / ANN)
    for path in (remasked / ".dvc/cache").rglob("*"):
        if path.is_file():
            path.chmod(0o644)
            path.write_bytes(png([1, 1]))
    outcome = sceneset("diff", "v1", "HEAD", "--samples", "--json", cwd=remasked)
    assert ious(outcome) == {"a": None, "new": None}
    damaged = [p for p in (remasked / ".dvc/cache").rglob("*") if p.is_file()]
    assert damaged
    assert {p.read_bytes() for p in damaged} == {png([1, 1])}, (
        "without --fetch, diff changes nothing"
    )
    outcome = sceneset("diff", "v1", "HEAD", "--samples", "--json", "--fetch", cwd=remasked)
    assert None not in ious(outcome).values()


def test_diff_skips_a_mask_when_its_cache_entry_is_a_folder(remasked: Path, sceneset: Run) -> None:
    path = blob(remasked / ".dvc/cache", mask_of(remasked, sceneset, "old"))
    path.unlink()
    path.mkdir()
    outcome = sceneset("diff", "v1", "--samples", "--json", cwd=remasked)
    assert (outcome.code, ious(outcome)) == (0, {"a": None, "new": None})


def mask_of(root: Path, sceneset: Run, side: str) -> str:
    """Return the hash of the old or new mask of sample a."""
    changes = sceneset("diff", "v1", "HEAD", "--samples", "--json", cwd=root).json["samples"]
    places = {c["new"]["place"].rpartition("/")[2]: c for c in changes if c["change"] == "mask"}
    return str(places["a"][side]["mask"])


@pytest.mark.parametrize("damaged", [True, False], ids=["damaged", "missing"])
def test_diff_reports_masks_that_the_remote_lacks_in_one_line(
    damaged: bool, remasked: Path, sceneset: Run
) -> None:
    path = blob(remasked.parent / "store", mask_of(remasked, sceneset, "new"))
    shutil.rmtree(remasked / ".dvc/cache")
    shutil.rmtree(remasked / ANN)
    path.chmod(0o644)
    path.write_bytes(b"damaged") if damaged else path.unlink()
    words = ("diff", "v1", "HEAD", "--fetch")
    outcome = sceneset(*words, "--samples", "--json", cwd=remasked)
    assert outcome.code == 0
    assert ious(outcome) == {"a": None, "new": 0.0}
    assert (outcome.json["iou"]["of"], outcome.json["iou"]["compared"]) == (2, 1)
    [line] = outcome.err.splitlines()
    assert line.startswith("1 of 2 changed masks could not be fetched: ")
    assert ("damaged" if damaged else "has no blob") in line
    [shown] = (x for x in sceneset(*words, cwd=remasked).out.splitlines() if "IoU" in x)
    assert shown.split("  ")[0] == "person IoU of changed masks"
    assert shown.endswith(f"mean 0.000, least 0.000 ({NAME}/train/new), 1 of 2 could be compared")


def test_diff_downloads_a_mask_once_when_samples_share_it(
    ready: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(ready, "tag", "v1")
    for stem in "abcd":
        write_mask(ready / ANN / f"train/{stem}.png", ignore=True)
    dvc(ready, "repro", "--quiet")
    git(ready, "commit", "--quiet", "--all", "--message", "Change masks")
    dvc(ready, "push")
    shutil.rmtree(ready / ".dvc/cache")
    shutil.rmtree(ready / ANN)
    fetched, fetch = [], Blobs.fetch
    monkeypatch.setattr(Blobs, "fetch", lambda self, md5: fetched.append(md5) or fetch(self, md5))
    words = ("diff", "v1", "HEAD", "--samples", "--json", "--fetch")
    outcome = sceneset(*words, cwd=ready)
    assert ious(outcome) == dict.fromkeys("abcd", 1.0)
    assert len(fetched) == len(set(fetched)) == 2
    assert sceneset(*words, cwd=ready).json == outcome.json
    assert len(fetched) == 2


def test_diff_reads_masks_from_the_working_tree_when_cache_and_remote_lack_them(
    remasked: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = blob(remasked / ".dvc/cache", mask_of(remasked, sceneset, "new"))
    path.unlink()
    shutil.rmtree(remasked.parent / "store")
    found = pytest.approx(expected_iou(remasked, "a"))
    monkeypatch.setattr("PIL.Image.MAX_IMAGE_PIXELS", 24 * 32 - 1)  # Pillow would warn on stderr
    outcome = sceneset("diff", "v1", "--samples", "--json", "--fetch", cwd=remasked)
    assert (outcome.code, outcome.err) == (0, "")
    assert ious(outcome)["a"] == found


def test_diff_fails_when_the_remote_is_missing(remasked: Path, sceneset: Run) -> None:
    shutil.rmtree(remasked / ".dvc/cache")
    shutil.rmtree(remasked.parent / "store")
    outcome = sceneset("diff", "v1", "HEAD", "--fetch", cwd=remasked)
    assert outcome.code == 1
    assert "no such folder" in outcome.err


def test_diff_works_without_a_dvc_project_unless_fetch_is_given(added: Path, sceneset: Run) -> None:
    write_mask(added / ANN / "train/a.png", ignore=True)
    dvc(added, "repro", "--quiet")
    shutil.rmtree(added / ".dvc")
    outcome = sceneset("diff", "HEAD", "--samples", "--json", cwd=added)
    assert (outcome.code, ious(outcome)) == (0, {"a": None})
    assert outcome.json["iou"] == {"of": 1, "compared": 0, "mean": None, "least": None}
    assert sceneset("diff", "HEAD", "--fetch", cwd=added).code == 1


@pytest.mark.parametrize(("old", "imports_dvc"), [("HEAD", False), ("v1", True)])
def test_diff_imports_dvc_only_when_masks_changed(
    old: str, imports_dvc: bool, remasked: Path
) -> None:
    program = ROOT / "tests/programs/loaded_modules.py"
    done = subprocess.run(
        [sys.executable, str(program), "diff", old],
        cwd=remasked,
        capture_output=True,
        text=True,
        check=True,
    )
    assert ("dvc" in json.loads(done.stderr.splitlines()[-1])) == imports_dvc
