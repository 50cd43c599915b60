"""The fixed words of the registry, and how words are compared: needs no library."""

import re
import unicodedata
from enum import StrEnum

TOTAL = "total"
"""The pseudo-scene of a row that selects every sample of its phase."""


class Kind(StrEnum):
    """How a subset was annotated."""

    FULL = "full"
    CROP = "crop"


class Phase(StrEnum):
    """Which part of training a sample serves."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"


class Persons(StrEnum):
    """Whether a sample shows one person or several."""

    SINGLE = "single"
    MULTI = "multi"


def folded(name: str) -> str:
    """Fold what people type alike: width, case, and any run of space, '_' or '-'."""
    return re.sub(r"[\s_\-]+", " ", unicodedata.normalize("NFKC", name).casefold()).strip()
