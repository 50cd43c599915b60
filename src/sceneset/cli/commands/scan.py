"""Measure what is new in one subset, and write its scan: what `dvc repro` does where it must.

With --from-remote no file of the subset need be here: blobs are read by hash from the DVC remote,
and none is kept. --engine dask hands that work to many machines. The rows are the same everywhere.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from sceneset.cli.commands.sources import source
from sceneset.cli.exit_codes import FINE
from sceneset.errors import UsageError

if TYPE_CHECKING:
    from sceneset.scanning.measure_sample import Measure
    from sceneset.storage.blobs import Blobs

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
    from sceneset.catalog.query import ask
    from sceneset.cli.output import print_findings, progress, say
    from sceneset.scanning.process_pool import measure_many
    from sceneset.scanning.scan_subset import record, scan_here, scan_remote
    from sceneset.scanning.thumbnails import with_thumbnails
    from sceneset.storage.blobs import Blobs
    from sceneset.storage.locking import writing

    catalog = source(args)
    [name] = ask(catalog, subsets=[args.subset]).subsets

    measure: Measure = measure_many
    if args.from_remote:
        blobs = Blobs(catalog.root, args.remote)
        measure = _engine(args, blobs)
    if args.thumbnails:
        measure = with_thumbnails(measure, args.thumbnails)
    with writing(catalog.paths.work):
        if args.from_remote:
            scanned = scan_remote(catalog, name, blobs, progress, measure)
        else:
            scanned = scan_here(catalog, name, progress, measure)
        record(catalog, name)
    print_findings(scanned.findings)
    rows = catalog.scan(name, ()).num_rows
    say(f"{rows:,} samples are scanned, {scanned.measured:,} of them anew", style="green")
    say("next: dvc repro --allow-missing")
    return FINE


def _engine(args: argparse.Namespace, blobs: "Blobs") -> "Measure":
    if args.engine == "dask":
        from sceneset.cli.output import say
        from sceneset.scanning.dask_pool import on_dask

        return on_dask(blobs, args.scheduler, notify=say)
    from sceneset.scanning.remote_reader import reading

    return reading(blobs)
