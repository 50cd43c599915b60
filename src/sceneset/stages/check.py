"""Check entries, tags and scans against each other: the gate all later stages wait for.

Writes registry/reports/check.json, every finding, and registry/reports/errors.json, the errors
alone. Later stages depend on the second: it is an empty list as long as they may run at all, so
a new warning makes none of them run again.
"""

import sys

from sceneset.catalog.reader import Catalog
from sceneset.cli.exit_codes import FINDINGS, FINE, guarded
from sceneset.cli.output import print_findings
from sceneset.quality.evaluate import checked
from sceneset.reporting.findings_json import write_report
from sceneset.schemas.finding import errors_of


def main() -> int:
    """Run the stage."""

    def run() -> int:
        catalog = Catalog.find()
        findings = checked(catalog)
        write_report(catalog.paths.reports, "check.json", "errors.json", findings)
        print_findings(findings)
        return FINDINGS if errors_of(findings) else FINE

    return guarded(run)


if __name__ == "__main__":
    sys.exit(main())
