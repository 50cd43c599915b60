"""The index of look-ups when it is damaged, built by several processes, or its writer is killed."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sceneset.catalog import index_builder
from sceneset.catalog.index_builder import open_index
from sceneset.errors import FindingsError
from sceneset.storage.locking import exclusive_lock
from support.build import NAME, ROOT
from support.texts import (
    ONE_SAMPLE,
    OTHER_NAME,
    TWO_SAMPLES,
    indexed_samples,
    is_index_current,
    record_indexed_subsets,
    text_registry,
)
from support.waiting import wait_until

PROGRAMS = ROOT / "tests/programs"


@pytest.fixture
def root(monkeypatch) -> Iterator[Path]:
    monkeypatch.setattr(index_builder, "_MIN_AGE", -(10**12))
    with text_registry(**{NAME: ONE_SAMPLE, OTHER_NAME: ONE_SAMPLE}) as folder:
        yield folder


@pytest.mark.parametrize(
    "data", [b"", b"no index", b"SQLite format 3\0" + bytes(4000)], ids=["empty", "text", "zeros"]
)
def test_index_is_rebuilt_when_the_file_is_not_a_database(root, data):
    open_index(root)
    (root / ".sceneset/index.sqlite").write_bytes(data)
    assert len(indexed_samples(open_index(root))) == 2
    assert is_index_current(root)


@pytest.mark.parametrize("table", ["samples", "row", "name", "scene"])
def test_index_is_rebuilt_when_a_table_is_damaged(root, table):
    open_index(root)
    damage_table(root, table)
    assert is_index_current(root)
    index = open_index(root)
    assert len(indexed_samples(index, scenes=["ski"])) == 2
    assert len(index.rows(index.resolve_query())) == 26
    assert {"ski"} <= {scene["key"] for scene in index.scenes()}
    assert len(indexed_samples(open_index(root), scenes=["ski"])) == 2


def damage_table(root: Path, table: str) -> None:
    """Overwrite the root pages of a table and its indexes."""
    path = root / ".sceneset/index.sqlite"
    with sqlite3.connect(path) as connection:
        [(size,)] = connection.execute("PRAGMA page_size").fetchall()
        statement = "SELECT rootpage FROM sqlite_master WHERE tbl_name = ?"
        pages = [page for (page,) in connection.execute(statement, [table])]
    with path.open("r+b") as file:
        for page in pages:
            file.seek((page - 1) * size)
            file.write(b"x" * size)


def block_lock_file(root: Path) -> None:
    """Put a folder in the place of the lock file, so that no process can write the index."""
    (root / ".sceneset/index.lock").unlink()
    (root / ".sceneset/index.lock").mkdir()


def test_index_is_built_in_memory_when_it_is_damaged_and_cannot_be_replaced(root):
    open_index(root)
    damage_table(root, "samples")
    block_lock_file(root)
    before = (root / ".sceneset/index.sqlite").read_bytes()
    assert len(indexed_samples(open_index(root), scenes=["ski"])) == 2
    assert (root / ".sceneset/index.sqlite").read_bytes() == before


def test_index_file_is_not_rebuilt_when_the_caller_made_a_mistake(root):
    index = open_index(root)
    before = (root / ".sceneset/index.sqlite").stat().st_ino
    index.connection.close()
    with pytest.raises(sqlite3.ProgrammingError):
        indexed_samples(index)
    assert (root / ".sceneset/index.sqlite").stat().st_ino == before


def test_index_is_rebuilt_when_it_does_not_name_the_files_it_was_built_from(root):
    open_index(root)
    with sqlite3.connect(root / ".sceneset/index.sqlite") as connection:
        connection.executescript("DELETE FROM file; DELETE FROM samples;")
    assert len(indexed_samples(open_index(root))) == 2


def test_index_is_rebuilt_when_it_has_another_format(root):
    open_index(root)
    with sqlite3.connect(root / ".sceneset/index.sqlite") as connection:
        connection.execute("PRAGMA user_version = 99")
        connection.execute("DROP TABLE row")
    assert len(indexed_samples(open_index(root))) == 2
    assert is_index_current(root)


def test_index_is_built_in_memory_when_the_folder_cannot_be_created(root):
    (root / ".sceneset").write_text("a file of the user")
    assert len(indexed_samples(open_index(root))) == 2
    assert (root / ".sceneset").read_text() == "a file of the user"


def test_index_in_memory_reads_only_the_subset_that_changed(root, monkeypatch):
    open_index(root)
    block_lock_file(root)
    names = record_indexed_subsets(monkeypatch)
    (root / f"registry/tags/{NAME}.csv").write_text(TWO_SAMPLES)
    assert len(indexed_samples(open_index(root))) == 3
    assert names == [NAME]


@pytest.mark.parametrize("place", ["index.sqlite", "index.lock", "index.part"])
@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "link", "broken link"])
def test_open_index_neither_blocks_nor_follows_links_when_a_special_file_is_in_its_place(
    root, place, kind
):
    planted = root / ".sceneset" / place
    planted.parent.mkdir()
    (root / "target").write_text("a file of the user")
    if kind == "pipe":
        os.mkfifo(planted)
    elif kind == "folder":
        planted.mkdir()
    else:
        targets = {"device": "/dev/zero", "link": root / "target", "broken link": root / "new"}
        planted.symlink_to(targets[kind])
    for _ in range(2):
        command = [sys.executable, str(PROGRAMS / "count_indexed_samples.py"), str(root)]
        done = subprocess.run(command, check=True, capture_output=True, timeout=60)
        assert done.stdout == b"2\n"
    assert (root / "target").read_text() == "a file of the user"
    assert not (root / "new").exists()


def test_open_index_leaves_no_temporary_file_when_the_vocabulary_is_broken(root):
    open_index(root)
    (root / "registry/scenes.yaml").write_text("scenes: 1")
    with pytest.raises(FindingsError):
        open_index(root)
    assert not list((root / ".sceneset").glob("*.part"))


def test_open_index_builds_in_memory_when_another_process_holds_the_lock_for_long(
    root, monkeypatch
):
    monkeypatch.setattr(index_builder, "_LOCK_TIMEOUT", 1.5)
    notices: list[str] = []
    with exclusive_lock(root / ".sceneset/index.lock"):
        assert len(indexed_samples(open_index(root, notify=notices.append))) == 2
    [notice] = notices
    assert "waiting" in notice
    assert not (root / ".sceneset/index.sqlite").exists()


def test_index_is_unchanged_when_its_writer_is_killed(root):
    open_index(root)
    (root / f"registry/tags/{NAME}.csv").write_text(TWO_SAMPLES)
    before = (root / ".sceneset/index.sqlite").read_bytes()
    command = [sys.executable, str(PROGRAMS / "kill_index_writer.py"), str(root)]
    done = subprocess.run(command, check=False)
    assert done.returncode == -signal.SIGKILL
    assert (root / ".sceneset/index.part").exists()
    assert (root / ".sceneset/index.sqlite").read_bytes() == before
    assert len(indexed_samples(open_index(root))) == 3
    assert is_index_current(root)
    assert not (root / ".sceneset/index.part").exists()


def test_index_is_built_once_when_several_threads_wait_for_the_same_writer(root, monkeypatch):
    replaced, names, notices = [], [], []
    replace_file = index_builder._replace_file
    insert_subset = index_builder._Updater._insert_subset

    def replace_and_record(*args, **options):
        replaced.append(1)
        return replace_file(*args, **options)

    def insert_when_others_wait(updater, name):
        names.append(name)
        assert wait_until(lambda: len(notices) == 2)
        insert_subset(updater, name)

    monkeypatch.setattr(index_builder, "_replace_file", replace_and_record)
    monkeypatch.setattr(index_builder._Updater, "_insert_subset", insert_when_others_wait)
    threads = [
        threading.Thread(target=open_index, args=[root], kwargs={"notify": notices.append})
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(names) == [NAME, OTHER_NAME]
    assert replaced == [1]


def test_several_processes_get_an_index_when_they_build_it_at_once(root):
    command = [sys.executable, str(PROGRAMS / "count_indexed_samples.py"), str(root)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(4)]
    assert [process.communicate(timeout=60)[0] for process in processes] == [b"2\n"] * 4


def test_several_threads_get_an_index_when_they_build_it_at_once(root):
    counts: list[int] = []
    threads = [
        threading.Thread(target=lambda: counts.append(len(indexed_samples(open_index(root)))))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [2] * 4


def test_open_index_keeps_its_results_when_another_process_replaces_the_file(root):
    early = open_index(root)
    (root / f"registry/tags/{NAME}.csv").write_text(TWO_SAMPLES)
    late = open_index(root)
    assert is_index_current(root)
    assert len(indexed_samples(late)) == 3
    assert len(indexed_samples(early)) == 2
