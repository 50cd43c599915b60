"""Run examples/train_unet.py, and read what it writes."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from PIL import Image

from support.build import ROOT
from support.interop import packages_of_torch

PROGRAM = ROOT / "examples/train_unet.py"
_START = """\
import runpy, sys
sys.path.append(sys.argv[1])
sys.argv[:2] = []
runpy.run_path(sys.argv[0], run_name="__main__")
"""


def train(
    folder: Path, *words: object, program: Path = PROGRAM, code: int = 0
) -> subprocess.CompletedProcess[str]:
    """Run the program in a registry, with the PyTorch of `make interop`, in one thread."""
    command = [sys.executable, "-c", _START, packages_of_torch(), program, *words]
    done = subprocess.run(
        list(map(str, [*command, "--threads", 1])),
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1", "XDG_CACHE_HOME": str(folder.parent / "cache")},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=1800,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done


def predictions(run: Path) -> dict[str, bytes]:
    """Return the files of a run by their paths."""
    files = (path for path in run.rglob("*") if path.is_file())
    return {path.relative_to(run).as_posix(): path.read_bytes() for path in files}


def assert_predictions_fit(run: Path, root: Path, number: int) -> None:
    """Assert that each validation image has a gray picture of its size, and nothing else is there.

    The size is that of the stored pixels, before EXIF turns them.
    """
    images = {
        f"{path.parents[2].name}/val/{path.stem}.png": path
        for path in root.glob("Insta360SemanticSeg/*/img_dir/val/*")
    }
    assert len(images) == number
    assert predictions(run).keys() == images.keys()
    for name, path in images.items():
        with Image.open(path) as image, Image.open(run / name) as predicted:
            assert (predicted.mode, predicted.size) == ("L", image.size), name


def iou_by_group(found: dict[str, Any]) -> dict[tuple[str, str], dict[str, float]]:
    """Return the difference in IoU of all pixels, by kind and name of the group."""
    return {
        (group["by"], group["name"]): group["measures"]["dataset_iou"]
        for group in found["difference"]["groups"]
    }
