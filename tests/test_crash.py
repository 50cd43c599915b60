"""kill -9 at any step of an add: nothing is lost, and the same command gets to the same end."""

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import NAME, Outcome, git, snapshot

# Every step of registry/add.py goes through one of these; the n-th call of all of them dies.
KILLER = """
import os, sys
from pathlib import Path
from sceneset.registry import add, cli
calls, last = 0, int(sys.argv.pop(1))
def deadly(call):
    def wrapped(*args, **options):
        global calls
        calls += 1
        if calls == last:
            os.kill(os.getpid(), 9)
        result = call(*args, **options)
        calls += 1
        if calls == last:
            os.kill(os.getpid(), 9)
        return result
    return wrapped
for name in ("_build", "add_folders", "write_scan", "write_text", "_list_subset", "sync_folder"):
    setattr(add, name, deadly(getattr(add, name)))
Path.rename = deadly(Path.rename)
add.shutil.copyfile = deadly(add.shutil.copyfile)
add.shutil.rmtree = deadly(add.shutil.rmtree)
sys.exit(cli.main(sys.argv[1:]))
"""


def add_and_die(root: Path, delivery: Path, call: int) -> int:
    words = [sys.executable, "-c", KILLER, str(call), "add", str(delivery), "--name", NAME]
    return subprocess.run(words, cwd=root, capture_output=True, check=False).returncode


@pytest.fixture
def undisturbed(
    registry: Path, delivery: Path, sceneset: Callable[..., Outcome], tmp_path: Path
) -> dict[str, bytes]:
    """What the registry holds after an add that nobody cut off."""
    other = tmp_path / "other"
    subprocess.run(["cp", "-a", registry, other], check=True)
    assert sceneset("add", delivery, "--name", NAME, cwd=other).code == 0
    return snapshot(other)


def test_killed_at_every_step(
    registry: Path,
    delivery: Path,
    undisturbed: dict[str, bytes],
    sceneset: Callable[..., Outcome],
) -> None:
    source, before = snapshot(delivery), snapshot(registry)
    for call in range(1, 200):
        code = add_and_die(registry, delivery, call)
        if code == 0:
            break
        assert code == -signal.SIGKILL
        listed = NAME in (registry / "params.yaml").read_text()
        if listed:
            # Only the journal was left to be removed: the subset is whole.
            assert snapshot(registry) == undisturbed
            git(registry, "clean", "-fdxq", "--exclude", ".dvc/cache", "--exclude", ".dvc/tmp")
            git(registry, "checkout", "--quiet", ".")
        elif list((registry / ".sceneset/adding").iterdir()):
            said = sceneset("check", cwd=registry)
            assert said.code == 1
            assert NAME in said.out
            assert "unfinished-add" in said.out
        else:
            assert snapshot(registry) == before
    assert call > 20, "the killer reached every step"
    assert snapshot(registry) == undisturbed
    assert snapshot(delivery) == source
    assert not (registry / ".sceneset/adding").exists() or not list(
        (registry / ".sceneset/adding").iterdir()
    )
    assert "unfinished" not in sceneset("check", cwd=registry).out
