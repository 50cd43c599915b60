"""The text of config files for mmsegmentation 1.x and 0.x."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sceneset.counts import counted
from sceneset.schemas.stats import Colour

_CLASSES, _PALETTE = ("background", "person"), [[0, 0, 0], [255, 255, 255]]
_CROP = (512, 512)
_HEAD_1X = """\
# Datasets for mmsegmentation 1.x, written by `sceneset export mmseg`. Use in a config:
#
#   _base_ = [MODEL, 'THIS_FOLDER/mmseg_1x.py', SCHEDULE, RUNTIME]
#   model = dict(data_preprocessor={{_base_.preprocessor}}, decode_head=dict(num_classes=2))
#
# Mean and standard deviation are those of all pixels of these images.

"""
_HEAD_0X = """\
# Datasets for mmsegmentation 0.x, written by `sceneset export mmseg`. Use in a config:
#
#   _base_ = [MODEL, 'THIS_FOLDER/mmseg_0x.py', SCHEDULE, RUNTIME]
#   model = dict(decode_head=dict(num_classes=2))
#
# Mean and standard deviation are those of all pixels of these images.

"""
_ROOT = "data_root = '{{ fileDirname }}'  # the folder of this file\n"


class Part(NamedTuple):
    """One dataset: mmsegmentation reads one folder of images with one suffix."""

    phase: str
    folder: str
    """The subset, or "" if all subsets are in one folder."""
    suffix: str
    split: str
    """Path of the split file."""

    def path(self, kind: str) -> str:
        """Return the folder of images (img_dir) or masks (ann_dir)."""
        return "/".join(filter(None, (self.folder, kind, self.phase)))


class _Name(str):
    """A name of the config that is written without quotes."""

    __slots__ = ()


def licence_comment(licences: Mapping[str, int]) -> str:
    """Return the lines of a config that name the licences of the samples; "" without any.

    Args:
        licences: The number of samples of each licence; "" counts those without one.
    """
    if not any(licences):
        return ""
    lines = [
        f"#   {name or 'not recorded'}: {counted(count, 'sample')}"
        for name, count in licences.items()
    ]
    # mmengine replaces what is in double braces, also in comments.
    return "\n".join(["# Licences of the samples:", *lines, "", ""]).replace("{{", "{ {")


def config_1x(parts: Sequence[Part], colour: Colour | None, comment: str = "") -> str:
    """Return the config for mmsegmentation 1.x: one dataset for each part, joined by phase."""
    mean, std = _pooled(colour)
    load = [{"type": "LoadImageFromFile", "color_type": "color_ignore_orientation"}]
    train = [
        *load,
        {"type": "LoadAnnotations"},
        {"type": "RandomResize", "scale": (2048, 512), "ratio_range": (0.5, 2.0),
         "keep_ratio": True},
        {"type": "RandomCrop", "crop_size": _Name("crop_size"), "cat_max_ratio": 0.75},
        {"type": "RandomFlip", "prob": 0.5},
        {"type": "PhotoMetricDistortion"},
        {"type": "PackSegInputs"},
    ]  # fmt: skip
    test = [
        *load,
        {"type": "Resize", "scale": (2048, 512), "keep_ratio": True},
        {"type": "LoadAnnotations"},
        {"type": "PackSegInputs"},
    ]
    preprocessor = {
        "type": "SegDataPreProcessor",
        "mean": mean,
        "std": std,
        "bgr_to_rgb": True,
        "pad_val": 0,
        "seg_pad_val": 255,
        "size": _Name("crop_size"),
    }
    text = _HEAD_1X + comment + _ROOT
    text += _assign("metainfo", {"classes": _CLASSES, "palette": _PALETTE})
    text += _assign("crop_size", _CROP) + _assign("preprocessor", preprocessor)
    text += _assign("train_pipeline", train) + _assign("test_pipeline", test)
    phases = {part.phase for part in parts}
    for phase in ("train", "val", "test"):
        if phase not in phases:
            continue
        pipeline = _Name("train_pipeline" if phase == "train" else "test_pipeline")
        datasets = [_dataset_1x(part, pipeline) for part in parts if part.phase == phase]
        loader = {
            "batch_size": 4 if phase == "train" else 1,
            "num_workers": 4,
            "persistent_workers": True,
            "sampler": (
                {"type": "InfiniteSampler", "shuffle": True}
                if phase == "train"
                else {"type": "DefaultSampler", "shuffle": False}
            ),
            "dataset": {"type": "ConcatDataset", "datasets": datasets},
        }
        text += _assign(f"{phase}_dataloader", loader)
        if phase != "train":
            evaluator = {"type": "IoUMetric", "iou_metrics": ["mIoU"]}
            text += _assign(f"{phase}_evaluator", evaluator)
    if "val" in phases and "test" not in phases:
        text += "test_dataloader = val_dataloader  # there is no test sample\n"
        text += "test_evaluator = val_evaluator\n"
    return text


def _dataset_1x(part: Part, pipeline: str) -> dict[str, object]:
    return {
        "type": "BaseSegDataset",
        "data_root": _Name("data_root"),
        "ann_file": part.split,
        "data_prefix": {"img_path": part.path("img_dir"), "seg_map_path": part.path("ann_dir")},
        "img_suffix": part.suffix,
        "seg_map_suffix": ".png",
        "metainfo": _Name("metainfo"),
        "reduce_zero_label": False,
        "ignore_index": 255,
        "pipeline": pipeline,
    }


def config_0x(parts: Sequence[Part], colour: Colour | None, comment: str = "") -> str:
    """Return the config for mmsegmentation 0.x: a list of datasets for each phase."""
    mean, std = _pooled(colour)
    load = [{"type": "LoadImageFromFile", "color_type": "color_ignore_orientation"}]
    train = [
        *load,
        {"type": "LoadAnnotations", "reduce_zero_label": False},
        {"type": "Resize", "img_scale": (2048, 512), "ratio_range": (0.5, 2.0)},
        {"type": "RandomCrop", "crop_size": _Name("crop_size"), "cat_max_ratio": 0.75},
        {"type": "RandomFlip", "prob": 0.5},
        {"type": "PhotoMetricDistortion"},
        {"type": "Normalize", "**": _Name("img_norm_cfg")},
        {"type": "Pad", "size": _Name("crop_size"), "pad_val": 0, "seg_pad_val": 255},
        {"type": "DefaultFormatBundle"},
        {"type": "Collect", "keys": ["img", "gt_semantic_seg"]},
    ]
    transforms = [
        {"type": "Resize", "keep_ratio": True},
        {"type": "RandomFlip"},
        {"type": "Normalize", "**": _Name("img_norm_cfg")},
        {"type": "ImageToTensor", "keys": ["img"]},
        {"type": "Collect", "keys": ["img"]},
    ]
    test = [
        *load,
        {"type": "MultiScaleFlipAug", "img_scale": (2048, 512), "flip": False,
         "transforms": transforms},
    ]  # fmt: skip
    text = _HEAD_0X + comment + _ROOT
    text += _assign("classes", _CLASSES) + _assign("palette", _PALETTE)
    text += _assign("img_norm_cfg", {"mean": mean, "std": std, "to_rgb": True})
    text += _assign("crop_size", _CROP)
    text += _assign("train_pipeline", train) + _assign("test_pipeline", test)
    data: dict[str, object] = {"samples_per_gpu": 4, "workers_per_gpu": 4}
    for phase in ("train", "val", "test"):
        pipeline = _Name("train_pipeline" if phase == "train" else "test_pipeline")
        datasets = [_dataset_0x(part, pipeline) for part in parts if part.phase == phase]
        if datasets:
            data[phase] = datasets if len(datasets) > 1 else datasets[0]
    if "val" in data and "test" not in data:
        data["test"] = data["val"]
    return text + _assign("data", data)


def _dataset_0x(part: Part, pipeline: str) -> dict[str, object]:
    return {
        "type": "CustomDataset",
        "data_root": _Name("data_root"),
        "img_dir": part.path("img_dir"),
        "ann_dir": part.path("ann_dir"),
        "split": part.split,
        "img_suffix": part.suffix,
        "seg_map_suffix": ".png",
        "classes": _Name("classes"),
        "palette": _Name("palette"),
        "reduce_zero_label": False,
        "ignore_index": 255,
        "pipeline": pipeline,
    }


def _pooled(colour: Colour | None) -> tuple[list[float], list[float]]:
    """Return mean and standard deviation of R, G and B on the scale of 0 to 255."""
    if colour is None:
        raise ValueError("the selection has no pixels")
    mean = [round(value * 255, 6) for value in colour.pooled_mean]
    # A selection of images of one colour must not divide by zero.
    std = [round(value * 255, 6) or 1.0 for value in colour.pooled_std]
    return mean, std


def _assign(name: str, value: object) -> str:
    return f"{name} = {_source(value)}\n"


def _source(value: object, indent: int = 0) -> str:
    """Return a value as Python source, in the style of mmsegmentation's configs."""
    inner, blank = indent + 4, " " * (indent + 4)
    if isinstance(value, _Name):
        return str(value)
    if isinstance(value, Mapping):
        words = [
            f"**{item}" if name == "**" else f"{name}={_source(item, inner)}"
            for name, item in value.items()
        ]
        return _wrapped("dict(", words, ")", blank, indent)
    if isinstance(value, list) and any(isinstance(item, Mapping) for item in value):
        return _wrapped("[", [_source(item, inner) for item in value], "]", blank, indent)
    return repr(value)


def _wrapped(start: str, words: list[str], end: str, blank: str, indent: int) -> str:
    line = f"{start}{', '.join(words)}{end}"
    if len(line) + indent <= 80 and "\n" not in line:
        return line
    lines = "".join(f"\n{blank}{word}," for word in words)
    return f"{start}{lines}\n{' ' * indent}{end}"
