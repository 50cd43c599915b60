"""What things are: the registry's words as checked values.

The names below are imported when first asked for: a look-up needs none of them.
"""

import importlib

TYPE_CHECKING = False  # as typing has it, whose import would take longer than an answer
if TYPE_CHECKING:
    from typing import Any

    from sceneset.schemas.finding import Finding, Severity
    from sceneset.schemas.names import SubsetName
    from sceneset.schemas.params import Params
    from sceneset.schemas.scan_row import ScanRow
    from sceneset.schemas.scene import Scene, Vocabulary
    from sceneset.schemas.subset import SplitRow, Subset
    from sceneset.schemas.tag import Tag

_HOMES = {
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
    if name in _HOMES:
        return getattr(importlib.import_module(f"sceneset.schemas.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
