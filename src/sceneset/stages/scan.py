"""Scan one subset: the only stage that decodes images.

Reads img_dir and ann_dir of the subset and writes registry/scans/<subset>.parquet. It also reads
the .dvc files and the tags, to fail if images are missing. Those are not dependencies of the
stage in dvc.yaml, because a change of tags must not require the images.
"""

import sys

from sceneset.catalog.reader import Catalog
from sceneset.cli.findings import STAGE_LIMIT, View, print_findings
from sceneset.cli.output import progress
from sceneset.scanning.scan_subset import scan_local
from sceneset.stages.runner import subset_stage


def scan(catalog: Catalog, name: str) -> None:
    """Scan a subset and print warnings and notes."""
    findings = scan_local(catalog, name, progress).findings
    print_findings(findings, view=View(limit=STAGE_LIMIT))


main = subset_stage("scan", scan)

if __name__ == "__main__":
    sys.exit(main())
