"""Look for training images related to held-out ones: a gate that the manifest waits for.

Writes registry/reports/leakage.json, every finding, and registry/reports/leaks.json, the errors
alone: an empty list as long as later stages may run, so a new warning makes none run again.
"""

import sys

from sceneset.registry.catalog import Registry
from sceneset.registry.edge import FINE, PROBLEMS, guarded
from sceneset.registry.judging import related
from sceneset.registry.render import print_problems
from sceneset.registry.reporting import write_report
from sceneset.schemas.problem import errors


def main() -> int:
    """Run the stage."""

    def run() -> int:
        registry = Registry.open()
        problems = related(registry)
        write_report(registry.paths.reports, "leakage.json", "leaks.json", problems)
        print_problems(problems)
        return PROBLEMS if errors(problems) else FINE

    return guarded(run)


if __name__ == "__main__":
    sys.exit(main())
