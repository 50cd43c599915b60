"""Parse the findings that a command printed with --all, one on each line."""

import re

Found = set[tuple[str, str]]
"""Findings as (place, code). The place is a file, with ":<row>" if the finding has a row."""


def findings(err: str, severity: str = "error") -> Found:
    """Return the findings of one severity in the text that a command printed."""
    lines = re.findall(rf"^{severity}: (.*?): .*\[([a-z0-9-]+)\](?: -> .*)?$", err, re.MULTILINE)
    return set(lines)
