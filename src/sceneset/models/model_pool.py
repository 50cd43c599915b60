"""Run a model on many pictures, in processes of their own.

A model's file may come from anywhere, and the libraries that run it are written in C++. So it is
never loaded in this process: a file that crashes its library, needs all memory or never ends is
reported, with its name. Each process uses one thread, so results do not depend on the machine.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import wait
from types import TracebackType
from typing import TYPE_CHECKING, Any, NamedTuple, Self, TypeVar

from sceneset.errors import ModelError
from sceneset.models.model_file import ModelFile
from sceneset.models.model_process import Failure, ModelProcess

if TYPE_CHECKING:
    from sceneset.models.network import Network

T = TypeVar("T")
R = TypeVar("R")

TIMEOUT = 300
"""Seconds after which an item is given up, and a model that is not loaded yet."""
_AHEAD = 4  # items for each process whose results are kept until earlier ones are known
_CRASHES = 20  # crashes in a row after which the model is given up


class Loaded(NamedTuple):
    """What is known of a model once it is loaded."""

    library: str
    """OpenCV or onnxruntime."""


class ModelPool:
    """Processes with a model. Use it in a ``with`` block."""

    def __init__(
        self,
        model: ModelFile,
        *,
        size: tuple[int, int] | None = None,
        workers: int | None = None,
        timeout: float = TIMEOUT,
    ) -> None:
        """Choose the model.

        Args:
            model: The model.
            size: Width and height of its input, if it leaves them open.
            workers: Number of processes; by default the number of cores.
            timeout: Seconds for each item; the first one includes loading.

        Raises:
            ModelError: The model does not take one picture of a known size.
        """
        model.input(size)
        self.model = model
        self._size, self._timeout = size, timeout
        self._count = workers or os.cpu_count() or 1
        self._idle: list[ModelProcess] = []
        self._busy: dict[Any, tuple[int, ModelProcess]] = {}

    def __enter__(self) -> Self:
        """Load the model in a first process.

        Raises:
            ModelError: The model can't be loaded, or crashes the process that loads it.
        """
        first = self._start()
        try:
            first.submit(_loaded, None)
            loaded = first.result()
        except BaseException:
            first.stop()
            raise
        if isinstance(loaded, Failure):
            first.stop()
            reason, path = loaded.reason, str(self.model.path)
            raise ModelError(reason if reason.startswith(path) else f"{path}: {reason}")
        self.loaded: Loaded = loaded
        self._idle.append(first)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop all processes and wait until they have ended."""
        for process in (*self._idle, *(process for _, process in self._busy.values())):
            process.stop()
        self._idle.clear()
        self._busy.clear()

    def map(self, work: "Callable[[Network, T], R]", items: Iterable[T]) -> "Iterator[R | Failure]":
        """Yield the result for each item, in their order; only one call at a time.

        Memory depends on the number of processes and not on the number of items.

        Args:
            work: Runs the model on an item in another process; it must be picklable, as must items
                and results. An OutputError or UndecodableError that it raises becomes a Failure.
            items: What the model is run on.

        Raises:
            ModelError: The model crashes again and again.
            WorkerError: There is a bug in ``work``.
        """
        remaining = enumerate(items)
        results: dict[int, R | Failure] = {}
        wanted, crashes, is_open = 0, 0, True
        while True:
            while is_open and len(self._busy) < self._count and len(results) < self._kept:
                if (following := next(remaining, None)) is None:
                    is_open = False
                else:
                    self._submit(work, *following)
            while wanted in results:
                yield results.pop(wanted)
                wanted += 1
            if not self._busy and not is_open:
                return
            for number, found in self._collect():
                results[number] = found
                is_crash = isinstance(found, Failure) and found.is_crash
                crashes = crashes + 1 if is_crash else 0
                if crashes == _CRASHES:
                    raise self.model.error(f"fails on {crashes} pictures in a row: {found.reason}")

    @property
    def _kept(self) -> int:
        return _AHEAD * self._count

    def _start(self) -> ModelProcess:
        return ModelProcess(self.model, self._size, share=self._count, timeout=self._timeout)

    def _submit(self, work: Callable[..., Any], number: int, item: object) -> None:
        process = self._idle.pop() if self._idle else self._start()
        self._busy[process.connection] = (number, process)
        process.submit(work, item)

    def _collect(self) -> Iterator[tuple[int, Any]]:
        """Wait for results, and yield each with the number of its item."""
        if not self._busy:
            return
        left = min(process.time_left for _, process in self._busy.values())
        ready = wait(list(self._busy), left)
        overdue = [key for key, (_, process) in self._busy.items() if not process.time_left]
        for connection in ready or overdue:
            number, process = self._busy[connection]
            found = process.result()
            del self._busy[connection]
            if isinstance(found, Failure) and found.is_crash:
                process.stop()
            else:
                self._idle.append(process)
            yield number, found


def _loaded(network: "Network", _item: None) -> Loaded:
    return Loaded(network.library)
