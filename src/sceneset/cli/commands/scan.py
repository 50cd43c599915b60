"""Measure what is new in one subset, and write its scan: what `dvc repro` does where it must.

With --from-remote no file of the subset need be here: blobs are read by hash from the DVC remote,
and none is kept. --engine dask hands that work to many machines. The rows are the same everywhere.
"""

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from sceneset.registry.commands.sources import source
from sceneset.registry.edge import FINE, UsageError

if TYPE_CHECKING:
    from sceneset.registry.blobs import Blobs
    from sceneset.registry.measure import Measure, Measured

EXAMPLES = """
  sceneset scan demo-full                           the files that are here
  sceneset scan demo-full --from-remote             without a checkout
  sceneset scan demo-full --thumbnails build/small  and small copies to look at
  sceneset scan demo-full --from-remote --engine dask
  sceneset scan demo-full --from-remote --engine dask --scheduler tcp://10.0.0.5:8786
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("subset", help="a subset's name or a part of it")
    parser.add_argument("--from-remote", action="store_true", help="read blobs from the remote")
    parser.add_argument("--remote", metavar="NAME", help="another DVC remote than the default")
    parser.add_argument(
        "--engine",
        choices=["local", "dask"],
        default="local",
        help="who measures (default: the cores of this machine)",
    )
    parser.add_argument(
        "--scheduler", metavar="ADDRESS", help="of a dask cluster (default: one on this machine)"
    )
    parser.add_argument(
        "--thumbnails",
        metavar="FOLDER",
        type=Path,
        help="write a small JPEG of each image, named by its md5; those there are kept",
    )
    parser.set_defaults(repo=".", rev=None)


def run(args: argparse.Namespace) -> int:
    """Scan."""
    if (args.engine == "dask" or args.remote) and not args.from_remote:
        raise UsageError("workers read blobs from the remote: add --from-remote")
    if args.scheduler and args.engine != "dask":
        raise UsageError("--scheduler goes with --engine dask")
    from sceneset.registry.blobs import Blobs
    from sceneset.registry.locking import writing
    from sceneset.registry.processes import measure_many
    from sceneset.registry.query import ask
    from sceneset.registry.render import print_problems, progress, say
    from sceneset.registry.scanning import record, scan_here, scan_remote
    from sceneset.registry.thumbnails import with_thumbnails

    registry = source(args)
    [name] = ask(registry, subsets=[args.subset]).subsets

    new = 0

    def shown(items: "Iterable[Measured]", total: int) -> "Iterable[Measured]":
        nonlocal new
        for item in progress(items, total, f"scan {name}"):
            new += item.is_new
            yield item

    measure: Measure = measure_many
    if args.from_remote:
        blobs = Blobs(registry.root, args.remote)
        measure = _engine(args, blobs)
    if args.thumbnails:
        measure = with_thumbnails(measure, args.thumbnails)
    with writing(registry.paths.work):
        if args.from_remote:
            told = scan_remote(registry, name, blobs, shown, measure)
        else:
            told = scan_here(registry, name, shown, measure)
        record(registry, name)
    print_problems(told)
    rows = registry.scan(name, ()).num_rows
    say(f"{rows:,} samples are scanned, {new:,} of them anew", style="green")
    say("next: dvc repro --allow-missing")
    return FINE


def _engine(args: argparse.Namespace, blobs: "Blobs") -> "Measure":
    if args.engine == "dask":
        from sceneset.registry.onmany import on_dask

        return on_dask(blobs, args.scheduler)
    from sceneset.registry.fromremote import reading

    return reading(blobs)
