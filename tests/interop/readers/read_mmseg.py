"""Read an export with the datasets of its mmsegmentation config, 1.x or 0.x.

    python read_mmseg.py CONFIG

A config of a user inherits from CONFIG, as its first lines say.
"""

import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import standins
from rows import Rows

standins.without_mmcv_ops()
warnings.simplefilter("ignore")
import mmseg  # noqa: E402

USER_1 = """\
_base_ = [{path!r}]
model = dict(data_preprocessor={{{{_base_.preprocessor}}}}, decode_head=dict(num_classes=2))
"""
USER_0 = """\
_base_ = [{path!r}]
model = dict(decode_head=dict(num_classes=2))
"""
PHASES = ("train", "val", "test")
rows, facts = Rows(), {}


def parts(dataset: Any) -> list[Any]:
    """Return the datasets that a ConcatDataset joins."""
    inner = getattr(dataset, "datasets", None)
    return [dataset] if inner is None else [part for found in inner for part in parts(found)]


def user_config(text: str, path: str) -> str:
    """Write a config that inherits; return its path."""
    user = Path(tempfile.mkdtemp()) / "user.py"
    user.write_text(text.format(path=path), "utf-8")
    return str(user)


def check_batch(config: Any) -> None:
    """Load a batch for training, and prepare it for a model as the runner does."""
    from mmengine.runner import Runner
    from mmseg.registry import MODELS

    loader = {**config.train_dataloader, "num_workers": 0, "persistent_workers": False}
    batch = next(iter(Runner.build_dataloader(loader)))
    prepared = MODELS.build(config.model.data_preprocessor)(batch, training=True)
    assert tuple(prepared["inputs"].shape[2:]) == config.crop_size
    for sample in prepared["data_samples"]:
        assert set(sample.gt_sem_seg.data.unique().tolist()) <= {0, 1, 255}


def read_1(path: str) -> None:
    """Build what the dataloaders of the config name, and load by the pipeline's loaders."""
    from mmengine.config import Config
    from mmengine.dataset import Compose
    from mmseg.registry import DATASETS
    from mmseg.utils import register_all_modules

    register_all_modules(init_default_scope=True)
    config = Config.fromfile(user_config(USER_1, path))
    check_batch(config)
    for phase in PHASES:
        loader = config.get(f"{phase}_dataloader")
        if loader is None:
            continue
        dataset = DATASETS.build(loader["dataset"])
        for part in parts(dataset):
            assert not part.reduce_zero_label
            facts["classes"] = list(part.metainfo["classes"])
            assert part[0]["inputs"].shape[0] == 3  # the whole pipeline runs
            loaders = [
                step
                for step in part.pipeline.transforms
                if type(step).__name__ in {"LoadImageFromFile", "LoadAnnotations"}
            ]
            assert len(loaders) == 2, loaders
            load = Compose(loaders)
            for index in range(len(part)):
                info = part.get_data_info(index)
                image = info["img_path"]
                found = load(info)
                mask = found["gt_seg_map"]
                assert mask.shape == tuple(found["img_shape"][:2])
                rows.add(Path(image).stem, image, mask, phase=phase)
    found = config.preprocessor
    facts.update(mean=list(found["mean"]), std=list(found["std"]))


def read_0(path: str) -> None:
    """Build what `data` of the config names, and load by the pipeline's loaders."""
    import mmcv
    from mmseg.datasets import build_dataset

    config = mmcv.Config.fromfile(user_config(USER_0, path))
    for phase in PHASES:
        if config.data.get(phase) is None:
            continue
        dataset = build_dataset(config.data[phase])
        for part in parts(dataset):
            assert not part.reduce_zero_label
            facts["classes"] = list(part.CLASSES)
            part[0]  # the whole pipeline runs
            load = part.pipeline.transforms[0]  # as the config says: EXIF is not applied
            assert type(load).__name__ == "LoadImageFromFile"
            for index, info in enumerate(part.img_infos):
                found = {"img_info": info}
                part.pre_pipeline(found)
                found = load(found)
                mask = np.asarray(part.get_gt_seg_map_by_idx(index))
                assert mask.shape == found["img_shape"][:2]
                rows.add(Path(info["filename"]).stem, found["filename"], mask, phase=phase)
    norm = config.get("img_norm_cfg")
    facts.update(mean=list(norm["mean"]), std=list(norm["std"]))


(read_0 if mmseg.__version__.startswith("0.") else read_1)(sys.argv[1])
rows.print(version=mmseg.__version__, **facts)
