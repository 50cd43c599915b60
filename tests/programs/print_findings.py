"""Print 3,000 findings, a table and JSON through `guarded`, and exit with its exit code.

Usage: print_findings.py stdout|stderr: the stream of the findings.
"""

import sys

from sceneset.cli.exit_codes import FINDINGS, guarded
from sceneset.cli.findings import View, print_findings
from sceneset.cli.output import print_json, print_table, say
from sceneset.schemas.finding import finding

found = [finding("file-missing", "there is no such file", file=f"{n}.txt") for n in range(3000)]


def run() -> int:
    """Print everything and return the exit code of a failed check."""
    to_stderr = sys.argv[1] == "stderr"
    print_findings(found, stderr=to_stderr, view=View(everything=True))
    if not to_stderr:
        print_table(("a", "b"), [(p.file, p.message) for p in found])
        print_json([p.file for p in found])
    say("done")
    return FINDINGS


sys.exit(guarded(run))
