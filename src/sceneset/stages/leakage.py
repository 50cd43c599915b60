"""Look for training images related to held-out ones: a gate that the manifest waits for.

Writes registry/reports/leakage.json, every finding, and registry/reports/leaks.json, the errors
alone: an empty list as long as later stages may run, so a new warning makes none run again.
"""

import sys

from sceneset.catalog.reader import Catalog
from sceneset.cli.exit_codes import FINDINGS, FINE, guarded
from sceneset.cli.output import print_findings
from sceneset.quality.evaluate import related
from sceneset.reporting.findings_json import write_report
from sceneset.schemas.finding import errors_of


def main() -> int:
    """Run the stage."""

    def run() -> int:
        catalog = Catalog.find()
        findings = related(catalog)
        write_report(catalog.paths.reports, "leakage.json", "leaks.json", findings)
        print_findings(findings)
        return FINDINGS if errors_of(findings) else FINE

    return guarded(run)


if __name__ == "__main__":
    sys.exit(main())
