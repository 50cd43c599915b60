"""Paths with characters that configuration files and shells interpret, through DVC and sceneset."""

from pathlib import Path

import pytest

from support.build import NAME, Run, blob, dvc, git, images_of, make_delivery
from support.policy import PROVENANCE, set_provenance

NAMES = [
    pytest.param("home of Ann's #1, 家 目录, 100% = y; z%20", id="hash and comma"),
    pytest.param('the "big" disk', id="quotes"),
]


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_blobs_of_a_registry_at_a_url_are_kept_in_the_cache_folder_and_purged_from_it(
    ready: Path, tmp_path: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = 'home of "Ann"\'s #1, 家 %(home)s'
    cache = tmp_path / "users" / name / "cache"
    monkeypatch.setenv("SCENESET_CACHE_DIR", str(cache))
    dvc(ready, "remote", "modify", "store", "url", str(ready.parent / "store"))
    git(ready, "commit", "--quiet", "--all", "--message", "An absolute path")
    url = f"file://{ready}"
    assert sceneset("trust", url, cwd=tmp_path).code == 0
    outcome = sceneset("pull", "ski", "--repo", url, "--to", "out", cwd=tmp_path)
    assert outcome.code == 0, outcome.err
    assert len(files_below(tmp_path / "out")) > 4
    md5 = images_of(ready, sceneset)["a"]
    assert (cache / "blobs/files/md5" / md5[:2] / md5[2:]).is_file()
    assert [path.name for path in (tmp_path / "users").iterdir()] == [name]
    words = ("forget", f"{NAME}/train/a", "--reason", "case", "--purge")
    outcome = sceneset(*words, cwd=ready)
    assert outcome.code == 0, outcome.err
    image = md5[2:]
    for folder in (tmp_path / "users", ready.parent / "store", ready / ".dvc/cache"):
        assert [path for path in files_below(folder) if path.name == image] == []


@pytest.mark.parametrize("name", NAMES)
def test_a_registry_and_its_remote_work_below_a_folder(
    name: str, tmp_path: Path, sceneset: Run
) -> None:
    home = tmp_path / name
    home.mkdir()
    assert sceneset("init", "registry", cwd=home).code == 0
    root, store = home / "registry", home / "the store"
    store.mkdir()
    outcome = sceneset("remote", store, cwd=root)
    assert outcome.code == 0, outcome.err
    delivery = make_delivery(home / "delivery")
    outcome = sceneset("add", delivery, "--name", NAME, cwd=root)
    assert outcome.code == 0, outcome.err
    set_provenance(root, PROVENANCE)
    dvc(root, "repro")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", "Add")
    dvc(root, "push")
    md5 = images_of(root, sceneset)["a"]
    assert blob(store, md5).is_file(), "DVC reads the path that was written"
    outcome = sceneset("verify", "--deep", cwd=root)
    assert outcome.code == 0, outcome.err
    outcome = sceneset("release", "1.0.0", cwd=root)
    assert outcome.code == 0, outcome.err
    outcome = sceneset("pull", "ski", "--rev", "1.0.0", "--to", home / "out", cwd=root)
    assert outcome.code == 0, outcome.err
    outcome = sceneset("forget", f"{NAME}/train/a", "--reason", "case", "--purge", cwd=root)
    assert outcome.code == 0, outcome.err
    assert not blob(store, md5).exists()


def test_remote_is_refused_when_dvc_would_read_another_path(
    registry: Path, tmp_path: Path, sceneset: Run
) -> None:
    config = (registry / ".dvc/config").read_text()
    (tmp_path / "%(home)s").mkdir()
    outcome = sceneset("remote", tmp_path / "%(home)s", cwd=registry)
    assert (outcome.code, "would read another path" in outcome.err) == (2, True)
    assert (registry / ".dvc/config").read_text() == config
