"""Functions that tests run in worker processes.

They are in a module of their own because a worker process must be able to import them.
"""

import os
import signal

from sceneset.scanning.measure_sample import Measured, Pair, measure_pair
from sceneset.schemas.params import Limits


def crash_on_pair_4(batch: tuple[Pair, ...], limits: Limits) -> list[Measured]:
    """Measure a batch; kill the process if the pair with the stem "4" is in it."""
    if any(pair.stem == "4" for pair in batch):
        os.kill(os.getpid(), signal.SIGKILL)
    return [measure_pair(pair, limits) for pair in batch]


def crash_once(batch: tuple[Pair, ...], limits: Limits) -> list[Measured]:
    """Measure a batch; if the file "flag" exists, delete it and kill the process instead."""
    if (flag := batch[0].base / "flag").exists():
        flag.unlink()
        os.kill(os.getpid(), signal.SIGKILL)
    return [measure_pair(pair, limits) for pair in batch]


def double(number: int) -> int:
    """Return twice a number; kill the process if it is 4."""
    if number == 4:
        os.kill(os.getpid(), signal.SIGKILL)
    return 2 * number
