"""Measure pairs on many machines: a dask cluster measures batches and returns rows.

Workers read blobs by hash directly from the remote. They need no checkout, only this package with
its extra ``dask`` and their own credentials for the remote. Work that is lost with a worker is
repeated by another worker; a pair that crashes every worker is isolated and reported; if the
cluster is lost, the remaining pairs are measured on this machine.
"""

import math
import os
import pickle
import re
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, suppress
from functools import cache, cached_property, partial
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from sceneset.errors import DvcError, UsageError
from sceneset.progress import Notify, no_notice
from sceneset.scanning.known_rows import KnownRows
from sceneset.scanning.measure_sample import Measure, Measured, Pair
from sceneset.scanning.remote_reader import measure_blob_batch, remote_measure
from sceneset.scanning.worker_pool import Batch, Errors, measure_in_pool
from sceneset.schemas.params import Limits
from sceneset.storage.blobs import Blobs
from sceneset.storage.remote_options import without_credentials

_CONNECT_SECONDS = 20  # how long to wait for the scheduler
_WORKER_SECONDS = 60  # how long to wait for the first worker
_COUNT_SECONDS = 5  # how often to ask the scheduler for the number of cores
_VERSIONED = ("sceneset", "numpy", "opencv-python-headless", "pillow", "simplejpeg", "kornia-rs")
"""Packages that must have the same version on all machines, so that rows are the same too."""

Address = tuple[str, dict[str, Any]]


def dask_measure(blobs: Blobs, scheduler: str | None, *, notify: Notify = no_notice) -> Measure:
    """Return a function that measures pairs on a dask cluster.

    Args:
        blobs: The remote that has the files.
        scheduler: The address of a cluster, such as "tcp://10.0.0.5:8786". None starts a cluster
            on this machine.
        notify: Called with a message if the cluster is lost.

    The returned function raises:
        UsageError: The extra is not installed, or the scheduler can't be reached.
        DvcError: Workers have other package versions, or there is no remote.
    """

    def measure(pairs: list[Pair], limits: Limits, *, known: KnownRows) -> Iterator[Measured]:
        def on_this_machine(remaining: Iterable[Pair]) -> Iterator[Measured]:
            notify("the dask cluster was lost; the remaining samples are measured on this machine")
            return iter(remote_measure(blobs)(list(remaining), limits, known=known))

        with ExitStack() as stack:
            pool = _DaskWorkers(lambda: _client(stack, scheduler), blobs, limits)
            if scheduler:  # other users of the cluster could read what is sent to it
                pool.address = pool.address[0], without_credentials(pool.address[1])
            try:
                yield from measure_in_pool(pool, pairs, limits, known, on_this_machine)
            except ImportError as error:
                raise DvcError(f"a worker can't run sceneset: {error}") from None

    return measure


class _DaskWorkers:
    """A WorkerPool of dask workers."""

    batch_size = 64  # half a second of work, much longer than it takes to send the batch

    def __init__(self, connect: Callable[[], Any], blobs: Blobs, limits: Limits) -> None:
        self.address = blobs.address()
        self.task_errors, self.pool_errors = _errors()
        self._connect, self._limits = connect, limits
        self._max_pending, self._counted = 1, -math.inf

    @cached_property
    def client(self) -> Any:
        """The connection to the cluster; it is opened when there is something to measure."""
        client = self._connect()
        try:
            client.wait_for_workers(1, timeout=_WORKER_SECONDS)
        except TimeoutError:
            raise DvcError(
                f"the scheduler had no worker for {_WORKER_SECONDS} seconds; start workers, "
                "or scan without --engine dask"
            ) from None
        return client

    @property
    def max_pending(self) -> int:
        """Three batches for each core; counted again and again, because clusters grow and shrink.

        Until the client is connected it is one batch.
        """
        if "client" in self.__dict__ and time.monotonic() - self._counted > _COUNT_SECONDS:
            with suppress(*self.pool_errors):  # waiting for the next batch raises the error again
                self._max_pending = max(1, 3 * sum(self.client.nthreads().values()))
            self._counted = time.monotonic()
        return self._max_pending

    def submit(self, batch: Batch) -> Any:
        work = partial(_measure_batch, versions(), self.address, batch, self._limits)
        return self.client.submit(_unpickle_and_call(), pickle.dumps(work), pure=False)


def _unpickle_and_call() -> Callable[[bytes], Any]:
    """Return the function that workers run.

    Dask pickles a nested function by value and a module's function by name. A worker without this
    package could not unpickle a name: it would crash and leave the client waiting. With a nested
    function the import fails inside the task, and the client receives the ImportError.
    """

    def call(work: bytes) -> Any:
        import pickle  # a name from outside of this function would be pickled by name

        return pickle.loads(work)()  # noqa: S301 - dask's clients may run any code on its workers

    return call


def _measure_batch(
    client_versions: dict[str, str], address: Address, batch: Batch, limits: Limits
) -> Any:
    """Measure a batch; this function runs in a worker.

    Raises:
        DvcError: The worker has other package versions than the client, or can't open the remote.
    """
    ours = versions()
    if different := [
        f"{name} {ours[name]} (this machine has {client_versions[name]})"
        for name in _VERSIONED
        if ours[name] != client_versions[name]
    ]:
        from distributed import get_worker

        raise DvcError(
            f"the worker {get_worker().address} has {', '.join(different)}, so its rows could "
            "differ; install the same versions everywhere"
        )
    return measure_blob_batch(address, batch, limits)


_IGNORE_SIGINT = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"
"""Code that workers on this machine run at their start: on Ctrl-C this process stops them."""


def _client(stack: ExitStack, scheduler: str | None) -> Any:
    """Connect to the scheduler, or start a cluster on this machine; ``stack`` closes it."""
    import dask
    from distributed import Client, LocalCluster

    if scheduler and not re.fullmatch(r"([a-z]+://)?[^\s/]+:\d+", scheduler):
        raise UsageError(
            f"{scheduler!r} is not the address of a scheduler; write it like tcp://HOST:8786"
        )
    stack.enter_context(dask.config.set({"distributed.scheduler.allowed-failures": 1}))
    try:
        if scheduler:
            client = Client(scheduler, timeout=_CONNECT_SECONDS, set_as_default=False)
            return stack.enter_context(client)
        cluster = LocalCluster(
            n_workers=os.cpu_count() or 1,
            threads_per_worker=1,
            # The default port 8787 is open to the network, and another cluster may be using it.
            scheduler_kwargs={"dashboard": False, "dashboard_address": "127.0.0.1:0"},
            preload=_IGNORE_SIGINT,
            silence_logs="CRITICAL",
        )
        stack.enter_context(cluster)
        return stack.enter_context(Client(cluster, set_as_default=False))
    except (OSError, TimeoutError, ValueError) as error:
        if scheduler:
            raise UsageError(f"the scheduler {scheduler} can't be reached: {error}") from None
        raise UsageError(f"a dask cluster can't be started on this machine: {error}") from None


@cache
def versions() -> dict[str, str]:
    """Return the installed versions of the packages that decide what a row contains."""
    found = {}
    for name in _VERSIONED:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "none"
    return found


def _errors() -> tuple[Errors, Errors]:
    """Return dask's exceptions: those of a batch that crashes workers, those of a lost cluster."""
    from concurrent.futures import CancelledError

    try:
        from distributed import CancelledError as Cancelled
        from distributed.client import ClosedClientError
        from distributed.comm import CommClosedError
        from distributed.scheduler import KilledWorker
    except ImportError:
        raise UsageError("--engine dask needs the extra: pip install 'sceneset[dask]'") from None
    lost = (CancelledError, Cancelled, ClosedClientError, CommClosedError, OSError, TimeoutError)
    return (KilledWorker,), lost
