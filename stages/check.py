"""Check entries, tags and scans against each other: the gate all later stages wait for.

Writes registry/reports/check.json, every finding, and registry/reports/errors.json, the errors
alone. Later stages depend on the second: it is an empty list as long as they may run at all, so
a new warning makes none of them run again.
"""

import json
import sys

from sceneset.registry.catalog import Registry
from sceneset.registry.checks import check
from sceneset.registry.edge import FINE, PROBLEMS, guarded
from sceneset.registry.files import write_text
from sceneset.registry.render import print_problems
from sceneset.schemas.problem import Problem, errors


def report_text(problems: list[Problem]) -> str:
    """Return findings as JSON, one a line: diffs of reports stay small."""
    lines = [
        json.dumps(p.model_dump(mode="json", exclude_defaults=True), ensure_ascii=False)
        for p in problems
    ]
    return "[\n" + ",\n".join(lines) + "\n]\n" if lines else "[]\n"


def main() -> int:
    """Run the stage."""

    def run() -> int:
        registry = Registry.open()
        problems = check(registry)
        wrong = errors(problems)
        write_text(registry.paths.reports / "check.json", report_text(problems))
        write_text(registry.paths.reports / "errors.json", report_text(wrong))
        print_problems(problems)
        return PROBLEMS if wrong else FINE

    return guarded(run)


if __name__ == "__main__":
    sys.exit(main())
