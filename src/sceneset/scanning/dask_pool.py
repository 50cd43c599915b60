"""Measuring on many machines: batches of pairs go to dask's workers, rows come back.

Workers read blobs by hash straight from the remote: they need no checkout, only this package with
its extra ``dask``, and their own way to the remote. What is lost with a worker is done again by
another; what kills every worker that touches it is named; if the cluster itself is lost, the rest
is measured here.
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
from sceneset.scanning.remote_reader import measure_batch, reading
from sceneset.scanning.worker_pool import Batch, Errors, measured_by
from sceneset.schemas.params import Limits
from sceneset.storage.blobs import Blobs
from sceneset.storage.dvc import without_secrets

_PATIENCE, _WORKERS = 20, 60  # seconds to wait for a scheduler, and for its first worker
_LOOK = 5  # seconds between two looks how many workers there are
_SAME = ("sceneset", "numpy", "opencv-python-headless", "pillow", "simplejpeg", "kornia-rs")
"""What must be of one version everywhere, for rows to be the same everywhere."""

Address = tuple[str, dict[str, Any]]


def on_dask(blobs: Blobs, scheduler: str | None, *, notify: Notify = no_notice) -> Measure:
    """Return a measurer that hands pairs to a dask cluster: the one named, or one of its own here.

    Raises (when it is called):
        UsageError: the extra is not installed, or the scheduler can't be reached.
        DvcError: workers have other versions, or there is no remote.
    """

    def measure(pairs: list[Pair], limits: Limits, *, known: KnownRows) -> Iterator[Measured]:
        def here(left: Iterable[Pair]) -> Iterator[Measured]:
            notify("the dask cluster was lost; the remaining samples are measured on this machine")
            return iter(reading(blobs)(list(left), limits, known=known))

        with ExitStack() as stack:
            crew = _Cluster(lambda: _client(stack, scheduler), blobs, limits)
            if scheduler:  # others may listen to what goes there
                crew.address = crew.address[0], without_secrets(crew.address[1])
            try:
                yield from measured_by(crew, pairs, limits, known, here)
            except ImportError as error:
                raise DvcError(f"a worker can't run sceneset: {error}") from None

    return measure


class _Cluster:
    batch = 64  # half a second of work, beside which handing it on is nothing

    def __init__(self, connect: Callable[[], Any], blobs: Blobs, limits: Limits) -> None:
        self.connect, self.address, self.limits = connect, blobs.address(), limits
        self.died, self.gone = _errors()
        self._ahead, self._looked = 1, -math.inf

    @cached_property
    def client(self) -> Any:
        """The cluster: it is asked for when there is something to measure."""
        client = self.connect()
        try:
            client.wait_for_workers(1, timeout=_WORKERS)
        except TimeoutError:
            raise DvcError(f"the scheduler has no worker, {_WORKERS} seconds long") from None
        return client

    @property
    def ahead(self) -> int:
        """Three batches for each core: clusters grow and shrink while they work."""
        if "client" in self.__dict__ and time.monotonic() - self._looked > _LOOK:
            with suppress(*self.gone):  # who waits for a batch is told
                self._ahead = max(1, 3 * sum(self.client.nthreads().values()))
            self._looked = time.monotonic()
        return self._ahead

    def submit(self, batch: Batch) -> Any:
        work = partial(_measured, versions(), self.address, batch, self.limits)
        return self.client.submit(_asked(), pickle.dumps(work), pure=False)


def _asked() -> Callable[[bytes], Any]:
    """Return what workers do. It is sent by value, for those to say so who lack this package.

    They would end where they can't find what a name stands for, and be waited for.
    """

    def asked(work: bytes) -> Any:
        import pickle  # what stands outside of a function is sent by name

        return pickle.loads(work)()  # noqa: S301 - who can send this can send anything

    return asked


def _measured(theirs: dict[str, str], address: Address, batch: Batch, limits: Limits) -> Any:
    """Measure a batch for somebody who has such versions; this runs in a worker.

    Raises:
        DvcError: rows might be other ones here.
    """
    mine = versions()
    if apart := [f"{n} {mine[n]} (there {theirs[n]})" for n in _SAME if mine[n] != theirs[n]]:
        from distributed import get_worker

        raise DvcError(
            f"the worker {get_worker().address} has {', '.join(apart)}: rows would not be the same "
            "everywhere"
        )
    return measure_batch(address, batch, limits)


_IGNORING = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"
"""Run in workers of our own: Ctrl-C is for whom we ask, who ends them."""


def _client(stack: ExitStack, scheduler: str | None) -> Any:
    import dask
    from distributed import Client, LocalCluster

    if scheduler and not re.fullmatch(r"([a-z]+://)?[^\s/]+:\d+", scheduler):
        raise UsageError(f"{scheduler!r} is no address of a scheduler: tcp://HOST:8786")
    stack.enter_context(dask.config.set({"distributed.scheduler.allowed-failures": 1}))
    try:
        if scheduler:
            return stack.enter_context(Client(scheduler, timeout=_PATIENCE, set_as_default=False))
        cluster = LocalCluster(
            n_workers=os.cpu_count() or 1,
            threads_per_worker=1,
            # Its own port 8787 may be another cluster's, and is open to the network.
            scheduler_kwargs={"dashboard": False, "dashboard_address": "127.0.0.1:0"},
            preload=_IGNORING,
            silence_logs="CRITICAL",
        )
        stack.enter_context(cluster)
        return stack.enter_context(Client(cluster, set_as_default=False))
    except (OSError, TimeoutError, ValueError) as error:
        raise UsageError(f"the scheduler {scheduler} can't be reached: {error}") from None


@cache
def versions() -> dict[str, str]:
    """Return the versions of what decides how a row comes out."""
    found = {}
    for name in _SAME:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "none"
    return found


def _errors() -> tuple[Errors, Errors]:
    """Return what is raised when a task kills its workers, and when the scheduler is gone."""
    from concurrent.futures import CancelledError

    try:
        from distributed import CancelledError as Cancelled
        from distributed.client import ClosedClientError
        from distributed.comm import CommClosedError
        from distributed.scheduler import KilledWorker
    except ImportError:
        raise UsageError("--engine dask needs the extra: pip install 'sceneset[dask]'") from None
    gone = (CancelledError, Cancelled, ClosedClientError, CommClosedError, OSError, TimeoutError)
    return (KilledWorker,), gone
