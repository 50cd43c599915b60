"""Detect training images that are related to held-out images: a gate before the manifest.

Writes registry/reports/leakage.json with all findings and registry/reports/leaks.json with the
errors only.
"""

import sys

from sceneset.quality.evaluate import leakage_findings
from sceneset.stages.runner import gate_stage

main = gate_stage(leakage_findings, report="leakage.json", errors_report="leaks.json")

if __name__ == "__main__":
    sys.exit(main())
