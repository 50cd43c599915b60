"""The space that is required is the space that files will occupy."""

import os
import re
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from sceneset.errors import DvcError, FindingsError
from sceneset.storage import disk_space
from sceneset.storage.blobs import Blobs
from sceneset.storage.disk_space import SpaceNeeded, check_space
from sceneset.storage.dvc import Project, folders_of, outdated_stages
from sceneset.storage.files import md5_of
from support.build import Run


class Usage(NamedTuple):
    free: int


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0))


def needed(error: pytest.ExceptionInfo[FindingsError]) -> int:
    [found] = error.value.findings
    match = re.match(r"([\d,]+) bytes are needed and 0 are free", found.message)
    assert match
    return int(match[1].replace(",", ""))


@pytest.mark.usefixtures("full")
def test_space_counts_whole_blocks_of_each_disk(tmp_path: Path) -> None:
    block = os.statvfs(tmp_path).f_frsize
    space = SpaceNeeded()
    space.add(tmp_path / "a/b", [1, block, block + 1, 0])
    space.add(tmp_path, [1])
    with pytest.raises(FindingsError) as error:
        space.check("make room")
    assert needed(error) == 5 * block
    SpaceNeeded().check("nothing is needed")


@pytest.mark.usefixtures("full")
def test_add_needs_no_space_for_blobs_that_the_cache_has_or_that_are_equal(
    registry: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk_space, "_BASE", 0)
    monkeypatch.setattr(disk_space, "_DATABASE_ROW", 0)
    block = os.statvfs(registry).f_frsize
    data = b"cached"
    Blobs(registry).add_to_cache(md5_of(data), data)
    assert (folders_of(registry).blobs / md5_of(data)[:2] / md5_of(data)[2:]).is_file()
    blobs = {md5_of(data): block, "0" * 32: block}
    with pytest.raises(FindingsError) as error:
        check_space(registry, [block] * 8, blobs)
    assert needed(error) == 9 * block + 9 * block // 10


def test_folders_are_those_that_dvc_uses(registry: Path) -> None:
    project = Project(registry)
    assert project.blob_path("0" * 32).parents[1] == folders_of(registry).blobs
    databases = Path(project._repo.site_cache_dir)
    assert databases.is_relative_to(folders_of(registry).databases)


def test_database_that_can_not_be_used_is_reported_in_one_line(
    added: Path, tmp_path: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite, and not DVC, raises the error of a full or damaged disk."""
    monkeypatch.setenv("DVC_SITE_CACHE_DIR", str(tmp_path / "databases"))
    Project(added)
    paths = list((tmp_path / "databases").rglob("cache.db"))
    assert paths
    for path in paths:
        for leftover in path.parent.glob("cache.db-*"):
            leftover.unlink()
        path.write_bytes(b"damaged" * 1000)
    with pytest.raises(DvcError, match=r"^DVC's database can't be used: [^\n]+$"):
        Project(added)
    with pytest.raises(DvcError, match="dvc status failed, so it is not known"):
        outdated_stages(added, ["check"])
    outcome = sceneset("fix", "web", cwd=added)
    assert outcome.code == 1
    assert "Traceback" not in outcome.err
    assert "DVC's database can't be used" in outcome.err
