"""All rules as a Markdown page, docs/problems.md.

Print it with `python -m sceneset.reporting.rules_page`.
"""

import sys

from sceneset.schemas.rules import GROUPS, Freedom, Rule

_HEAD = """\
# Findings

Every finding has a code, a severity, a place (file and row), a message and a hint that says how to
fix it. Errors stop a command before it changes anything; warnings do not. Notes are shown only by
`sceneset check --notes`. See [rules.md](rules.md) to change severities and thresholds and to accept
single findings. `sceneset rules` prints this list.

Generated from the code by `make generated`.
"""
_OVERRIDES = {
    Freedom.FIXED: "",
    Freedom.WAIVE: ", can be waived",
    Freedom.SET: ", can be set or waived",
}


def page() -> str:
    """Return the page with all rules, group by group."""
    parts = [
        f"## {name.capitalize()}\n\n" + "".join(map(_entry, group))
        for name, group in GROUPS.items()
    ]
    return "\n".join([_HEAD, *parts])


def _entry(rule: Rule) -> str:
    override = _OVERRIDES[rule.freedom]
    return f"- **`{rule.code}`** ({rule.severity}{override}): {rule.meaning}. {rule.help}\n"


if __name__ == "__main__":
    sys.stdout.write(page())
