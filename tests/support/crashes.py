"""Functions that tests run in worker processes.

They are in a module of their own because a worker process must be able to import them.
"""

import os
import signal
import time

import numpy as np

from sceneset.errors import UndecodableError
from sceneset.models.network import Network
from sceneset.models.preparation import Preparation, prepare
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


def share_of_red(network: Network, item: int) -> float:
    """Return the mean output of ``support.models.red_model`` for a picture that is partly red.

    Args:
        network: The model.
        item: The number of red columns, of 32. 13 crashes the process, 14 takes too long, and 15 is
            a picture that can't be decoded.
    """
    if item == 13:
        os.kill(os.getpid(), signal.SIGSEGV)
    if item == 14:
        time.sleep(60)
    if item == 15:
        raise UndecodableError("image-unreadable", "is empty")
    pixels = np.zeros((24, 32, 3), np.uint8)
    pixels[:, : int(item), 0] = 255
    blob, _ = prepare(pixels, Preparation(), network.input)
    return round(float(network.run(blob)["person"].mean()), 2)
