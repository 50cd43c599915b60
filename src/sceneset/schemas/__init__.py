"""Pydantic models of everything that the registry stores, and the rules that check it.

The names below are imported on first access, because a look-up needs none of them.
"""

import importlib

TYPE_CHECKING = False  # importing typing would take longer than a look-up
if TYPE_CHECKING:
    from typing import Any

    from sceneset.schemas.finding import Finding, Severity
    from sceneset.schemas.names import SubsetName
    from sceneset.schemas.params import Params
    from sceneset.schemas.scan_row import ScanRow
    from sceneset.schemas.scene import Scene, Vocabulary
    from sceneset.schemas.subset import SplitRow, Subset
    from sceneset.schemas.tag import Tag

_MODULE_OF = {
    "Finding": "finding",
    "Params": "params",
    "ScanRow": "scan_row",
    "Scene": "scene",
    "Severity": "finding",
    "SplitRow": "subset",
    "Subset": "subset",
    "SubsetName": "names",
    "Tag": "tag",
    "Vocabulary": "scene",
}

__all__ = [
    "Finding",
    "Params",
    "ScanRow",
    "Scene",
    "Severity",
    "SplitRow",
    "Subset",
    "SubsetName",
    "Tag",
    "Vocabulary",
]


def __getattr__(name: str) -> "Any":
    if name in _MODULE_OF:
        return getattr(importlib.import_module(f"sceneset.schemas.{_MODULE_OF[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
