"""Read what DVC prints: its error messages, and what people can do about them."""

from pathlib import Path

from sceneset.storage.dvc_locks import dvc_processes

BUSY = ("Unable to acquire lock", "is busy, it is being blocked")
"""DVC's messages when another DVC command is running."""
_FULL = ("No space left", "disk is full", "disk I/O error", "quota exceeded")
"""Words in DVC's messages about a full disk."""
_MENDABLE = ("RWLock", "rwlock", "dvc.lock", "Lockfile", "database", "cache type", "no such table")
"""Words in DVC's messages about what a killed command or a merge can leave."""

DISK_ADVICE = (
    ". Free some disk space: `sceneset rules disk-full` says how. DVC writes to the registry, to "
    "its cache, and to its databases (`dvc doctor` shows where, as repo.site_cache_dir)"
)


def reason_of(text: str) -> str:
    """Return the error messages in dvc's output, without its hints and progress bars."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    other = [line for line in lines if not line.startswith("Having any troubles")]
    return "; ".join(errors or other[-3:])


def is_full(reason: str) -> bool:
    """Return whether a message is about a full disk."""
    return any(text in reason for text in _FULL)


def advice_for(root: Path, reason: str) -> str:
    """Return what to do about a failure, if `sceneset doctor` can help."""
    if any(text in reason for text in BUSY):
        running = [f"`{command}` (process {pid})" for pid, command in dvc_processes(root)]
        who = f"{running[0]} is running; wait until it has ended" if running else ""
        return f". {who or 'Find the cause with: sceneset doctor'}"
    if is_full(reason):
        return DISK_ADVICE
    if any(text in reason for text in _MENDABLE):
        return ". Find the cause with: sceneset doctor"
    return ""
