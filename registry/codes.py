"""The findings' codes as a page: `python -m sceneset.registry.codes` prints docs/problems.md."""

import sys

from sceneset.schemas.problem import CODES

_HEAD = """\
# Findings

Every finding has a code, a severity, a place (file and row), what is wrong and what to do.
Errors stop a command before anything is changed; warnings do not. `sceneset check --json` and
`sceneset add --json` print findings as objects.

Generated from the code by `make generated`.

| code | severity | what it means |
| --- | --- | --- |
"""


def page() -> str:
    """Return the page."""
    rows = (f"| `{code}` | {severity} | {text} |\n" for code, (severity, text) in CODES.items())
    return _HEAD + "".join(rows)


if __name__ == "__main__":
    sys.stdout.write(page())
