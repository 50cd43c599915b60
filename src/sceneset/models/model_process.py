"""One process that has a model loaded and runs it on one item after another."""

import multiprocessing
import os
import pickle
import resource
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from sceneset.errors import ModelError, UndecodableError, WorkerError
from sceneset.models.model_file import ModelFile
from sceneset.storage.safe_path import safe_path
from sceneset.storage.worker_process import start_worker

if TYPE_CHECKING:
    from sceneset.models.network import Network

T = TypeVar("T")
R = TypeVar("R")

_LEAST_MEMORY = 2 << 30  # bytes of addresses that a process may use at least


class Failure(NamedTuple):
    """An item without a result."""

    reason: str
    is_crash: bool = False
    """Whether its process had to be replaced."""
    is_output: bool = False
    """Whether the model ran, and its output is the reason."""


class _Bug(NamedTuple):
    """A traceback of another process."""

    text: str


class ModelProcess:
    """A process with a model. It has at most one item at a time."""

    def __init__(
        self, model: ModelFile, size: tuple[int, int] | None, *, share: int, timeout: float
    ) -> None:
        """Start the process; the model is loaded when the first item comes.

        Args:
            model: The model.
            size: Width and height of its input, if it leaves them open.
            share: Number of processes that share the memory of this machine.
            timeout: Seconds for an item.
        """
        # `python -c`, which starts the process, would import modules from the registry's folder.
        os.environ.update(safe_path())
        # A fork of a process with threads can wait forever for a lock that a thread held.
        context = multiprocessing.get_context("spawn")
        self.connection, other = context.Pipe()
        self._process = context.Process(
            target=_serve, args=(other, model, size, share), daemon=True
        )
        self._process.start()
        other.close()
        self._timeout = timeout
        self._deadline = 0.0

    def submit(self, work: Callable[..., Any], item: object) -> None:
        """Start to work on an item."""
        self._deadline = time.monotonic() + self._timeout
        with suppress(OSError):  # it ended: `result` says so
            self.connection.send((work, item))

    @property
    def time_left(self) -> float:
        """Seconds until the item is given up."""
        return max(0.0, self._deadline - time.monotonic())

    def result(self) -> Any:
        """Return the result for the item, or a Failure; it waits as long as the item may take.

        Raises:
            WorkerError: There is a bug in what was run.
        """
        if not self.connection.poll(self.time_left):
            return Failure(
                reason=f"the model gives no result within {self._timeout:g} seconds", is_crash=True
            )
        try:
            found = self.connection.recv()
        except (EOFError, OSError):
            self._process.join()
            reason = "the model crashes the process that runs it"
            if (code := self._process.exitcode or 0) < 0:
                reason = f"the model crashes the process that runs it (signal {-code})"
            return Failure(reason, is_crash=True)
        if isinstance(found, _Bug):
            raise WorkerError(found.text)
        return found

    def stop(self) -> None:
        """End the process and wait until it has ended."""
        self._process.kill()
        self._process.join()
        self.connection.close()


def _serve(
    connection: Connection, model: ModelFile, size: tuple[int, int] | None, share: int
) -> None:
    """Answer with a result for each item; this function is the worker process."""
    _limit_process(share)
    network: Network | None = None
    while True:
        try:
            data = connection.recv_bytes()
        except (EOFError, OSError):
            return
        found: object
        try:
            work, item = pickle.loads(data)  # noqa: S301 - the parent process wrote it
            if network is None:
                network = _load(model, size)
            found = _call(work, network, item)
        except ModelError as error:
            found = Failure(str(error))
        except Exception:  # noqa: BLE001 - a bug must not look like a crash of the model
            found = _Bug(traceback.format_exc())
        connection.send(found)


def _load(model: ModelFile, size: tuple[int, int] | None) -> "Network":
    from sceneset.models.network import Network

    return Network(model, size)


def _call(work: "Callable[[Network, T], R]", network: "Network", item: T) -> "R | Failure":
    from sceneset.models.network import OutputError

    try:
        return work(network, item)
    except OutputError as error:
        return Failure(str(error), is_output=True)
    except UndecodableError as error:
        return Failure(str(error))
    except MemoryError:
        return Failure(reason="the model needs more memory than is available")


def _limit_process(share: int) -> None:
    """Prepare the process: its share of the memory, no core files, no messages of libraries."""
    start_worker()
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // share
    limits = {resource.RLIMIT_AS: max(memory, _LEAST_MEMORY), resource.RLIMIT_CORE: 0}
    for kind, limit in limits.items():
        _, most = resource.getrlimit(kind)
        new = limit if most == resource.RLIM_INFINITY else min(limit, most)
        with suppress(OSError, ValueError):
            resource.setrlimit(kind, (new, most))
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    os.close(nothing)
