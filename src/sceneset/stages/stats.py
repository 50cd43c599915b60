"""Write the statistics of every subset and of the whole set, from the scans' rows alone."""

import sys
from pathlib import Path

import yaml

from sceneset.catalog.reader import Catalog
from sceneset.cli.exit_codes import FINE, guarded
from sceneset.reporting.statistics import all_statistics
from sceneset.schemas.base import Model
from sceneset.storage.files import write_text

_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def stats_text(stats: Model) -> str:
    """Return statistics as YAML, numbers of one thing on one line."""
    fields = stats.model_dump(mode="json", exclude_none=True)
    return yaml.dump(
        fields,
        Dumper=_DUMPER,
        sort_keys=False,
        allow_unicode=True,
        width=1000,
        default_flow_style=None,
    )


def _write(path: Path, stats: Model) -> None:
    write_text(path, stats_text(stats), lasting=False)


def main() -> int:
    """Run the stage."""

    def run() -> int:
        catalog = Catalog.find()
        subsets, union = all_statistics(catalog)
        for stats in subsets:
            _write(catalog.paths.stats / f"{stats.subset}.yaml", stats)
        _write(catalog.paths.stats / "dataset.yaml", union)
        return FINE

    return guarded(run)


if __name__ == "__main__":
    sys.exit(main())
