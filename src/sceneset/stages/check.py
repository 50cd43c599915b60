"""Check entries, tags and scans against each other: the gate all later stages wait for.

Writes registry/reports/check.json, every finding, and registry/reports/errors.json, the errors
alone. Later stages depend on the second: it is an empty list as long as they may run at all, so
a new warning makes none of them run again.
"""

import sys

from sceneset.registry.catalog import Registry
from sceneset.registry.edge import FINE, PROBLEMS, guarded
from sceneset.registry.judging import checked
from sceneset.registry.render import print_problems
from sceneset.registry.reporting import write_report
from sceneset.schemas.problem import errors


def main() -> int:
    """Run the stage."""

    def run() -> int:
        registry = Registry.open()
        problems = checked(registry)
        write_report(registry.paths.reports, "check.json", "errors.json", problems)
        print_problems(problems)
        return PROBLEMS if errors(problems) else FINE

    return guarded(run)


if __name__ == "__main__":
    sys.exit(main())
