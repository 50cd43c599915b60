"""How far changed masks agree with what they were: the IoU that diff shows."""

import io
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import NAME, Outcome, dvc, git
from PIL import Image

from sceneset.registry.overlap import iou
from sceneset.schemas.params import Limits

Run = Callable[..., Outcome]
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
def test_the_formula(old: list[int], new: list[int], expected: float | None) -> None:
    assert iou(png(old), png(new), Limits()) == expected


@pytest.mark.parametrize("data", [b"", b"no picture", png([1, 2])[:-5]])
def test_what_is_no_mask_is_not_compared(data: bytes) -> None:
    assert iou(png([1, 0]), data, Limits()) is None


def test_beyond_the_limits(tmp_path: Path) -> None:
    assert iou(png([1] * 100), png([1] * 100), Limits(max_pixels=10)) is None


@pytest.fixture
def remasked(ready: Path) -> Path:
    """A registry in which two masks have changed since v1, one of a sample that was renamed."""
    git(ready, "tag", "v1")
    folder = ready / ANN / "train"
    mask = np.zeros((24, 32), np.uint8)
    mask[6:18, 12:20] = 1
    Image.fromarray(mask).save(folder / "a.png")
    for part, suffix in (("img_dir", "jpg"), ("ann_dir", "png")):
        path = ready / f"Insta360SemanticSeg/{NAME}/{part}/train/b.{suffix}"
        path.rename(path.with_stem("new"))
    Image.fromarray(np.zeros((24, 32), np.uint8)).save(folder / "new.png")
    tags = ready / f"registry/tags/{NAME}.csv"
    tags.write_text(tags.read_text().replace("train,b,", "train,new,"))
    dvc(ready, "repro", "--quiet")
    git(ready, "commit", "--quiet", "--all", "--message", "Other masks")
    dvc(ready, "push")
    return ready


def expected(root: Path, new: str) -> float:
    old = np.zeros((24, 32), bool)
    old[6:18, 32 // 3 : -32 // 3] = True  # as conftest draws it
    now = np.asarray(Image.open(root / ANN / f"train/{new}.png")) == 1
    return float((old & now).sum() / (old | now).sum())


def compared(outcome: Outcome) -> dict[str, float | None]:
    changes = outcome.json["samples"]
    return {
        c["new"]["place"].rpartition("/")[2]: c["iou"] for c in changes if c["change"] == "mask"
    }


def test_both_masks_are_here(remasked: Path, sceneset: Run) -> None:
    outcome = sceneset("diff", "v1", "--samples", "--json", cwd=remasked)
    found = {stem: pytest.approx(expected(remasked, stem)) for stem in ("a", "new")}
    assert compared(outcome) == found
    said = outcome.json["iou"]
    assert (said["of"], said["compared"], said["least"]) == (2, 2, 0.0)
    shown = sceneset("diff", "v1", "--samples", cwd=remasked).out
    assert "2 of 2 could be compared" in shown
    assert f"least 0.000 ({NAME}/train/new)" in shown
    assert sceneset("diff", "HEAD", "--json", cwd=remasked).json["iou"] is None


def test_nothing_is_fetched_unless_asked(remasked: Path, sceneset: Run) -> None:
    shutil.rmtree(remasked / ".dvc/cache")
    words = ("diff", "v1", "HEAD", "--samples", "--json")
    outcome = sceneset(*words, cwd=remasked)
    assert compared(outcome) == {"a": None, "new": None}, "the old masks are nowhere here"
    assert not list((remasked / ".dvc/cache").rglob("*"))
    outcome = sceneset(*words, "--fetch", cwd=remasked)
    assert compared(outcome)["a"] == pytest.approx(expected(remasked, "a"))


def test_a_rotten_cache_is_not_believed(remasked: Path, sceneset: Run) -> None:
    shutil.rmtree(remasked / ANN)
    for path in (remasked / ".dvc/cache").rglob("*"):
        if path.is_file():
            path.chmod(0o644)
            path.write_bytes(png([1, 1]))
    outcome = sceneset("diff", "v1", "HEAD", "--samples", "--json", cwd=remasked)
    assert compared(outcome) == {"a": None, "new": None}
