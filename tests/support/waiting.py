"""Wait for a condition instead of a fixed time."""

import time
from collections.abc import Callable


def wait_until(is_done: Callable[[], bool], seconds: float = 30) -> bool:
    """Wait until ``is_done`` returns True; return False if it does not within the time."""
    end = time.monotonic() + seconds
    while not is_done():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
