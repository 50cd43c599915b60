"""Call a function for many items in threads, and keep their order."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

S = TypeVar("S")
T = TypeVar("T")

_AHEAD = 8
"""Items per thread whose results may wait for those before them. This bounds memory."""


def map_in_threads(
    call: Callable[[S], T], items: Iterable[S], workers: int | None = None
) -> Iterator[T]:
    """Yield ``call(item)`` for every item, in order.

    The items are drawn in this thread, only a few ahead of the results. The first exception ends
    it, and so does a caller who stops: calls that have not begun are never made.

    Args:
        call: The function; it decodes, reads or sends, and so lets other threads run.
        items: The items.
        workers: Number of threads; by default the number of cores.
    """
    number = workers or os.cpu_count() or 1
    waiting: deque[Future[T]] = deque()
    with ThreadPoolExecutor(number) as pool:
        try:
            for item in items:
                waiting.append(pool.submit(call, item))
                if len(waiting) > _AHEAD * number:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
