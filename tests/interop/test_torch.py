"""PyTorch trains on a selection: pixels, order, workers, processes, and the loop of the docs."""

import hashlib
import io
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from support.build import ROOT, git
from support.exports import FIRST, SECOND, Exports
from support.interop import packages_of_torch

PROGRAM = ROOT / "tests/interop/readers/train_torch.py"


@pytest.fixture
def train(exports, tmp_path):
    """Run a mode of the program on the registry, whose cache is empty."""
    packages = packages_of_torch()
    shutil.rmtree(exports.root / ".dvc/cache")

    def run(mode: str, stdin: str = "") -> dict[str, Any]:
        words = [packages, mode, exports.root, tmp_path / "cache"]
        done = subprocess.run(
            [sys.executable, str(PROGRAM), *map(str, words)],
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            check=False,
            timeout=300,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout.splitlines()[-1])

    return run


@pytest.fixture
def names(exports) -> set[str]:
    return {"/".join(key) for key in exports.truth}


def sha256(array: np.ndarray) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()


def expected_rows(exports: Exports) -> dict[str, dict[str, Any]]:
    return {
        "/".join(key): {
            "image": sha256(np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))),
            "mask": sha256(exports.truth[key]),
            "shape": [3, *exports.truth[key].shape],
            "types": ["torch.uint8", "torch.uint8"],
        }
        for key, data in exports.images.items()
    }


def test_tensors_equal_the_pixels_of_every_sample_however_they_are_read(train, exports, names):
    found = train("pixels")
    expected = expected_rows(exports)
    for way in ("single", "batched", "fork", "spawn", "stream", "folder"):
        assert found[way] == expected, way
    assert found["last"] == max(names)


def test_order_depends_on_seed_epoch_and_rank_alone(train, names):
    found = train("order")
    first, second, again = found["workers 0"]
    assert first == again != second
    assert found["workers 1"] == found["workers 3"] == found["workers 0"]
    for epoch in (first, second):
        assert sorted(key for batch in epoch for key in batch) == sorted(names)
    for name in ("rank", "stream"):
        zero, one = found[f"{name} 0"], found[f"{name} 1"]
        for a, b in [(zero, one)] if name == "rank" else zip(zero, one, strict=True):
            assert len(a) == len(b) == 5
            assert set(a) | set(b) == names
    zero = found["stream 0"]
    assert zero[0] == zero[2] != zero[1], "workers that live on see the new epoch"


def test_processes_of_torch_distributed_share_the_samples(train, names):
    found = train("distributed")
    assert len(found["0"]) == len(found["1"]) == 5
    assert {*found["0"], *found["1"]} == names


def test_collate_joins_samples_of_several_sizes(train):
    found = train("batches")
    assert found["pad"] == {
        "image": [2, 3, 7, 9],
        "mask": [[2, 7, 9], "torch.int64"],
        "ignored": [3 * 9, 7 * 4],
        "sums": [3 * 4 * 9 * 4, 3 * 7 * 5 * 7],
        "sizes": [[4, 9], [7, 5]],
    }
    assert found["crop"]["image"] == [2, 3, 4, 5]
    assert found["crop"]["ignored"] == [0, 0]
    assert found["pad 8"]["image"] == [2, 3, 8, 16]
    assert found["crop 4"]["image"] == [2, 3, 4, 4]
    assert found["size"]["image"] == [2, 3, 6, 6]
    assert found["size"]["ignored"] == [2 * 6, 6 * 1]


def test_transforms_get_tv_tensors_and_change_image_and_mask_together(train):
    found = train("transforms")
    assert found["flipped"]
    assert found["type"] == "Tensor"
    assert all(all(types) for types in found["seen"])


def test_stream_keeps_the_bound_of_its_cache(train):
    found = train("bound")
    assert found["counts"] == [9, 9, 9]
    assert all(0 < size <= 6_000 for size in found["sizes"])


def test_error_in_a_worker_names_the_file(train, exports):
    [blob] = [
        path
        for path in (exports.root.parent / "store").rglob("*")
        if path.is_file() and path.read_bytes() == exports.images[FIRST, "train", "a"]
    ]
    blob.chmod(0o644)
    blob.write_bytes(blob.read_bytes()[:-9])
    found = train("errors")["blob"]
    assert f"{FIRST}/img_dir/train/a.jpg: the remote's blob" in found[1]
    assert "BlobDamagedError" in "".join(found)


def test_predictions_of_the_docs_are_what_evaluate_reads(train, exports, sceneset):
    text = Path(ROOT / "docs/training.md").read_text("utf-8")
    [program] = re.findall(r"```python\n(from pathlib [^`]*?item\['key'\].*?)```", text, re.DOTALL)
    assert sceneset("release", "1.0.0", cwd=exports.root).code == 0, git(exports.root, "status")
    assert train("predict", program)["last"] == f"{SECOND}/val/w"
    options = ("--phase", "val", "--values", "probability", "--fetch", "--json")
    found = sceneset("evaluate", "../runs/conv", *options, cwd=exports.root)
    assert (found.code, found.json["compared"], found.json["surplus"]) == (0, 3, []), found.err
    assert found.json["values"] == {"probability (8 bits)": 3}


def test_training_loop_of_the_docs_runs(train, exports, sceneset):
    text = Path(ROOT / "docs/training.md").read_text("utf-8")
    [program] = re.findall(r"```python\n(import torch\n.*?)```", text, re.DOTALL)
    assert sceneset("release", "1.0.0", cwd=exports.root).code == 0, git(exports.root, "status")
    losses = [train("loop", program) for _ in range(2)]
    assert losses[0] == losses[1]
    assert losses[0]["epoch"] == 2
    assert 0 < losses[0]["loss"] < 100
