"""Write the statistics of every subset and of the whole set, from the scans' rows alone."""

import sys
from pathlib import Path

import yaml

from sceneset.registry.catalog import Registry
from sceneset.registry.edge import FINE, guarded
from sceneset.registry.files import write_text
from sceneset.registry.statistics import all_statistics
from sceneset.schemas.base import Model

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
        registry = Registry.open()
        subsets, union = all_statistics(registry)
        for stats in subsets:
            _write(registry.paths.stats / f"{stats.subset}.yaml", stats)
        _write(registry.paths.stats / "dataset.yaml", union)
        return FINE

    return guarded(run)


if __name__ == "__main__":
    sys.exit(main())
