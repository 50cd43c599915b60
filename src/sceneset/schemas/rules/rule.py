"""The definition of a rule: its code, its default severity and its explanation."""

from enum import StrEnum
from typing import NamedTuple


class Severity(StrEnum):
    """Severity of a finding. Errors stop a command; warnings and notes do not."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Freedom(StrEnum):
    """How far a registry may override a rule."""

    FIXED = "fixed"
    """Not at all: later steps would fail or give wrong results."""
    WAIVE = "waive"
    """Single findings can be accepted, with a reason, in registry/waivers.yaml."""
    SET = "set"
    """As WAIVE, and params.yaml can change the severity of the rule or switch it off."""


class Rule(NamedTuple):
    """One rule that samples or files of a registry must follow."""

    code: str
    """Lower-case words joined by "-", for example "mask-values"."""
    severity: Severity
    """The default severity."""
    meaning: str
    """What is wrong if the rule is broken: one line, without a full stop."""
    help: str
    """Why it matters, and how to fix it."""
    freedom: Freedom = Freedom.FIXED
    """How far a registry may override the rule."""
