"""What things are: the registry's words as checked values."""

from sceneset.schemas.names import SubsetName
from sceneset.schemas.params import Params
from sceneset.schemas.problem import Problem, ProblemsFoundError, Severity
from sceneset.schemas.sample import ScanRow
from sceneset.schemas.scene import Scene, Vocabulary
from sceneset.schemas.subset import SplitRow, Subset
from sceneset.schemas.tag import Tag

__all__ = [
    "Params",
    "Problem",
    "ProblemsFoundError",
    "ScanRow",
    "Scene",
    "Severity",
    "SplitRow",
    "Subset",
    "SubsetName",
    "Tag",
    "Vocabulary",
]
