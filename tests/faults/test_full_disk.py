"""A disk that fills up ends a command in one line, changes nothing, and damages nothing."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.build import NAME, ROOT, Run, git, make_delivery, snapshot

PROGRAMS = ROOT / "tests/programs"
UNSHARE = ("unshare", "--user", "--map-root-user", "--mount")


def run_with_small_disk(
    root: Path, small: Path, copy: Path, *words: object, filler: bool = False
) -> "subprocess.CompletedProcess[str]":
    """Run a command while a folder is on a disk of 64 kB, which may be full from the start."""
    if subprocess.run([*UNSHARE, "true"], check=False, capture_output=True).returncode:
        pytest.skip("mount namespaces are not available")
    for folder in (small, copy):
        folder.mkdir(parents=True, exist_ok=True)
    fill = 'head -c 100000 /dev/zero > "$FULL_FOLDER/filler" 2>/dev/null; exec "$@"'
    first = ("sh", "-c", fill, "fill") if filler else ()
    program = (sys.executable, PROGRAMS / "ignore_disk_space.py")
    command = [*UNSHARE, "sh", PROGRAMS / "limited_disk.sh", small, *first, *program, *words]
    return subprocess.run(
        [str(word) for word in command],
        cwd=root,
        env={
            **os.environ,
            "FULL_FOLDER": str(small),
            "COPY_TO": str(copy),
            "DVC_SITE_CACHE_DIR": str(root.parent / "databases"),
        },
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("is_full", [True, False], ids=["full", "fills up"])
@pytest.mark.parametrize("place", ["registry/.dvc/cache", "databases"])
def test_add_is_rolled_back_in_one_line_when_a_disk_of_dvc_is_full(
    place: str, is_full: bool, registry: Path, tmp_path: Path, sceneset: Run
) -> None:
    """The disk is full from the start, or while DVC works: DVC must not try for ever."""
    stems = [f"s{number}" for number in range(4 if is_full else 40)]
    folder = make_delivery(tmp_path / "delivery", train=stems, splits={"ski.txt": stems})
    before = snapshot(registry)
    words = ("add", folder, "--name", NAME)
    done = run_with_small_disk(
        registry, tmp_path / place, tmp_path / "copy", *words, filler=is_full
    )
    assert done.returncode == 1, done.stderr
    lines = [line for line in done.stderr.splitlines() if "failed" in line]
    assert len(lines) == 1, done.stderr
    assert "Free some disk space" in lines[0]
    assert "Traceback" not in done.stderr
    assert snapshot(registry) == before
    assert git(registry, "status", "--porcelain") == ""
    assert sceneset(*words, cwd=registry).code == 0, "the same command completes later"


def test_status_that_fails_is_not_reported_as_files_out_of_date(
    ready: Path, tmp_path: Path
) -> None:
    words = ("release", "1.0.0")
    small = ready.parent / "databases"
    done = run_with_small_disk(ready, small, tmp_path / "copy", *words, filler=True)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "is full" in done.stderr or "disk I/O error" in done.stderr
    assert "out of date" not in done.stderr + done.stdout


def test_lookup_answers_when_there_is_no_room_for_its_index(added: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    done = run_with_small_disk(
        added, added / ".sceneset", copy, "lookup", "ski", "--stems", filler=True
    )
    assert (done.returncode, done.stdout.split()) == (0, ["a", "b", "c", "d"]), done.stderr
    assert done.stderr == ""
    assert not (copy / "index.sqlite").exists()
