"""Measuring on many machines: batches of pairs go to dask's workers, rows come back.

Workers read blobs by hash straight from the remote: they need no checkout, only this package with
its extra ``dask``, and their own way to the remote. What is lost with a worker is done again by
another; what kills every worker that touches it is named; if the cluster itself is lost, the rest
is measured here.
"""

import json
import os
import traceback
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from itertools import islice
from typing import Any

from sceneset.registry.blobs import Blobs
from sceneset.registry.edge import UsageError
from sceneset.registry.measure import Measured, Pair, known_row, measure_all
from sceneset.registry.remote import DvcError, open_store
from sceneset.registry.render import say
from sceneset.registry.scanfile import KnownRows
from sceneset.registry.scanning import Measure, from_store, reading
from sceneset.registry.stores import Store
from sceneset.schemas.params import Limits
from sceneset.schemas.problem import problem

_BATCH = 64  # pairs a task: half a second of work, beside which handing it on is nothing
_AHEAD = 3  # tasks a worker that are handed on before the first comes back
_PATIENCE = 20  # seconds to wait for a scheduler
_AT_ONCE = 4  # pairs a worker has in hand, so that it need not wait for the remote
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
        new = []
        for pair in pairs:
            if pair.md5 and (row := known_row(pair, pair.md5, limits, known)):
                yield Measured(pair, row, ())
            else:
                new.append(pair)
        if not new:
            return
        left: list[Pair] = []
        with ExitStack() as stack:
            client = _client(stack, scheduler)
            _check_versions(client)
            yield from _handed_on(client, blobs, new, limits, left)
        if left:
            say(f"dask was lost; {len(left)} samples are measured here", style="yellow")
            yield from reading(blobs)(left, limits, known=known)

    return measure


def _client(stack: ExitStack, scheduler: str | None) -> Any:
    try:
        import dask
        from distributed import Client, LocalCluster
    except ImportError:
        raise UsageError("--engine dask needs the extra: pip install 'sceneset[dask]'") from None
    stack.enter_context(dask.config.set({"distributed.scheduler.allowed-failures": 1}))
    try:
        if scheduler:
            return stack.enter_context(Client(scheduler, timeout=_PATIENCE, set_as_default=False))
        cluster = LocalCluster(
            n_workers=os.cpu_count() or 1,
            threads_per_worker=1,
            dashboard_address=None,
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
    client.wait_for_workers(1, timeout=60)
    here = _here()
    for worker, theirs in client.run(versions, on_error="return").items():
        if not isinstance(theirs, dict):
            raise DvcError(f"the worker {worker} can't run sceneset: {theirs}")
        apart = [f"{n} {theirs[n]} (here {here[n]})" for n in _SAME if theirs[n] != here[n]]
        if apart:
            raise DvcError(
                f"the worker {worker} has {', '.join(apart)}: rows would not be the same everywhere"
            )


def _handed_on(
    client: Any, blobs: Blobs, pairs: list[Pair], limits: Limits, left: list[Pair]
) -> Iterator[Measured]:
    """Yield what the workers measure; what they can no longer is put into ``left``."""
    from distributed import as_completed
    from distributed.scheduler import KilledWorker

    address, remaining = blobs.address(), iter(pairs)
    waiting = iter(lambda: tuple(islice(remaining, _BATCH)), ())
    handed: dict[Any, tuple[Pair, ...]] = {}
    done = as_completed(loop=client.loop)

    def hand(some: Iterable[tuple[Pair, ...]]) -> None:
        for batch in some:
            future = client.submit(measure_batch, address, batch, limits, pure=False)
            handed[future] = batch
            done.add(future)

    try:
        hand(islice(waiting, _AHEAD * max(1, len(client.scheduler_info()["workers"]))))
        for future in done:
            batch = handed[future]
            try:
                found = future.result()
            except KilledWorker:
                found = [_killer(batch[0])] if len(batch) == 1 else []
                if not found:  # one of them it is
                    hand((pair,) for pair in batch)
            del handed[future]
            yield from found
            hand(islice(waiting, 1))
    except _lost():
        left += [pair for batch in (*handed.values(), *waiting) for pair in batch]


def _lost() -> tuple[type[BaseException], ...]:
    """Return what is raised when the scheduler is gone."""
    from concurrent.futures import CancelledError

    from distributed import CancelledError as Cancelled
    from distributed.comm import CommClosedError

    return (CancelledError, Cancelled, CommClosedError, OSError, TimeoutError)


def _killer(pair: Pair) -> Measured:
    told = problem(
        "image-unreadable",
        "kills every process that decodes it, or its mask",
        file=pair.shown(pair.image),
        phase=pair.phase,
        stem=pair.stem,
        hint="leave the sample out; and keep the file for the decoder's makers",
    )
    return Measured(pair, None, (told,))


def measure_batch(
    address: tuple[str, dict[str, Any]], pairs: tuple[Pair, ...], limits: Limits
) -> list[Measured]:
    """Measure pairs whose blobs are on a remote; this runs on workers."""
    try:
        read = from_store(_store(address[0], json.dumps(address[1], sort_keys=True)))
        return list(measure_all(pairs, limits, read=read, workers=_AT_ONCE))
    except DvcError:
        raise
    except Exception:  # noqa: BLE001 - whatever it is, it must come home
        # An exception that can't be pickled would never arrive, and be waited for.
        raise RuntimeError(traceback.format_exc(limit=-8)) from None


@lru_cache(maxsize=4)
def _store(name: str, remotes: str) -> Store:
    """Open a remote once a worker."""
    return open_store(name, json.loads(remotes))
