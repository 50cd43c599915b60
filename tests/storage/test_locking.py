"""Locks between processes: waiting, timeouts, and files that can't be locks."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from sceneset.api import Registry
from sceneset.errors import FindingsError
from sceneset.storage.files import open_regular
from sceneset.storage.locking import (
    destination_lock,
    exclusive_lock,
    is_lent_to_this_process,
    lending_environment,
    stage_lock,
    write_lock,
)
from support.build import NAME

HOLDER = Path(__file__).parents[1] / "programs/hold_lock.py"


@pytest.fixture
def held(tmp_path):
    """Return a lock file that another process holds, and that process."""
    lock = tmp_path / "lock"
    command = [sys.executable, str(HOLDER), str(lock)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"locked\n"
        yield lock, holder
        holder.kill()


def test_exclusive_lock_raises_timeout_error_when_another_process_holds_it(held):
    lock, _ = held
    with pytest.raises(TimeoutError), exclusive_lock(lock, timeout=0.2):
        pass


def test_exclusive_lock_is_free_when_its_holder_is_killed(held):
    lock, holder = held
    holder.kill()
    holder.wait()
    with exclusive_lock(lock, timeout=0):
        assert lock.is_file()


def test_exclusive_lock_notifies_once_when_the_wait_is_long(held):
    lock, holder = held
    messages = []

    def notify(message):
        messages.append(message)
        holder.stdin.close()  # the holder releases the lock

    with exclusive_lock(lock, timeout=60, message="waiting for it", notify=notify):
        assert messages == ["waiting for it"]


def test_exclusive_lock_admits_one_thread_at_a_time(tmp_path):
    inside, most = [], []

    def work():
        with exclusive_lock(tmp_path / "lock"):
            inside.append(1)
            time.sleep(0.02)  # so that a thread that does not wait is inside by now
            most.append(len(inside))
            inside.pop()

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 8


@pytest.mark.parametrize("kind", ["pipe", "device", "folder", "link", "broken link"])
def test_locks_refuse_a_path_when_it_is_not_a_regular_file(tmp_path, kind):
    lock, target = tmp_path / "lock", tmp_path / "target"
    if kind == "pipe":
        os.mkfifo(lock)
    elif kind == "folder":
        lock.mkdir()
    else:
        lock.symlink_to("/dev/zero" if kind == "device" else target)
    if kind == "link":
        target.write_bytes(b"content")
    for open_lock in (lambda: exclusive_lock(lock), lambda: write_lock(tmp_path)):
        with pytest.raises((OSError, FindingsError)), open_lock():
            pass
    assert kind == "link" or not target.exists()
    assert kind != "link" or target.read_bytes() == b"content"


def test_destination_lock_admits_one_and_leaves_no_file(tmp_path):
    to = tmp_path / "new/out"
    with destination_lock(to):
        with pytest.raises(FindingsError) as caught, destination_lock(to):
            pass
        with destination_lock(tmp_path / "new/other"):
            pass
        assert [path.name for path in to.parent.iterdir()] == [".out.lock"]
    assert list(to.parent.iterdir()) == []
    [found] = caught.value.findings
    assert (found.code, found.file) == ("locked", str(to))


def test_destination_lock_is_free_when_its_holder_was_killed(tmp_path):
    to = tmp_path / "out"
    program = (
        "import os, signal, sys; from pathlib import Path\n"
        "from sceneset.storage.locking import destination_lock\n"
        "with destination_lock(Path(sys.argv[1])): os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert subprocess.run([sys.executable, "-c", program, to], check=False).returncode == -9
    assert (tmp_path / ".out.lock").exists()
    with destination_lock(to):
        pass
    assert list(tmp_path.iterdir()) == []


def test_destination_lock_is_not_the_deleted_file_of_another_holder(tmp_path, monkeypatch):
    """The last holder deletes the file between our opening and locking it."""
    to, opened = tmp_path / "out", []

    def open_and_lose(path, flags):
        descriptor = open_regular(path, flags)
        opened.append(descriptor)
        if len(opened) == 1:
            path.unlink()
        return descriptor

    monkeypatch.setattr("sceneset.storage.locking.open_regular", open_and_lose)
    with destination_lock(to):
        assert (tmp_path / ".out.lock").exists()
    assert len(opened) == 2


def test_write_lock_is_held_until_a_child_with_its_descriptor_ends(tmp_path):
    with write_lock(tmp_path) as descriptor:
        child = subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=[descriptor])
    with pytest.raises(FindingsError) as caught, write_lock(tmp_path):
        pass
    assert [found.code for found in caught.value.findings] == ["locked"]
    child.communicate()
    with write_lock(tmp_path):
        pass


def test_command_reports_a_locked_registry_when_another_command_is_writing(added, sceneset):
    with write_lock(Registry(added).paths.work):
        outcome = sceneset("forget", f"{NAME}/train/a", "--reason", "x", cwd=added)
    assert outcome.code == 1
    assert "[locked]" in outcome.err


def test_stages_share_the_lock_and_keep_commands_away(tmp_path):
    stages = stage_lock(tmp_path, timeout=0), stage_lock(tmp_path, timeout=0)
    with stages[0], stages[1], pytest.raises(FindingsError), write_lock(tmp_path):
        pass
    with write_lock(tmp_path):
        pass


def test_stage_lock_sweeps_only_when_nothing_else_runs(tmp_path):
    swept = []
    first = stage_lock(tmp_path, sweep=lambda: swept.append(1))
    with first, stage_lock(tmp_path, sweep=lambda: swept.append(2)):
        pass
    assert swept == [1]


def test_stage_lock_fails_and_names_the_command_that_holds_the_lock(tmp_path):
    program = "\n".join(
        [
            "import sys; from pathlib import Path",
            "from sceneset.storage.locking import write_lock",
            "with write_lock(Path(sys.argv[3])):",
            "    print('locked', flush=True); sys.stdin.read()",
        ]
    )
    script = tmp_path / "sceneset"
    script.write_text(program)
    command = [sys.executable, str(script), "fix", "web", str(tmp_path / "work")]
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, **streams) as holder:
        assert holder.stdout.readline() == b"locked\n"
        with pytest.raises(FindingsError) as caught, stage_lock(tmp_path / "work", timeout=0.2):
            pass
        holder.kill()
    [found] = caught.value.findings
    assert found.code == "locked"
    assert found.message.startswith(f"`sceneset fix web {tmp_path}/work")
    assert f"(process {holder.pid}) is writing here" in found.message


_STAGE = """
import sys
from pathlib import Path
from sceneset.storage.locking import is_lent_to_this_process
print(is_lent_to_this_process(Path(sys.argv[1])))
"""


def test_lock_is_lent_to_grandchildren_that_do_not_inherit_the_descriptor(tmp_path, monkeypatch):
    """DVC closes all descriptors when it starts a stage."""
    command = [sys.executable, "-c", _STAGE, str(tmp_path)]
    between = f"import subprocess; subprocess.run({command!r}, check=True, close_fds=True)"
    with write_lock(tmp_path) as descriptor:
        run = {"capture_output": True, "text": True}
        lent = {"pass_fds": [descriptor], "env": os.environ | lending_environment(descriptor)}
        done = subprocess.run([sys.executable, "-c", between], check=True, **run, **lent)
        assert done.stdout == "True\n"
        done = subprocess.run([sys.executable, "-c", between], check=True, **run)
        assert done.stdout == "False\n"
    for claimed in ("1", "no number", str(descriptor)):
        monkeypatch.setenv("SCENESET_LOCK", claimed)
        assert not is_lent_to_this_process(tmp_path)
