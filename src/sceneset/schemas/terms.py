"""The fixed terms of the registry (kinds, phases, persons), and the comparison of names.

Look-ups use this module, so it imports only the standard library.
"""

import re
import unicodedata
from enum import StrEnum

TOTAL = "total"
"""The scene of a row that selects all samples of its phase; it is not in the vocabulary."""


class Kind(StrEnum):
    """How a subset was annotated."""

    FULL = "full"
    """On the original images, in which people are the main subject."""
    CROP = "crop"
    """On crops, each cut out around one person that a detector found."""


class Phase(StrEnum):
    """What a sample is used for: training, validation or test."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"


class Persons(StrEnum):
    """Whether a sample shows one person or several persons."""

    SINGLE = "single"
    MULTI = "multi"


def fold_name(name: str) -> str:
    """Return ``name`` in the form in which names are compared.

    Upper and lower case, full-width and ASCII characters, and any run of white space, "_" and "-"
    are treated as equal: "High-Jump" and "high_jump" both give "high jump".
    """
    return re.sub(r"[\s_\-]+", " ", unicodedata.normalize("NFKC", name).casefold()).strip()
