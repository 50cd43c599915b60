"""Refuse a change of the registry while a DVC command writes the same files.

`dvc repro` deletes the outputs of a stage before the stage runs, and rewrites .dvc files in place.
Who reads these files meanwhile finds them missing or empty. The stage itself waits for the write
lock, so a command that holds that lock can't wait for DVC: it gives way.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sceneset.errors import FindingsError, fail
from sceneset.paths import DATA_ROOT, Paths
from sceneset.storage.dvc import has_hard_link_locks
from sceneset.storage.dvc_locks import dvc_writers, exclude_dvc

_GAP_TIMEOUT = 5  # seconds: between two stages, DVC lists no path for less than that


@contextmanager
def no_dvc_writer(paths: Paths) -> Iterator[None]:
    """Run the block if no DVC command is writing the registry's files.

    A DVC command may start while the block runs. If the block then fails over what it has read,
    the error names the DVC command: what was read may have been half-written.

    Args:
        paths: The paths of the registry. The caller holds the write lock.

    Raises:
        FindingsError: A DVC command is writing.
        DvcError: DVC's configuration can't be read.
    """
    _refuse_writer(paths)
    try:
        yield
    except (FindingsError, FileNotFoundError) as error:
        if isinstance(error, FindingsError) and any(f.code == "locked" for f in error.findings):
            raise
        _refuse_writer(paths)
        raise


def _refuse_writer(paths: Paths) -> None:
    root = paths.root
    folders = [root / DATA_ROOT, paths.registry]
    running = dvc_writers(root, folders)
    if not running:
        # A command that holds the lock for longer, such as `dvc push`, lists what it writes.
        with (
            suppress(FindingsError),
            exclude_dvc(root, timeout=_GAP_TIMEOUT, hard_links=has_hard_link_locks(root)),
        ):
            running = dvc_writers(root, folders)
        running = running or dvc_writers(root, folders)
    if running:
        [(pid, command), *_] = running
        shown = f"`{command}`" if command else "a dvc command"
        fail(
            "locked",
            f"{shown} (process {pid}) is running here",
            file=".dvc/tmp/lock",
            hint="wait until it has ended, then run this again; `sceneset doctor` shows what runs",
        )
