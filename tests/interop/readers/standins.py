"""Makes torchvision and mmcv importable without their compiled operators, which no reader needs."""

import sys
import types
from typing import Any

import torch

_library = torch.library.Library("torchvision", "DEF")
for _name in ("nms", "qnms"):
    _library.define(f"{_name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")


class _Operators(types.ModuleType):
    __path__ = ()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


def without_mmcv_ops() -> None:
    """Let `from mmcv.ops import ...` succeed with classes that do nothing."""
    sys.modules["mmcv.ops"] = _Operators("mmcv.ops")


def without_labelme_window() -> None:
    """Let labelme be imported without Qt and without the runtime of its models."""
    sys.modules |= {
        name: _Operators(name)
        for name in ("onnxruntime", "PyQt5", "PyQt5.QtCore", "PyQt5.QtGui", "PyQt5.QtWidgets")
    }
