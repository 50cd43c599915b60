"""Files read whole and written whole: never half a file, never a surprise in size or text."""

import fcntl
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sceneset.errors import fail

MAX_TEXT = 1 << 30
"""Bytes of the largest text file that is read: the tags of about 10 million samples."""


def read_text(path: Path, shown: str, *, limit: int = MAX_TEXT, hint: str = "") -> str:
    """Return the UTF-8 text of a regular file.

    Raises:
        ProblemsFoundError: it is missing, no file, larger than ``limit`` bytes, or not UTF-8.
    """
    data = read_bytes(path, shown, limit=limit, hint=hint)
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
    """Return the bytes of a regular file of at most ``limit`` bytes."""
    data = first_bytes(path, shown, limit + 1, hint=hint)
    if len(data) > limit:
        fail("file-unreadable", f"is larger than {limit:,} bytes", file=shown, hint=hint)
    return data


def first_bytes(path: Path, shown: str, most: int, *, hint: str = "") -> bytes:
    """Return at most so many bytes of a regular file.

    Raises:
        ProblemsFoundError: it is missing, no file, or can't be read.
    """
    try:
        with open(path, "rb", opener=open_regular) as file:
            # Asking for what there is, not for the most: read() reserves all it is asked for.
            return file.read(min(os.fstat(file.fileno()).st_size + 1, most))
    except FileNotFoundError:
        fail("file-missing", "there is no such file", file=shown, hint=hint)
    except OSError as error:
        fail("file-unreadable", error.strerror or str(error), file=shown, hint=hint)


def md5_of(data: bytes) -> str:
    """Return the content hash DVC gives these bytes."""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def open_regular(path: str | Path, flags: int) -> int:
    """Open without waiting on a pipe or device that stands where a file should."""
    descriptor = os.open(path, flags | os.O_NONBLOCK | os.O_CLOEXEC, 0o666)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(0, "is not a regular file")
    return descriptor


def write_text(path: Path, text: str, *, lasting: bool = True) -> None:
    """Put ``text`` at ``path`` whole or not at all, in UTF-8 with the line ends it has.

    ``lasting`` waits for the disk: what stages make again need not outlive a power cut.
    """
    with replacing(path, lasting=lasting) as aside:
        aside.write_bytes(text.encode())


@contextmanager
def replacing(path: Path, *, lasting: bool = True) -> Iterator[Path]:
    """Lend a path beside ``path`` that takes its place when the block ends well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name[:100]}.", suffix=".part", dir=path.parent)
    os.close(handle)
    aside = Path(name)
    try:
        yield aside
        aside.chmod(0o666 & ~_umask())
        if lasting:
            with aside.open("rb") as file:
                os.fsync(file.fileno())
        aside.replace(path)
        if lasting:
            sync_folder(path.parent)
    finally:
        aside.unlink(missing_ok=True)


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Lend a folder beside ``path`` that becomes it when the block ends well.

    Raises:
        OSError: something stands at ``path`` that is no empty folder.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=f".{path.name[:100]}.", suffix=".part", dir=path.parent))
    try:
        yield aside
        aside.chmod(0o777 & ~_umask())
        aside.replace(path)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


_FICLONE = 0x40049409  # linux/fs.h: share the blocks of another file


def copy_file(source: Path, target: Path) -> None:
    """Copy a plain file's bytes; where the file system can, both share their blocks."""
    with open(source, "rb", opener=open_regular) as whole, target.open("wb") as copy:
        try:
            fcntl.ioctl(copy.fileno(), _FICLONE, whole.fileno())
        except OSError:
            shutil.copyfileobj(whole, copy, 1 << 20)


def sync_folder(folder: Path) -> None:
    """Make renames in ``folder`` outlive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _umask() -> int:
    current = os.umask(0o022)
    os.umask(current)
    return current
