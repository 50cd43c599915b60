"""The index of look-ups when it is damaged, made by several at once, or its maker is killed."""

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sceneset.catalog import index_builder as indexing
from sceneset.catalog.index_builder import open_index
from sceneset.errors import FindingsError
from sceneset.storage.locking import alone
from support.build import NAME
from support.texts import MORE, OTHER, TEXT, kept, read_subsets, samples, text_registry


@pytest.fixture
def root(monkeypatch) -> Iterator[Path]:
    monkeypatch.setattr(indexing, "_SETTLED", -(10**12))
    with text_registry(**{NAME: TEXT, OTHER: TEXT}) as made:
        yield made


@pytest.mark.parametrize(
    "damage", [b"", b"no index", b"SQLite format 3\0" + bytes(4000)], ids=["empty", "text", "zeros"]
)
def test_a_damaged_index_is_made_again(root, damage):
    open_index(root)
    path = root / ".sceneset/index.sqlite"
    path.write_bytes(damage)
    assert len(samples(open_index(root))) == 2
    assert kept(root)


@pytest.mark.parametrize("table", ["samples", "row", "name", "scene"])
def test_an_index_that_is_damaged_within_is_made_again(root, table):
    open_index(root)
    _damage(root, table)
    assert kept(root)
    index = open_index(root)
    assert len(samples(index, scenes=["ski"])) == 2
    assert len(index.rows(index.ask())) == 26
    assert {"ski"} <= {scene["key"] for scene in index.scenes()}
    assert len(samples(open_index(root), scenes=["ski"])) == 2


def _damage(root: Path, table: str) -> None:
    """Write over the first page of a table."""
    path = root / ".sceneset/index.sqlite"
    with sqlite3.connect(path) as connection:
        [(size,)] = connection.execute("PRAGMA page_size").fetchall()
        query = "SELECT rootpage FROM sqlite_master WHERE tbl_name = ?"
        pages = [page for (page,) in connection.execute(query, [table])]
    with path.open("r+b") as file:
        for page in pages:
            file.seek((page - 1) * size)
            file.write(b"x" * size)


def test_a_damaged_index_that_may_not_be_replaced_is_made_in_memory(root):
    open_index(root)
    _damage(root, "samples")
    (root / ".sceneset/index.lock").unlink()
    (root / ".sceneset/index.lock").mkdir()
    before = (root / ".sceneset/index.sqlite").read_bytes()
    assert len(samples(open_index(root), scenes=["ski"])) == 2
    assert (root / ".sceneset/index.sqlite").read_bytes() == before


def test_a_mistake_of_whoever_asks_costs_no_index(root):
    index = open_index(root)
    before = (root / ".sceneset/index.sqlite").stat().st_ino
    index.connection.close()
    with pytest.raises(sqlite3.ProgrammingError):
        samples(index)
    assert (root / ".sceneset/index.sqlite").stat().st_ino == before


def test_an_index_that_says_of_no_file_what_it_is_made_of_is_not_believed(root):
    open_index(root)
    with sqlite3.connect(root / ".sceneset/index.sqlite") as connection:
        connection.executescript("DELETE FROM file; DELETE FROM samples;")
    assert len(samples(open_index(root))) == 2


def test_an_index_of_another_format_is_made_again(root):
    open_index(root)
    with sqlite3.connect(root / ".sceneset/index.sqlite") as connection:
        connection.execute("PRAGMA user_version = 99")
        connection.execute("DROP TABLE row")
    assert len(samples(open_index(root))) == 2
    assert kept(root)


def test_where_nothing_can_be_written_it_is_made_in_memory(root):
    (root / ".sceneset").write_text("in the way")
    assert len(samples(open_index(root))) == 2
    assert (root / ".sceneset").read_text() == "in the way"


def test_in_memory_only_the_changed_subset_is_read_again(root, monkeypatch):
    open_index(root)
    (root / ".sceneset/index.lock").unlink()
    (root / ".sceneset/index.lock").mkdir()  # as where nothing may be written
    read = read_subsets(monkeypatch)
    (root / f"registry/tags/{NAME}.csv").write_text(MORE)
    assert len(samples(open_index(root))) == 3
    assert read == [NAME]


@pytest.mark.parametrize("place", ["index.sqlite", "index.lock", "index.part"])
@pytest.mark.parametrize("what", ["pipe", "device", "folder", "link", "nowhere"])
def test_what_somebody_put_in_its_place_is_not_waited_for_nor_written_to(root, place, what):
    planted = root / ".sceneset" / place
    planted.parent.mkdir()
    (root / "his").write_text("his own")
    if what == "pipe":
        os.mkfifo(planted)
    elif what == "folder":
        planted.mkdir()
    else:
        targets = {"device": "/dev/zero", "link": root / "his", "nowhere": root / "new"}
        planted.symlink_to(targets[what])
    code = (
        "import sys; from sceneset.catalog.index_builder import open_index;"
        "i = open_index(sys.argv[1]); print(sum(len(f.stems) for f in i.samples(i.ask())))"
    )
    for _ in range(2):
        command = [sys.executable, "-c", code, str(root)]
        done = subprocess.run(command, check=True, capture_output=True, timeout=60)
        assert done.stdout == b"2\n"
    assert (root / "his").read_text() == "his own"
    assert not (root / "new").exists()


def test_what_fails_leaves_nothing_behind(root):
    open_index(root)
    (root / "registry/scenes.yaml").write_text("scenes: 1")
    with pytest.raises(FindingsError):
        open_index(root)
    assert not list((root / ".sceneset").glob("*.part"))


def test_a_writer_that_was_stopped_hinders_nobody_for_long(root, monkeypatch, capsys):
    monkeypatch.setattr(indexing, "_PATIENCE", 1.5)
    with alone(root / ".sceneset/index.lock"):
        assert len(samples(open_index(root))) == 2
    assert "waiting" in capsys.readouterr().err
    assert not (root / ".sceneset/index.sqlite").exists()


def test_a_writer_that_was_killed_leaves_the_index_as_it_was(root):
    open_index(root)
    code = (
        "import os, signal, sys; from pathlib import Path; from sceneset.catalog import index_builder as indexing;"
        "subset = indexing._Writer._subset;"
        "indexing._Writer._subset = lambda s, n: (subset(s, n),"
        " s.connection.execute('PRAGMA cache_spill = 1'),"
        " s.connection.execute('PRAGMA cache_size = 1'),"
        " s.connection.executemany('INSERT INTO row VALUES (?, ?, 0, 0, 0, ?)',"
        " (('x', k, 'y' * 4000) for k in range(200))), os.kill(os.getpid(), signal.SIGKILL));"
        "indexing.open_index(Path(sys.argv[1]))"
    )
    (root / f"registry/tags/{NAME}.csv").write_text(MORE)
    done = subprocess.run([sys.executable, "-c", code, str(root)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert (root / ".sceneset/index.part").exists()
    assert len(samples(open_index(root))) == 3
    assert kept(root)
    assert not (root / ".sceneset/index.part").exists()


def test_who_waits_for_a_writer_finds_the_work_done(root, monkeypatch):
    read, made = read_subsets(monkeypatch, pause=0.3), []
    replaced = indexing._replaced
    monkeypatch.setattr(
        indexing, "_replaced", lambda *args, **more: (made.append(1), replaced(*args, **more))[1]
    )
    waiting = [threading.Thread(target=open_index, args=[root]) for _ in range(3)]
    for thread in waiting:
        thread.start()
    for thread in waiting:
        thread.join()
    assert sorted(read) == [NAME, OTHER]
    assert made == [1]


def test_many_processes_may_build_it_at_once(root):
    code = (
        "import sys; from pathlib import Path;"
        "from sceneset.catalog.index_builder import open_index;"
        "i = open_index(Path(sys.argv[1])); print(sum(len(f.stems) for f in i.samples(i.ask())))"
    )
    command = [sys.executable, "-c", code, str(root)]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(4)]
    assert [process.communicate(timeout=60)[0] for process in started] == [b"2\n"] * 4


def test_threads_may_ask_while_it_is_built(root):
    found: list[int] = []
    started = [
        threading.Thread(target=lambda: found.append(len(samples(open_index(root)))))
        for _ in range(4)
    ]
    for thread in started:
        thread.start()
    for thread in started:
        thread.join()
    assert found == [2] * 4


def test_who_holds_it_open_keeps_his_answers_and_hinders_nobody(root):
    early = open_index(root)
    (root / f"registry/tags/{NAME}.csv").write_text(MORE)
    late = open_index(root)
    assert kept(root)
    assert len(samples(late)) == 3
    assert len(samples(early)) == 2
