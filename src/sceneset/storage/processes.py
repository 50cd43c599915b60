"""Look at the processes of this machine through /proc, to name them in messages.

Where the system has no /proc, nothing is found, and callers must stay on the safe side.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

_MAX_COMMAND = 100  # characters
_PROC = Path("/proc")


def is_alive(pid: int) -> bool:
    """Return whether a process exists, whoever it belongs to."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (OverflowError, PermissionError):
        pass
    return True


def running_processes() -> list[int]:
    """Return the ids of all processes but this one, sorted."""
    with suppress(OSError):
        found = {int(path.name) for path in _PROC.iterdir() if path.name.isdecimal()}
        return sorted(found - {os.getpid()})
    return []


def ancestors() -> Iterator[int]:
    """Yield the ids of this process, its parent, the parent's parent, and so on."""
    pid = os.getpid()
    while pid > 0:
        yield pid
        pid = _parent(pid)


def _parent(pid: int) -> int:
    with suppress(OSError, ValueError, IndexError):
        # The command stands in parentheses and may hold spaces and parentheses itself.
        fields = (_PROC / str(pid) / "stat").read_text("utf-8", "replace").rpartition(")")[2]
        return int(fields.split()[1])
    return 0


def started_at(pid: int) -> float:
    """Return when a process started, in seconds since the epoch; 0 if that is not known."""
    with suppress(OSError, ValueError, IndexError, StopIteration):
        fields = (_PROC / str(pid) / "stat").read_text("utf-8", "replace").rpartition(")")[2]
        ticks = int(fields.split()[19])
        lines = (_PROC / "stat").read_text("ascii").splitlines()
        booted = next(int(line.split()[1]) for line in lines if line.startswith("btime "))
        return booted + ticks / os.sysconf("SC_CLK_TCK")
    return 0.0


def command_of(pid: int) -> list[str]:
    """Return the command line of a process as words; empty if it can't be read."""
    with suppress(OSError):
        raw = (_PROC / str(pid) / "cmdline").read_bytes()
        return raw.decode("utf-8", "replace").rstrip("\0").split("\0")
    return []


def folder_of(pid: int) -> str:
    """Return the working folder of a process; "" if it can't be read."""
    with suppress(OSError):
        return str((_PROC / str(pid) / "cwd").readlink())
    return ""


def is_dvc(words: list[str]) -> bool:
    """Return whether a command line is that of DVC."""
    return any(Path(word).name == "dvc" for word in words[:6])


def shown_command(words: list[str]) -> str:
    """Return a command line of sceneset, of DVC or of a stage as people type it; otherwise ""."""
    for number, word in enumerate(words[:6]):
        name, rest = Path(word).name, words[number + 1 :]
        if word.startswith("sceneset.stages."):
            stage = word.removeprefix("sceneset.stages.")
            subset = rest[0] if rest and not rest[0].isdecimal() else ""
            return _shortened(["dvc repro", f"{stage}@{subset}" if subset else stage])
        if name in {"sceneset", "dvc"}:
            return _shortened([name, *rest])
    return ""


def _shortened(words: list[str]) -> str:
    text = "".join(char if char.isprintable() else "?" for char in " ".join(words))
    return text if len(text) <= _MAX_COMMAND else f"{text[:_MAX_COMMAND]}..."
