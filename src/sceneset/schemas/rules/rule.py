"""What a rule is: a code, how much it weighs, and what it means."""

from enum import StrEnum
from typing import NamedTuple


class Severity(StrEnum):
    """How much a finding weighs: errors stop a command, warnings and notes do not."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Freedom(StrEnum):
    """What a registry may do about a rule."""

    FIXED = "fixed"
    """Nothing: what comes later could not work."""
    WAIVE = "waive"
    """Accept single findings, with a reason, in registry/waivers.yaml."""
    SET = "set"
    """The same, and weigh it otherwise, or leave it out, under rules in params.yaml."""


class Rule(NamedTuple):
    """One thing that can be wrong."""

    code: str
    severity: Severity
    meaning: str
    """One line."""
    help: str
    """Why it matters, and what to do."""
    freedom: Freedom = Freedom.FIXED
