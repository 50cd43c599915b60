"""List and read the members of zip and tar archives, which may come from anybody.

Names are checked before they become paths, and every bound is checked before memory or disk is
used for it.
"""

import gzip
import re
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import NamedTuple, Protocol

ARCHIVE_ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz")
OTHER_ENDINGS = (".7z", ".rar", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst", ".tzst")
"""Endings of archives that are not read."""
_MAX_PART = 255  # bytes of UTF-8 in the name of a file or folder, a limit of file systems
_MAX_NAME = 1024  # bytes of UTF-8 in a path
_MAX_DIRECTORY = 1 << 30  # bytes of the list of members in a zip
_MAX_READ = 8 << 20  # bytes that tarfile may ask for at once: headers are read as a whole
_CHUNK = 1 << 20
_READ_ERRORS = (
    *(zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, OSError, struct.error),
    *(NotImplementedError, RuntimeError, ValueError, OverflowError, MemoryError, AttributeError),
)
"""What the libraries raise for broken archives; also for methods of compression they don't know."""


class Source(Protocol):
    """The content of a member."""

    def read(self, size: int, /) -> bytes:
        """Return the next bytes."""


class BrokenArchiveError(ValueError):
    """An archive as a whole can't be read; the message is for a finding."""


class Member(NamedTuple):
    """A file in an archive."""

    name: str
    """The name as it is written in the archive."""
    parts: tuple[str, ...]
    """The folders and the name of the file to write; empty if there is a problem."""
    size: int
    """In bytes, as the archive declares it."""
    problem: str
    """Why the member can't be extracted, or ""."""
    is_guessed: bool
    """Whether the archive does not say how its name is encoded, and it is no ASCII."""
    open: Callable[[], Source]


def members(path: Path, passed: Callable[[int], None] | None = None) -> Iterator[Member]:
    """Yield the files of an archive in their order; each must be read before the next one.

    Args:
        path: The archive.
        passed: Called before each file of a tar with the bytes of the archive that were read. The
            list of a zip is read at once.

    Raises:
        BrokenArchiveError: The archive is truncated, damaged or of another kind.
    """
    with reading():
        if path.suffix.lower() == ".zip":
            yield from _zip_members(path)
        else:
            yield from _tar_members(path, passed)


@contextmanager
def reading() -> Iterator[None]:
    """Turn the exceptions of the libraries into one.

    Raises:
        BrokenArchiveError: The archive can't be read.
    """
    try:
        yield
    except BrokenArchiveError:
        raise
    except _READ_ERRORS as error:
        text = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise BrokenArchiveError(f"is truncated or damaged: {text[:200]}") from None


def safe_parts(name: str) -> tuple[str, ...]:
    """Return the parts of a member's name as a path that stays in its folder.

    Raises:
        ValueError: The name leads elsewhere, or can't be a path.
    """
    name = name.replace("\\", "/")
    if name.startswith("/") or re.match(r"[A-Za-z]:", name):
        raise ValueError("its name is an absolute path")
    parts = tuple(part for part in name.split("/") if part not in {"", "."})
    if ".." in parts:
        raise ValueError("its name leads out of the archive's folder ('..')")
    if not parts:
        raise ValueError("it has no name")
    if any(ord(c) < 32 or ord(c) == 127 for c in name):
        raise ValueError("its name has a control character")
    lengths = [len(part.encode("utf-8", "surrogateescape")) for part in parts]
    if max(lengths) > _MAX_PART or sum(lengths) + len(parts) > _MAX_NAME:
        raise ValueError("its name is too long")
    return parts


def _member(
    raw: str, size: int, problem: str, opener: Callable[[], Source], *, is_guessed: bool = False
) -> Member:
    parts: tuple[str, ...] = ()
    if not problem:
        try:
            parts = safe_parts(raw)
        except ValueError as error:
            problem = str(error)
    return Member(raw, parts, size, problem, is_guessed, opener)


def _decoded(raw: bytes) -> tuple[str, bool]:
    """Return a name whose encoding the archive does not say, and whether it had to be guessed.

    Programs on macOS and Linux write UTF-8, those on Chinese Windows GBK.
    """
    for encoding in ("utf-8", "gb18030", "cp437"):
        try:
            return raw.decode(encoding), encoding != "utf-8"
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1"), True


def _zip_members(path: Path) -> Iterator[Member]:
    _check_directory(path)
    with zipfile.ZipFile(path) as opened:
        for info in opened.infolist():
            name, is_guessed = info.filename, False
            if not info.flag_bits & 0x800:
                raw = info.orig_filename.encode("cp437", "replace")
                # A field of its own may have given the name in UTF-8 already.
                is_replaced = info.filename != info.orig_filename.split("\0")[0]
                name, is_guessed = (info.filename, False) if is_replaced else _decoded(raw)
            elif "\0" in info.orig_filename:
                name = info.orig_filename
            if info.is_dir() or name.endswith("\\"):
                continue
            kind = stat.S_IFMT(info.external_attr >> 16) if info.create_system == 3 else 0
            problem = ""
            if kind not in {0, stat.S_IFREG}:
                problem = "it is a link" if kind == stat.S_IFLNK else "it is not a regular file"
            elif info.flag_bits & 0x1:
                problem = "it is encrypted"
            yield _member(
                name,
                info.file_size,
                problem,
                partial(opened.open, info),
                is_guessed=is_guessed,
            )


def _check_directory(path: Path) -> None:
    """Refuse a zip with a list of members that is too large to be read into memory."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - (1 << 16) - 200))
        end = file.read()
    at = end.rfind(b"PK\5\6")
    if at < 0 or len(end) < at + 22:
        raise BrokenArchiveError("is truncated, or is no zip: its list of members is missing")
    directory = int.from_bytes(end[at + 12 : at + 16], "little")
    large = end.rfind(b"PK\6\6", 0, at)
    if large >= 0:
        directory = max(
            directory % 0xFFFFFFFF, int.from_bytes(end[large + 40 : large + 48], "little")
        )
    if directory > _MAX_DIRECTORY:
        raise BrokenArchiveError(f"has a list of members of {directory:,} bytes; that is too large")


class _Forward:
    """A stream that tarfile reads forward, bounded; it may step back one byte, as tarfile does."""

    def __init__(self, stream: Source) -> None:
        self._stream, self._read, self._at, self._last = stream, 0, 0, b""
        self.block = b""
        """What was read last."""

    def tell(self) -> int:
        return self._at

    def seek(self, position: int) -> int:
        if position < self._read - len(self._last):
            raise BrokenArchiveError("is damaged: a header points backwards")
        self._at = position
        return position

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _MAX_READ:
            raise BrokenArchiveError(f"is damaged: a header has {size:,} bytes")
        while self._at > self._read:
            self._take(min(_CHUNK, self._at - self._read), needs_all=True)
        data = self._last if self._at < self._read and size else b""
        if len(data) < size:
            data += self._take(size - len(data))
        self._at += len(data)
        self.block = data
        return data

    def _take(self, size: int, *, needs_all: bool = False) -> bytes:
        data = self._stream.read(size)
        if needs_all and not data:
            raise EOFError("unexpected end of data")
        self._read += len(data)
        self._last = data[-1:] or self._last
        return data


def _tar_members(path: Path, passed: Callable[[int], None] | None) -> Iterator[Member]:
    is_packed = path.suffix.lower() in {".gz", ".tgz"}
    with path.open("rb") as disk, gzip.open(disk) if is_packed else nullcontext(disk) as stream:
        bounded = _Forward(stream)
        with tarfile.open(fileobj=bounded, mode="r:", encoding="utf-8") as opened:  # type: ignore[call-overload]
            while (info := opened.next()) is not None:
                opened.members.clear()  # tarfile keeps all of them
                if passed:
                    passed(disk.tell())
                if info.isdir():
                    continue
                raw = info.name.encode("utf-8", "surrogateescape")
                name, is_guessed = _decoded(raw)
                problem = ""
                if info.issym() or info.islnk():
                    problem = "it is a link"
                elif not info.isreg():
                    problem = "it is not a regular file"
                elif info.issparse():
                    problem = "it is a sparse file"
                yield _member(
                    name,
                    info.size,
                    problem,
                    partial(_content, opened, info),
                    is_guessed=is_guessed,
                )
            # tarfile takes a damaged header for the end.
            if bounded.block != bytes(tarfile.BLOCKSIZE):
                raise EOFError("a header is damaged, or the end is missing")
        _check_end(stream)


def _content(opened: tarfile.TarFile, info: tarfile.TarInfo) -> Source:
    stream = opened.extractfile(info)
    if stream is None:
        raise tarfile.TarError("it is not a regular file")
    return stream


def _check_end(stream: Source) -> None:
    """Read to the end of the stream: what is compressed has its checksum there."""
    if isinstance(stream, gzip.GzipFile):
        while stream.read(_CHUNK):
            pass
