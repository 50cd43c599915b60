"""How far changed masks agree with what they were: the IoU that diff shows."""

import io
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
from support.build import NAME, Outcome, Run, blob, dvc, git, write_mask

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
    assert iou(png(old), png(new), Limits(min_side=1)) == expected


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
    write_mask(root.parent / "drawn.png")
    old = np.asarray(Image.open(root.parent / "drawn.png")) == 1
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
    assert "IoU of" not in sceneset("diff", "HEAD", cwd=remasked).out


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
    rotten = [p for p in (remasked / ".dvc/cache").rglob("*") if p.is_file()]
    assert rotten
    assert {p.read_bytes() for p in rotten} == {png([1, 1])}, "diff mends nothing unless asked"
    outcome = sceneset("diff", "v1", "HEAD", "--samples", "--json", "--fetch", cwd=remasked)
    assert None not in compared(outcome).values()


def test_a_cache_that_can_not_be_read(remasked: Path, sceneset: Run) -> None:
    path = blob(remasked / ".dvc/cache", mask_of(remasked, sceneset, "old"))
    path.unlink()
    path.mkdir()
    outcome = sceneset("diff", "v1", "--samples", "--json", cwd=remasked)
    assert (outcome.code, compared(outcome)) == (0, {"a": None, "new": None})


def mask_of(root: Path, sceneset: Run, side: str) -> str:
    """Return the hash of the mask of a, as it was or is."""
    changes = sceneset("diff", "v1", "HEAD", "--samples", "--json", cwd=root).json["samples"]
    places = {c["new"]["place"].rpartition("/")[2]: c for c in changes if c["change"] == "mask"}
    return str(places["a"][side]["mask"])


@pytest.mark.parametrize("damaged", [True, False], ids=["damaged", "missing"])
def test_what_the_remote_lacks_is_told_in_a_line(
    damaged: bool, remasked: Path, sceneset: Run
) -> None:
    path = blob(remasked.parent / "store", mask_of(remasked, sceneset, "new"))
    shutil.rmtree(remasked / ".dvc/cache")
    shutil.rmtree(remasked / ANN)
    path.chmod(0o644)
    path.write_bytes(b"rot") if damaged else path.unlink()
    words = ("diff", "v1", "HEAD", "--fetch")
    outcome = sceneset(*words, "--samples", "--json", cwd=remasked)
    assert outcome.code == 0
    assert compared(outcome) == {"a": None, "new": 0.0}
    assert (outcome.json["iou"]["of"], outcome.json["iou"]["compared"]) == (2, 1)
    [line] = outcome.err.splitlines()
    assert line.startswith("1 of 2 changed masks could not be fetched: ")
    assert ("damaged" if damaged else "has no blob") in line
    [shown] = (x for x in sceneset(*words, cwd=remasked).out.splitlines() if "IoU" in x)
    assert shown.split("  ")[0] == "person IoU of changed masks"
    assert shown.endswith(f"mean 0.000, least 0.000 ({NAME}/train/new), 1 of 2 could be compared")


def test_a_mask_that_samples_share_is_fetched_once(
    ready: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(ready, "tag", "v1")
    for stem in "abcd":
        write_mask(ready / ANN / f"train/{stem}.png", ignore=True)
    dvc(ready, "repro", "--quiet")
    git(ready, "commit", "--quiet", "--all", "--message", "Other masks")
    dvc(ready, "push")
    shutil.rmtree(ready / ".dvc/cache")
    shutil.rmtree(ready / ANN)
    fetched, fetch = [], Blobs.fetch
    monkeypatch.setattr(Blobs, "fetch", lambda self, md5: fetched.append(md5) or fetch(self, md5))
    words = ("diff", "v1", "HEAD", "--samples", "--json", "--fetch")
    outcome = sceneset(*words, cwd=ready)
    assert compared(outcome) == dict.fromkeys("abcd", 1.0)
    assert len(fetched) == len(set(fetched)) == 2
    assert sceneset(*words, cwd=ready).json == outcome.json
    assert len(fetched) == 2


def test_the_working_tree_will_do(
    remasked: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a cache nor a remote is asked for what stands there, by its hash."""
    path = blob(remasked / ".dvc/cache", mask_of(remasked, sceneset, "new"))
    path.unlink()
    shutil.rmtree(remasked.parent / "store")
    found = pytest.approx(expected(remasked, "a"))
    monkeypatch.setattr("PIL.Image.MAX_IMAGE_PIXELS", 24 * 32 - 1)  # it warns, on stderr
    outcome = sceneset("diff", "v1", "--samples", "--json", "--fetch", cwd=remasked)
    assert (outcome.code, outcome.err) == (0, "")
    assert compared(outcome)["a"] == found


def test_a_remote_that_is_away(remasked: Path, sceneset: Run) -> None:
    shutil.rmtree(remasked / ".dvc/cache")
    shutil.rmtree(remasked.parent / "store")
    outcome = sceneset("diff", "v1", "HEAD", "--fetch", cwd=remasked)
    assert outcome.code == 1
    assert "no such folder" in outcome.err


def test_without_a_project_of_dvc(added: Path, sceneset: Run) -> None:
    write_mask(added / ANN / "train/a.png", ignore=True)
    dvc(added, "repro", "--quiet")
    shutil.rmtree(added / ".dvc")
    outcome = sceneset("diff", "HEAD", "--samples", "--json", cwd=added)
    assert (outcome.code, compared(outcome)) == (0, {"a": None})
    assert outcome.json["iou"] == {"of": 1, "compared": 0, "mean": None, "least": None}
    assert sceneset("diff", "HEAD", "--fetch", cwd=added).code == 1


def test_dvc_is_waited_for_only_where_masks_changed(remasked: Path) -> None:
    code = "import sys; from sceneset.cli.main import main; main(sys.argv[1:]); "
    code += "print('dvc' in sys.modules)"
    for old, waited in (("HEAD", "False"), ("v1", "True")):
        command = [sys.executable, "-c", code, "diff", old]
        done = subprocess.run(command, cwd=remasked, capture_output=True, text=True, check=True)
        assert done.stdout.splitlines()[-1] == waited
