"""Train on a registry with PyTorch: datasets over a selection at a version. See docs/training.md.

The names below are imported when they are first used: the parts that need no PyTorch can be used
without it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sceneset.torch.batching import collate
    from sceneset.torch.datasets import SegmentationDataset, StreamingDataset
    from sceneset.torch.open import from_folder, from_registry
    from sceneset.torch.samplers import EpochSampler

__all__ = [
    "EpochSampler",
    "SegmentationDataset",
    "StreamingDataset",
    "collate",
    "from_folder",
    "from_registry",
]
_MODULES = {
    "EpochSampler": "samplers",
    "SegmentationDataset": "datasets",
    "StreamingDataset": "datasets",
    "collate": "batching",
    "from_folder": "open",
    "from_registry": "open",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        module = import_module(f"sceneset.torch.{_MODULES[name]}")
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        message = "sceneset.torch needs PyTorch; install it with `pip install 'sceneset[torch]'`"
        raise ModuleNotFoundError(message, name="torch") from None
    return getattr(module, name)
