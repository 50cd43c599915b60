"""Measuring on many machines: batches of pairs go to dask's workers, rows come back.

Workers read blobs by hash straight from the remote: they need no checkout, only this package with
its extra ``dask``, and their own way to the remote. What is lost with a worker is done again by
another; what kills every worker that touches it is named; if the cluster itself is lost, the rest
is measured here.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from sceneset.registry.blobs import Blobs
from sceneset.registry.crews import Batch, Errors, measured_by
from sceneset.registry.edge import UsageError
from sceneset.registry.fromremote import measure_batch, reading
from sceneset.registry.knownrows import KnownRows
from sceneset.registry.measure import Measure, Measured, Pair
from sceneset.registry.remote import DvcError
from sceneset.registry.render import say
from sceneset.schemas.params import Limits

_PATIENCE, _WORKERS = 20, 60  # seconds to wait for a scheduler, and for its first worker
_SAME = ("sceneset", "numpy", "opencv-python-headless", "pillow", "simplejpeg", "kornia-rs")
"""What must be of one version everywhere, for rows to be the same everywhere."""

Address = tuple[str, str]


def on_dask(blobs: Blobs, scheduler: str | None) -> Measure:
    """Return a measurer that hands pairs to a dask cluster: the one named, or one of its own here.

    Raises (when it is called):
        UsageError: the extra is not installed, or the scheduler can't be reached.
        DvcError: workers have other versions, or there is no remote.
    """

    def measure(pairs: list[Pair], limits: Limits, *, known: KnownRows) -> Iterator[Measured]:
        def here(left: Iterable[Pair]) -> Iterator[Measured]:
            say("dask was lost; what is left is measured here", style="yellow")
            return iter(reading(blobs)(list(left), limits, known=known))

        with ExitStack() as stack:
            crew = _Cluster(lambda: _client(stack, scheduler), blobs, limits)
            yield from measured_by(crew, pairs, limits, known, here)

    return measure


class _Cluster:
    batch = 64  # half a second of work, beside which handing it on is nothing
    ahead = 1

    def __init__(self, connect: Callable[[], Any], blobs: Blobs, limits: Limits) -> None:
        self.connect, self.address, self.limits = connect, blobs.address(), limits
        self.died, self.gone = _errors()

    @cached_property
    def client(self) -> Any:
        """The cluster: it is asked for when there is something to measure."""
        client = self.connect()
        _check_versions(client)
        self.ahead = 3 * len(client.scheduler_info(n_workers=-1)["workers"])
        return client

    def submit(self, batch: Batch) -> Any:
        return self.client.submit(measure_batch, self.address, batch, self.limits, pure=False)


def _client(stack: ExitStack, scheduler: str | None) -> Any:
    import dask
    from distributed import Client, LocalCluster

    stack.enter_context(dask.config.set({"distributed.scheduler.allowed-failures": 1}))
    try:
        if scheduler:
            return stack.enter_context(Client(scheduler, timeout=_PATIENCE, set_as_default=False))
        cluster = LocalCluster(
            n_workers=os.cpu_count() or 1,
            threads_per_worker=1,
            # Its own port 8787 may be another cluster's, and is open to the network.
            scheduler_kwargs={"dashboard": False, "dashboard_address": "127.0.0.1:0"},
            silence_logs="CRITICAL",
        )
        stack.enter_context(cluster)
        return stack.enter_context(Client(cluster, set_as_default=False))
    except (OSError, TimeoutError, ValueError) as error:
        raise UsageError(f"the scheduler {scheduler} can't be reached: {error}") from None


def versions() -> dict[str, str]:
    """Return the versions of what decides how a row comes out."""
    found = {}
    for name in _SAME:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "none"
    return found


_here = versions


def _check_versions(client: Any) -> None:
    """Refuse workers whose rows might be other ones.

    Raises:
        DvcError: there are such, or none at all.
    """
    try:
        client.wait_for_workers(1, timeout=_WORKERS)
    except TimeoutError:
        raise DvcError(f"the scheduler has no worker, {_WORKERS} seconds long") from None
    here = _here()
    for worker, theirs in client.run(versions, on_error="return").items():
        if not isinstance(theirs, dict):
            raise DvcError(f"the worker {worker} can't run sceneset: {theirs}")
        apart = [f"{n} {theirs[n]} (here {here[n]})" for n in _SAME if theirs[n] != here[n]]
        if apart:
            raise DvcError(
                f"the worker {worker} has {', '.join(apart)}: rows would not be the same everywhere"
            )


def _errors() -> tuple[Errors, Errors]:
    """Return what is raised when a task kills its workers, and when the scheduler is gone."""
    from concurrent.futures import CancelledError

    try:
        from distributed import CancelledError as Cancelled
        from distributed.comm import CommClosedError
        from distributed.scheduler import KilledWorker
    except ImportError:
        raise UsageError("--engine dask needs the extra: pip install 'sceneset[dask]'") from None
    return (KilledWorker,), (CancelledError, Cancelled, CommClosedError, OSError, TimeoutError)
