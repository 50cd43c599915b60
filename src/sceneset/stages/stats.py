"""Write the statistics of every subset and of the whole dataset, computed from the scans."""

import sys
from pathlib import Path

from sceneset.catalog.reader import Catalog
from sceneset.reporting.statistics import compute_statistics
from sceneset.schemas.base import Model
from sceneset.stages.runner import registry_stage
from sceneset.storage.files import write_text
from sceneset.storage.yaml_files import dump_yaml


def write_statistics(catalog: Catalog) -> None:
    """Write registry/stats/<subset>.yaml and registry/stats/dataset.yaml."""
    subsets, union = compute_statistics(catalog)
    for stats in subsets:
        _write(catalog.paths.stats / f"{stats.subset}.yaml", stats)
    _write(catalog.paths.stats / "dataset.yaml", union)


def _write(path: Path, stats: Model) -> None:
    text = dump_yaml(stats.model_dump(mode="json", exclude_none=True), compact=True)
    write_text(path, text, fsync=False)


main = registry_stage(write_statistics)

if __name__ == "__main__":
    sys.exit(main())
