"""mmsegmentation: the configs name every exported sample once, with the suffix of its subset."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from support.build import Run
from support.exports import FIRST, SECOND, Exports, left_out

Key = tuple[str, str]


def config(folder: Path, name: str) -> dict[str, Any]:
    """Run a config as mmengine does: with its folder in place of the variable."""
    text = (folder / name).read_text("utf-8")
    assert str(folder) not in text, "the folder can be moved"
    content: dict[str, Any] = {}
    exec(text.replace("{{ fileDirname }}", str(folder)), content)
    return content


def read_1x(folder: Path, phase: str) -> list[tuple[Path, Path]]:
    """Return image and mask of each sample of a phase, found as BaseSegDataset does."""
    pairs = []
    loader = config(folder, "mmseg_1x.py")[f"{phase}_dataloader"]
    assert loader["dataset"]["type"] == "ConcatDataset"
    for dataset in loader["dataset"]["datasets"]:
        assert dataset["reduce_zero_label"] is False
        assert dataset["metainfo"]["classes"] == ("background", "person")
        root = Path(dataset["data_root"])
        prefix = dataset["data_prefix"]
        images, masks = root / prefix["img_path"], root / prefix["seg_map_path"]
        pairs += _pairs(dataset, images, masks, root / dataset["ann_file"])
    return pairs


def _pairs(
    dataset: dict[str, Any], images: Path, masks: Path, split: Path
) -> list[tuple[Path, Path]]:
    stems = [line.strip() for line in split.read_text("utf-8").splitlines()]
    ends = dataset["img_suffix"], dataset["seg_map_suffix"]
    return [(images / f"{stem}{ends[0]}", masks / f"{stem}{ends[1]}") for stem in stems]


def read_0x(folder: Path, phase: str) -> list[tuple[Path, Path]]:
    pairs = []
    datasets = config(folder, "mmseg_0x.py")["data"][phase]
    for dataset in datasets if isinstance(datasets, list) else [datasets]:
        assert dataset["reduce_zero_label"] is False
        root = Path(dataset["data_root"])
        images, masks = root / dataset["img_dir"], root / dataset["ann_dir"]
        pairs += _pairs(dataset, images, masks, root / dataset["split"])
    return pairs


@pytest.mark.parametrize("merged", [False, True])
@pytest.mark.parametrize("read", [read_1x, read_0x])
def test_mmseg_configs_lead_to_every_image_and_mask(
    merged: bool, read: Any, exports: Exports, tmp_path: Path, sceneset: Run
) -> None:
    to = tmp_path / "out"
    words = ("--merged",) if merged else ()
    outcome = sceneset("export", "mmseg", *words, "--to", to, cwd=exports.root)
    assert outcome.code == 0, outcome.err
    truth = {exports.images[key]: mask for key, mask in exports.truth.items()}
    found = []
    for phase in ("train", "val"):
        pairs = read(to, phase)
        assert len(pairs) == len(exports.of(phase))
        for image, mask in pairs:
            data = image.read_bytes()
            np.testing.assert_array_equal(np.asarray(Image.open(mask)), truth[data])
            found.append(data)
    assert len(set(found)) == len(exports.truth)
    assert not left_out(to)


def test_mmseg_lays_files_out_as_pull_does(exports: Exports, tmp_path: Path, sceneset: Run) -> None:
    for command, to in (("export mmseg", "exported"), ("pull", "pulled")):
        words = (*command.split(), "ski", "--to", tmp_path / to)
        assert sceneset(*words, cwd=exports.root).code == 0
    files = {
        path.relative_to(tmp_path / "pulled")
        for path in (tmp_path / "pulled").rglob("*")
        if path.is_file() and path.name != "sceneset.json"
    }
    assert len(files) > 8
    for path in files:
        assert (tmp_path / "exported" / path).read_bytes() == (
            tmp_path / "pulled" / path
        ).read_bytes()


def test_mmseg_normalizes_by_all_pixels_of_the_selection(
    exports: Exports, tmp_path: Path, sceneset: Run
) -> None:
    to = tmp_path / "out"
    assert sceneset("export", "mmseg", "ski", "--to", to, cwd=exports.root).code == 0
    pairs = read_1x(to, "train") + read_1x(to, "val")
    assert len(pairs) == 4
    pixels = np.concatenate(
        [np.asarray(Image.open(image).convert("RGB")).reshape(-1, 3) for image, _ in pairs]
    )
    new, old = config(to, "mmseg_1x.py"), config(to, "mmseg_0x.py")
    for norm in (new["preprocessor"], old["img_norm_cfg"]):
        np.testing.assert_allclose(norm["mean"], pixels.mean(axis=0), atol=1e-4)
        np.testing.assert_allclose(norm["std"], pixels.std(axis=0), atol=1e-4)
    assert new["preprocessor"]["bgr_to_rgb"] is True
    assert old["img_norm_cfg"]["to_rgb"] is True


def test_mmseg_leaves_out_phases_without_a_sample(
    exports: Exports, tmp_path: Path, sceneset: Run
) -> None:
    to = tmp_path / "out"
    words = ("export", "mmseg", "--phase", "train", "--to", to, "--json")
    outcome = sceneset(*words, cwd=exports.root)
    assert "val" in outcome.json["notes"][0]
    assert not {"val_dataloader", "test_dataloader"} & config(to, "mmseg_1x.py").keys()
    assert config(to, "mmseg_0x.py")["data"].keys() == {
        "samples_per_gpu", "workers_per_gpu", "train",
    }  # fmt: skip
    assert all(path.stat().st_size for path in to.rglob("*.txt"))


def test_mmseg_gives_each_subset_its_suffix(
    exports: Exports, tmp_path: Path, sceneset: Run
) -> None:
    to = tmp_path / "out"
    assert sceneset("export", "mmseg", "--to", to, cwd=exports.root).code == 0
    datasets = config(to, "mmseg_1x.py")["train_dataloader"]["dataset"]["datasets"]
    assert {d["ann_file"].split("/")[0]: d["img_suffix"] for d in datasets} == {
        FIRST: ".jpg",
        SECOND: ".png",
    }
    assert json.loads((to / "sceneset.json").read_text())["export"]["format"] == "mmseg"
