"""All rules as a page: `python -m sceneset.reporting.rules_page` prints docs/problems.md."""

import sys

from sceneset.schemas.rules import GROUPS, Freedom, Rule

_HEAD = """\
# Findings

Every finding has a code, a severity, a place (file and row), what is wrong and what to do.
Errors stop a command before anything is changed; warnings do not, and notes are shown only when
they are asked for (`sceneset check --notes`). [rules.md](rules.md) tells how to set severities and
thresholds, and how to accept single findings. `sceneset rules` prints this list.

Generated from the code by `make generated`.
"""
_MAY = {
    Freedom.FIXED: "",
    Freedom.WAIVE: "may be waived",
    Freedom.SET: "may be set or waived",
}


def page() -> str:
    """Return the page."""
    parts = [
        f"## {name.capitalize()}\n\n" + "".join(map(_entry, group))
        for name, group in GROUPS.items()
    ]
    return "\n".join([_HEAD, *parts])


def _entry(rule: Rule) -> str:
    may = f", {_MAY[rule.freedom]}" if _MAY[rule.freedom] else ""
    return f"- **`{rule.code}`** ({rule.severity}{may}): {rule.meaning}. {rule.help}\n"


if __name__ == "__main__":
    sys.stdout.write(page())
