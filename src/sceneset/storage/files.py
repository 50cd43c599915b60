"""Read and write whole files: limits on size and text, and writes that are atomic.

Every atomic write of sceneset uses `atomic_write` or `atomic_folder`: the content is written under
a temporary name beside its destination and then renamed, so readers see the old or the new
content and never half of it. Temporary names end in ``.part``, which git and DVC ignore.
"""

import fcntl
import hashlib
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sceneset.errors import fail

MAX_TEXT = 1 << 30
"""Largest text file that is read, in bytes: the tags of about 10 million samples."""

_FICLONE = 0x40049409  # linux/fs.h: share the blocks of another file


def read_text(path: Path, shown: str, *, limit: int = MAX_TEXT, hint: str = "") -> str:
    """Return the text of a regular file encoded in UTF-8.

    Args:
        path: The file.
        shown: How findings name the file.
        limit: Largest size that is read, in bytes.
        hint: How to fix a file that is missing or can't be read.

    Raises:
        FindingsError: The file is missing, not a regular file, too large, or not UTF-8.
    """
    return decoded(read_bytes(path, shown, limit=limit, hint=hint), shown)


def decoded(data: bytes, shown: str) -> str:
    """Return bytes as UTF-8 text; a finding names the first line that is not UTF-8."""
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        row = data[: error.start].count(b"\n") + 1
        fail(
            "file-unreadable",
            f"byte {error.start} is not UTF-8",
            file=shown,
            row=row,
            hint="save the file as UTF-8",
        )


def read_bytes(path: Path, shown: str, *, limit: int = MAX_TEXT, hint: str = "") -> bytes:
    """Return the bytes of a regular file; the arguments are those of ``read_text``.

    Raises:
        FindingsError: The file is missing, not a regular file, too large, or can't be read.
    """
    data = first_bytes(path, shown, limit + 1, hint=hint)
    if len(data) > limit:
        fail("file-unreadable", f"is larger than {limit:,} bytes", file=shown, hint=hint)
    return data


def first_bytes(path: Path, shown: str, count: int, *, hint: str = "") -> bytes:
    """Return at most the first ``count`` bytes of a regular file.

    Raises:
        FindingsError: The file is missing, not a regular file, or can't be read.
    """
    try:
        with open(path, "rb", opener=open_regular) as file:
            # read() allocates as much memory as requested, so request no more than the file's size.
            return file.read(min(os.fstat(file.fileno()).st_size + 1, count))
    except FileNotFoundError:
        fail("file-missing", "there is no such file", file=shown, hint=hint)
    except OSError as error:
        fail("file-unreadable", error.strerror or str(error), file=shown, hint=hint)


def md5_of(data: bytes) -> str:
    """Return the content hash that DVC uses for these bytes."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def open_regular(path: str | Path, flags: int) -> int:
    """Open a regular file and return its descriptor; never block on a pipe or a device.

    Raises:
        OSError: The file can't be opened, or is not a regular file.
    """
    descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise not_regular()
    return descriptor


def not_regular() -> OSError:
    """Return the error for a pipe, a device, a link or a folder at the path of a file."""
    return OSError(0, "is not a regular file")


def write_text(path: Path, text: str, *, fsync: bool = True) -> None:
    """Write a UTF-8 file atomically, with the line ends of ``text``; see ``atomic_write``."""
    with atomic_write(path, fsync=fsync) as temporary:
        temporary.write_bytes(text.encode())


@contextmanager
def atomic_write(
    path: Path, *, fsync: bool = True, temporary: Path | None = None
) -> Iterator[Path]:
    """Yield a temporary path for new content, and rename it to ``path`` when the block succeeds.

    The block creates the file (or link) at the temporary path. If the block raises, the temporary
    file is deleted and ``path`` keeps its content.

    Args:
        path: The file to create or replace. Missing parent folders are created.
        fsync: Write the content and the rename to the disk before returning. Files that a
            stage can derive again don't need to survive a power failure.
        temporary: The temporary path, on the file system of ``path``. Without it a random name
            beside ``path`` is used. A fixed name lets the next run remove what a killed process
            left, but only one process at a time may write it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if temporary is None:
        temporary = _temporary_path(path)
    else:
        temporary.unlink(missing_ok=True)
    try:
        yield temporary
        if fsync:
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
        temporary.replace(path)
        if fsync:
            sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(
    path: Path, *, mode: int = 0o777, temporary: Path | None = None
) -> Iterator[Path]:
    """Yield a new temporary folder, and rename it to ``path`` when the block succeeds.

    Args:
        path: The folder to create. Missing parent folders are created.
        mode: Permissions of the folder; the umask is applied.
        temporary: The temporary path; see ``atomic_write``.

    Raises:
        OSError: ``path`` exists and is not an empty folder.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if temporary is None:
        temporary = _temporary_path(path)
    else:
        shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(mode)
    try:
        yield temporary
        temporary.replace(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _temporary_path(path: Path) -> Path:
    """Return an unused name beside ``path``; the pattern is known to those who sweep leftovers."""
    return path.with_name(f".{path.name[:100]}.{os.urandom(6).hex()}.part")


def copy_file(source: Path, target: Path) -> None:
    """Copy the content of a regular file; share disk blocks where the file system supports it."""
    with open(source, "rb", opener=open_regular) as original, target.open("wb") as copy:
        try:
            fcntl.ioctl(copy.fileno(), _FICLONE, original.fileno())
        except OSError:
            shutil.copyfileobj(original, copy, 1 << 20)


def sync_folder(folder: Path) -> None:
    """Write a folder's entries to the disk, so that renames in it survive a power failure."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
