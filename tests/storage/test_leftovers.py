"""Temporary files of killed processes are removed, and those of living ones stay."""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from sceneset.paths import Paths
from sceneset.storage.leftovers import (
    MIN_AGE,
    USED_PART,
    abandoned_cache_parts,
    abandoned_temporary_folders,
    sweep,
    temporary_folder,
)

_PROGRAM = """
import sys
from sceneset.storage.leftovers import temporary_folder
with temporary_folder() as folder:
    (folder / "x").touch()
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path / "tmp"


def test_temporary_folder_is_swept_only_when_its_process_was_killed(temporary: Path) -> None:
    streams = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", _PROGRAM], **streams) as process:
        folder = Path(process.stdout.readline().decode().strip())
        assert folder.parent == temporary
        assert abandoned_temporary_folders() == []
        process.kill()
        process.wait()
    assert abandoned_temporary_folders() == [folder]
    (temporary / "sceneset-notes").mkdir()  # of somebody else
    sweep(Paths(temporary / "registry"))
    assert [path.name for path in temporary.iterdir()] == ["sceneset-notes"]


def test_temporary_folder_is_abandoned_when_another_process_has_its_number_for_long(
    temporary: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = temporary / f"sceneset-{os.getpid()}-abc"
    folder.mkdir()
    assert abandoned_temporary_folders() == [], "it may have been created just now"
    now = time.time()
    monkeypatch.setattr("sceneset.storage.leftovers.time.time", lambda: now + MIN_AGE + 1)
    assert abandoned_temporary_folders() == [folder]
    with temporary_folder() as used:
        assert abandoned_temporary_folders() == [folder]
    assert not used.exists()


def test_temporary_folder_is_deleted_at_the_end_of_the_block(temporary: Path) -> None:
    with temporary_folder() as folder:
        (folder / "x").write_text("x")
    assert not folder.exists()
    assert list(temporary.iterdir()) == []


def test_sweep_deletes_parts_beside_registry_files_and_nothing_else(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    parts = [
        tmp_path / ".params.yaml.0123456789ab.part",
        paths.registry / "scans/.x.parquet.0123456789ab.part",
        paths.registry / "stats/.dataset.yaml.0123456789ab.part",
        paths.subset("x") / "split_dir/.ski.txt.0123456789ab.part",
    ]
    kept = [
        paths.registry / "scans/x.parquet",
        paths.subset("x") / "img_dir/train/.a.part",
        paths.registry / USED_PART,  # `used` does not hold the write lock
    ]
    for path in (*parts, *kept):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    sweep(paths)
    assert [path for path in parts if path.exists()] == []
    assert all(path.exists() for path in kept)


def test_cache_parts_are_those_of_sceneset_and_of_dvc(tmp_path: Path) -> None:
    names = ("ab/.0123.0123456789ab.part", ".AbCdEfGhIjKlMnOpQrStUv.tmp")
    for name in (*names, "ab/0123456789"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert sorted(abandoned_cache_parts(tmp_path)) == sorted(tmp_path / name for name in names)
