"""Atomic writes and bounded reads of files."""

import os
import stat
from pathlib import Path

import pytest

from sceneset.errors import FindingsError
from sceneset.storage.files import atomic_folder, atomic_write, read_bytes, read_text, write_text


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def create_half_a_folder(folder: Path) -> None:
    with atomic_folder(folder) as temporary:
        (temporary / "file").write_bytes(b"half")
        raise ValueError("stop")


def write_half_a_file(path: Path) -> None:
    with atomic_write(path) as temporary:
        temporary.write_bytes(b"half")
        raise ValueError("stop")


def test_atomic_write_replaces_the_file_and_leaves_no_temporary_file(tmp_path):
    path = tmp_path / "new" / "a.txt"
    for content in (b"one", b"two"):
        with atomic_write(path) as temporary:
            temporary.write_bytes(content)
        assert path.read_bytes() == content
    assert names_in(path.parent) == ["a.txt"]


def test_atomic_write_keeps_the_old_content_when_the_block_raises(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"old")
    with pytest.raises(ValueError, match="stop"):
        write_half_a_file(path)
    assert path.read_bytes() == b"old"
    assert names_in(tmp_path) == ["a.txt"]


def test_atomic_write_replaces_a_leftover_when_the_temporary_name_is_fixed(tmp_path):
    path, leftover = tmp_path / "a.txt", tmp_path / "a.part"
    leftover.write_bytes(b"left by a killed process")
    with atomic_write(path, fsync=False, temporary=leftover) as temporary:
        assert temporary == leftover
        assert not leftover.exists()
        temporary.symlink_to("target")
    assert path.readlink() == Path("target")
    assert names_in(tmp_path) == ["a.txt"]


@pytest.mark.parametrize("umask", [0o022, 0o077, 0o002])
def test_atomic_writes_use_the_umask_for_permissions(tmp_path, umask):
    before = os.umask(umask)
    try:
        write_text(tmp_path / "a.txt", "text")
        with atomic_folder(tmp_path / "folder"):
            pass
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == 0o666 & ~umask
    assert stat.S_IMODE((tmp_path / "folder").stat().st_mode) == 0o777 & ~umask


def test_atomic_folder_creates_nothing_when_the_block_raises(tmp_path):
    with pytest.raises(ValueError, match="stop"):
        create_half_a_folder(tmp_path / "a")
    assert names_in(tmp_path) == []


def test_atomic_folder_replaces_a_leftover_and_refuses_an_existing_folder(tmp_path):
    leftover = tmp_path / ".a.part"
    leftover.mkdir()
    (leftover / "old").write_bytes(b"left by a killed process")
    with atomic_folder(tmp_path / "a", temporary=leftover) as temporary:
        (temporary / "new").write_bytes(b"")
    assert names_in(tmp_path / "a") == ["new"]
    with pytest.raises(OSError, match="not empty"), atomic_folder(tmp_path / "a"):
        pass
    assert names_in(tmp_path) == ["a"]


def test_write_text_keeps_line_ends_and_writes_utf_8(tmp_path):
    write_text(tmp_path / "a.txt", "滑雪\r\nski\n")
    assert (tmp_path / "a.txt").read_bytes() == "滑雪\r\nski\n".encode()


def test_read_functions_report_the_size_the_encoding_and_a_missing_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"ab\ncd\xff")
    assert read_bytes(path, "a.txt", limit=6) == b"ab\ncd\xff"
    for read in (
        lambda: read_bytes(path, "a.txt", limit=5),
        lambda: read_text(path, "a.txt"),
        lambda: read_text(tmp_path / "absent", "absent", hint="make it"),
    ):
        with pytest.raises(FindingsError) as caught:
            read()
        [found] = caught.value.findings
        assert (found.code, found.row, found.hint) in {
            ("file-unreadable", None, ""),
            ("file-unreadable", 2, "save the file as UTF-8"),
            ("file-missing", None, "make it"),
        }
