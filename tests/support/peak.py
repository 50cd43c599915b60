"""The peak memory of a block of a test, whatever other tests of the process used before."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_RESET_PEAK = "5"


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    [kilobytes] = [line.split()[1] for line in lines if line.startswith(f"{name}:")]
    return int(kilobytes) << 10


@contextmanager
def within(limit: int) -> Iterator[None]:
    """Check that the block needs at most ``limit`` bytes more than the process has."""
    Path("/proc/self/clear_refs").write_text(_RESET_PEAK)
    before = _status("VmRSS")
    yield
    used = _status("VmHWM") - before
    assert used < limit, f"{used >> 20} MiB of memory, at most {limit >> 20} are allowed"
