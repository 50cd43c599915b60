"""Write the statistics of every subset and of the whole dataset, computed from the scans."""

import sys

from sceneset.catalog.reader import Catalog
from sceneset.reporting.statistics import compute_statistics, statistics_texts
from sceneset.stages.runner import registry_stage
from sceneset.storage.files import write_text


def write_statistics(catalog: Catalog) -> None:
    """Write registry/stats/<subset>.yaml and registry/stats/dataset.yaml."""
    for name, text in statistics_texts(*compute_statistics(catalog)).items():
        write_text(catalog.paths.stats / name, text, fsync=False)


main = registry_stage(write_statistics)

if __name__ == "__main__":
    sys.exit(main())
