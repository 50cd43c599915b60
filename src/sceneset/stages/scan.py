"""Scan one subset: the only stage that opens pixels.

Reads img_dir and ann_dir of the subset; writes registry/scans/<subset>.parquet. The .dvc files
and the tags are read too, to fail where images are missing. They are no dependencies: relabelling
a scene must not ask for pixels.
"""

import sys
from collections.abc import Sequence

from sceneset.catalog.reader import Catalog
from sceneset.cli.exit_codes import guarded
from sceneset.cli.output import print_findings, progress
from sceneset.errors import UsageError
from sceneset.scanning.scan_subset import scan_here


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the stage for the subset named on the command line."""
    words = list(sys.argv[1:] if arguments is None else arguments)

    def run() -> int:
        if len(words) not in {1, 2}:
            raise UsageError("usage: python -m sceneset.stages.scan SUBSET [ALGORITHM]")
        name = words[0]  # the other word is there for DVC, which runs what has changed
        print_findings(scan_here(Catalog.find(), name, progress).findings)
        return 0

    return guarded(run)


if __name__ == "__main__":
    sys.exit(main())
