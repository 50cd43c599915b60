"""Findings read back from what a command printed."""

import re

Found = set[tuple[str, str]]


def findings(err: str, severity: str = "error") -> Found:
    """Return (place, code) of every finding that was printed."""
    lines = re.findall(rf"^{severity}: (.*?): .*\[([a-z0-9-]+)\](?: -> .*)?$", err, re.MULTILINE)
    return set(lines)
