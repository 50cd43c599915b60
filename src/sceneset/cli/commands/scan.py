"""Measure the new samples of a subset and write its scan, as `dvc repro` does.

With --from-remote, images are read from the DVC remote one by one and not kept, so none of them has
to be on this machine. With --engine dask, that work is distributed over many machines. The result
is the same in all cases.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from sceneset.cli.commands.sources import add_remote, add_view, open_catalog
from sceneset.cli.exit_codes import FINE
from sceneset.errors import UsageError

if TYPE_CHECKING:
    from sceneset.scanning.measure_sample import Measure
    from sceneset.storage.blobs import Blobs

EXAMPLES = r"""
  sceneset scan demo-full                           the local files
  sceneset scan demo-full --from-remote             without local files
  sceneset scan demo-full --thumbnails build/small  also write thumbnails
  sceneset scan demo-full --from-remote --engine dask
  sceneset scan demo-full --from-remote --engine dask \
      --scheduler tcp://10.0.0.5:8786
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("subset", metavar="SUBSET", help="name of a subset, or a part of it")
    parser.add_argument(
        "--from-remote", action="store_true", help="read images and masks from the remote"
    )
    add_remote(parser)
    parser.add_argument(
        "--engine",
        choices=["local", "dask"],
        default="local",
        help="where to measure: on all cores of this machine (default), or on a dask cluster",
    )
    parser.add_argument(
        "--scheduler",
        metavar="ADDRESS",
        help="address of the dask scheduler (default: start a cluster on this machine)",
    )
    parser.add_argument(
        "--thumbnails",
        metavar="DIR",
        type=Path,
        help="write a small JPEG of each image to DIR, named by its MD5; existing ones are kept",
    )
    add_view(parser)
    parser.set_defaults(repo=".", rev=None)


def run(args: argparse.Namespace) -> int:
    """Measure the samples and write the scan."""
    if (args.engine == "dask" or args.remote) and not args.from_remote:
        raise UsageError("--engine dask and --remote can only be used with --from-remote")
    if args.scheduler and args.engine != "dask":
        raise UsageError("--scheduler can only be used with --engine dask")
    from sceneset.catalog.query import resolve_query
    from sceneset.cli.findings import View, print_findings
    from sceneset.cli.output import progress, say
    from sceneset.counts import counted
    from sceneset.scanning.process_pool import measure_files
    from sceneset.scanning.scan_subset import record_in_lock, scan_local, scan_remote
    from sceneset.scanning.thumbnails import with_thumbnails
    from sceneset.storage.blobs import Blobs
    from sceneset.storage.dvc import has_hard_link_locks
    from sceneset.storage.dvc_locks import exclude_dvc
    from sceneset.storage.dvc_writers import no_dvc_writer
    from sceneset.storage.leftovers import sweep
    from sceneset.storage.locking import write_lock
    from sceneset.storage.transaction_rollback import refuse_unfinished_change

    catalog = open_catalog(args)
    [name] = resolve_query(catalog, subsets=[args.subset]).subsets

    measure: Measure = measure_files
    if args.from_remote:
        blobs = Blobs(catalog.root, args.remote)
        measure = _engine(args, blobs)
    if args.thumbnails:
        measure = with_thumbnails(measure, args.thumbnails)
    with write_lock(catalog.paths.work), no_dvc_writer(catalog.paths):
        refuse_unfinished_change(catalog.paths)
        sweep(catalog.paths)
        if args.from_remote:
            scanned = scan_remote(catalog, name, blobs, progress, measure)
        else:
            scanned = scan_local(catalog, name, progress, measure)
        # DVC reads dvc.lock, and writes it again with the stage that it has run.
        with exclude_dvc(catalog.root, hard_links=has_hard_link_locks(catalog.root)):
            record_in_lock(catalog, name)
    print_findings(scanned.findings, view=View.of(args))
    rows = catalog.scan(name, ()).num_rows
    say(f"{counted(rows, 'sample')} in the scan, {scanned.measured:,} measured now", style="green")
    say("Next: dvc repro --allow-missing")
    return FINE


def _engine(args: argparse.Namespace, blobs: "Blobs") -> "Measure":
    if args.engine == "dask":
        from sceneset.cli.output import say
        from sceneset.scanning.dask_pool import dask_measure

        return dask_measure(blobs, args.scheduler, notify=say)
    from sceneset.scanning.remote_reader import remote_measure

    return remote_measure(blobs)
