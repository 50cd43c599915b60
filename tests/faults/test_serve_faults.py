"""The index of samples when its writers are killed or meet, and the server when it is stopped."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import pytest

from sceneset.catalog import sample_index_builder
from sceneset.catalog.reader import Catalog
from sceneset.catalog.sample_index_builder import open_sample_index
from support.build import NAME, ROOT
from support.texts import ONE_SAMPLE, OTHER_NAME, TWO_SAMPLES, text_registry

KILLED = ROOT / "tests/programs/kill_sample_index_writer.py"


def kill_writer(root: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(KILLED), str(root)], capture_output=True, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


def sizes(root: Path) -> list[int]:
    return [row["samples"] for row in open_sample_index(Catalog(root)).subsets]


@pytest.mark.parametrize("is_first", [True, False], ids=["the first time", "an update"])
def test_index_survives_a_killed_writer(is_first):
    with text_registry(**{NAME: ONE_SAMPLE, OTHER_NAME: ONE_SAMPLE}) as root:
        path = root / ".sceneset/index.db"
        if not is_first:
            assert sizes(root) == [1, 1]
            before = path.read_bytes()
            (root / f"registry/tags/{NAME}.csv").write_text(TWO_SAMPLES)
        kill_writer(root)
        if is_first:
            assert not path.exists()
        else:
            assert path.read_bytes() == before
        assert sizes(root) == ([1, 1] if is_first else [2, 1])
        with sqlite3.connect(path) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        left = {file.name for file in path.parent.iterdir()}
        assert left == {"index.db", "index.db.lock"}


def test_processes_that_build_at_once_build_once(monkeypatch):
    written: list[str] = []
    insert = sample_index_builder._Updater._insert

    def insert_and_record(updater, connection, name, number):
        written.append(name)
        insert(updater, connection, name, number)

    monkeypatch.setattr(sample_index_builder._Updater, "_insert", insert_and_record)
    with text_registry(**{NAME: TWO_SAMPLES, OTHER_NAME: ONE_SAMPLE}) as root:
        found: list[list[int]] = []
        threads = [threading.Thread(target=lambda: found.append(sizes(root))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == [[2, 1]] * 4
        assert sorted(written) == [NAME, OTHER_NAME]


def test_server_ends_cleanly_on_ctrl_c(added):
    words = [sys.executable, "-m", "sceneset", "serve", "--port", "0"]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    # Without this setting, Python keeps what it prints into a pipe.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with subprocess.Popen(words, cwd=added, env=environment, **streams) as child:
        limit = threading.Timer(60, child.kill)
        limit.start()
        try:
            assert child.stdout
            url = child.stdout.readline().strip()
            assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", url)
            with urllib.request.urlopen(f"{url}api/summary", timeout=30) as answer:
                assert json.load(answer)["samples"] == 4
            child.send_signal(signal.SIGINT)
            _, printed = child.communicate(timeout=60)
        finally:
            limit.cancel()
            child.kill()
    assert child.returncode == 0, printed
    assert "Traceback" not in printed
