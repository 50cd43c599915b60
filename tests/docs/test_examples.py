"""The examples of all other pages run, in a registry that has what they name."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import draw
from sceneset.cli.main import main
from support.build import ROOT, git, make_delivery
from support.models import red_model
from support.pages import ENGLISH
from support.vectors import write_vectors
from support.walks import Walk, steps_of

pytestmark = pytest.mark.faults

FIRST = "CustomSeg_Person_20240115_first"
WEB = "CustomSeg_Person_20240116_web"
WALKED = {"getting-started", "data-engineer", "training-engineer", "reviewer", "annotator"}
WALKED |= {"walk-train-evaluate"}
"""Pages that test_walks.py runs, and the one that tests/interop/test_walk.py runs with PyTorch."""
OUTSIDE = re.compile(
    r"s3://|backup|release 1\.1\.0|example\.com/(people|registry)|git@|git push|git merge|origin/"
    r"|\bURL\b|\bREPO\b"
    r"|^pip |--sign|--terminal|^python benchmarks|^sceneset (doctor|serve)\b|^dask"
    r"|^dvc remote|^sceneset merge|^curl |^datasette |^sqlite3 |^npm |^tar |selfie_segmentation"
)
"""Commands that need S3, another repository or program, a key, a terminal, or what a crash or merge
leaves, and a release that this registry has. Other tests have these; test_walks.py parses their
arguments."""
_RELEASE = """\
```console
$ dvc repro --allow-missing
$ git add . && git commit -m Grow
$ dvc push
$ sceneset release {}
```
"""
NAMES = {
    "demo-full": "first",
    "--to ski\n": "--to first\n",
    "--to ski --": "--to first --",
    "20240115_ski": "20240220_ski",
}
"""What the registry of this test calls otherwise."""


def sections(name: str) -> Iterator[str]:
    """Yield the sections of a page, each with its examples."""
    text = (ROOT / ENGLISH[name]).read_text("utf-8")
    for theirs, ours in NAMES.items():
        text = text.replace(theirs, ours)
    for section in re.split(r"^## ", text, flags=re.MULTILINE):
        blocks = [step for step in steps_of(section) if step.kind == "command"]
        lines = [step.text for step in blocks if not OUTSIDE.search(step.text)]
        if lines:
            yield "```console\n" + "".join(f"$ {line}\n" for line in lines) + "```\n"


@pytest.fixture(scope="module")
def _grown(tmp_path_factory: pytest.TempPathFactory, _empty_registry: Path) -> Path:
    """The registry of Getting started with one more subset, a selection and two more versions."""
    home = tmp_path_factory.mktemp("grown")
    checkout = Path(shutil.copytree(_empty_registry, home / "checkout", symlinks=True))
    make_delivery(
        home / "web",
        {"city.txt": ("piste_1", "piste_2"), "ski.txt": ("crowd_1", "crowd_2")},
        train=("piste_1", "piste_2", "crowd_1", "crowd_2"),
    )
    with pytest.MonkeyPatch.context() as patch:
        walk = Walk(checkout, home, patch)
        walk.go((ROOT / "docs/getting-started.md").read_text("utf-8"))
        root = walk.folder
        walk.go(f"```console\n$ sceneset add ../web --name {WEB} --entry ../entry.yaml\n```")
        walk.go(_RELEASE.format("1.1.0"))
        params = root / "params.yaml"
        text = re.sub(r"^selections:.*\n", "", params.read_text("utf-8"), flags=re.MULTILINE)
        params.write_text(f"{text}selections:\n  outdoor: {{scenes: [ski, city]}}\n", "utf-8")
        walk.go(_RELEASE.format("1.2.0"))
        _draw_files(home, root, patch)
    return home


def _draw_files(home: Path, root: Path, patch: pytest.MonkeyPatch) -> None:
    """Write the files outside of the registry that examples name."""
    patch.chdir(root)
    shutil.rmtree(home / "delivery")
    for seed, name in enumerate(("delivery", "more"), 6):
        assert (
            draw.main([str(home / name), "--images", "8", "--scene", "city", f"--seed={seed}"]) == 0
        )
    assert draw.main([str(home / "delivery.zip"), "--coco", "--images", "8", "--scene", "ski"]) == 0
    shutil.unpack_archive(home / "delivery.zip", home / "vendor")
    folder = root / "Insta360SemanticSeg" / FIRST
    shutil.copytree(folder / "ann_dir", home / "corrected/ann_dir")
    for name in ("img_dir", "ann_dir"):
        shutil.copytree(folder / name, root / "public-data" / name)
    (home / "mail").mkdir()
    shutil.copy(folder / "img_dir/train/ski_0001.jpg", home / "mail/portrait.jpg")
    (root / "data").mkdir(exist_ok=True)
    (home / "model.onnx").write_bytes(red_model())
    stems = sorted(path.stem for path in folder.glob("img_dir/*/*.jpg"))
    vectors = [[1.0, float(number)] for number in range(len(stems))]
    write_vectors(home / "clip.parquet", {"stem": stems}, vectors)
    _write_predictions(home, root)
    _write_boxes(home, root)


def _write_boxes(home: Path, root: Path) -> None:
    """Write a box around each mask of a subset, and the boxes of a vendor."""
    boxes = []
    for path in sorted((root / "Insta360SemanticSeg" / FIRST / "ann_dir").glob("*/*.png")):
        rows, columns = np.nonzero(np.asarray(Image.open(path)) == 1)
        left, top = int(columns.min()), int(rows.min())
        size = [int(columns.max()) + 1 - left, int(rows.max()) + 1 - top]
        name = f"{path.parent.name}/{path.stem}"
        boxes.append({"image_id": name, "bbox": [left, top, *size], "score": 0.9})
    (root / "boxes.json").write_text(json.dumps(boxes))
    shutil.copy(home / "vendor/annotations/instances_train.json", root / "vendor.json")


def _write_predictions(home: Path, root: Path) -> None:
    """Write what a model could predict: the masks themselves, in files and as COCO results."""
    for run in ("unet", "old", "new"):
        for folder in (root / "Insta360SemanticSeg").glob("*/ann_dir"):
            shutil.copytree(folder, home / "runs" / run / folder.parent.name)
    assert main(["export", "coco", "--phase", "val", "--to", str(home / "coco")]) == 0
    images = home / "coco/annotations/instances_val.json"
    content = json.loads(images.read_text("utf-8"))
    shutil.copy(images, root)
    (root / "results.json").write_text(json.dumps(content["annotations"]), "utf-8")
    for run in ("old", "new"):
        counts = str(home / f"{run}.parquet")
        assert main(["evaluate", str(home / "runs" / run), "--to", counts]) == 0


@pytest.mark.parametrize("name", [name for name in ENGLISH if name not in WALKED])
def test_examples_of_a_page_run(
    name: str, _grown: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, section in enumerate(sections(name)):
        home = Path(shutil.copytree(_grown, tmp_path / f"home{number}", symlinks=True))
        root = home / "people"
        config = root / ".dvc/config"
        text = config.read_text("utf-8").replace(str(_grown), str(home))  # its own remote
        config.write_text(text, "utf-8")
        git(root, "commit", "--quiet", "--all", "--allow-empty", "--message", "The remote")
        Walk(root, home, monkeypatch).go(section)
