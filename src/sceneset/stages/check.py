"""Check entries, tags and scans against each other: the gate that all later stages wait for.

Writes registry/reports/check.json with all findings and registry/reports/errors.json with the
errors only.
"""

import sys

from sceneset.quality.evaluate import subset_findings
from sceneset.stages.runner import gate_stage

main = gate_stage(subset_findings, report="check.json", errors_report="errors.json")

if __name__ == "__main__":
    sys.exit(main())
