"""`sceneset remote` checks the URL, and asks the remote whether it can be used."""

from pathlib import Path

import pytest

from sceneset.errors import DvcError, UsageError
from sceneset.storage.object_store import FileSystemStore
from sceneset.storage.remote_probe import probe_remote
from sceneset.storage.remote_url import checked_remote_url
from support.build import Run, dvc
from support.servers import BUCKET, KEYS, s3_server


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("s3:/bucket/people", "s3://bucket/people"),
        ("s3:bucket/people", "s3://bucket/people"),
        ("S3:/bucket", "s3://bucket"),
        ("ssh:/host/people", "ssh://host/people"),
        ("https:/host/people", "https://host/people"),
        ("s4://bucket", "s3://bucket"),
        ("S3://bucket", "s3://bucket"),
        ("ann@nas:/data/people", "ssh://ann@nas/data/people"),
        ("nas:data", "ssh://nas/data"),
        ("s3://", "bucket"),
        ("s3:///people", "bucket"),
        ("ssh:///people", "host"),
        ("file:///mnt/people", "/mnt/people"),
        ("", "s3://bucket/people"),
        ("s3://bucket\n", "control"),
    ],
)
def test_mistyped_url_is_refused_with_what_was_meant(
    text: str, meant: str, registry: Path, sceneset: Run
) -> None:
    with pytest.raises(UsageError, match=meant):
        checked_remote_url(text, registry)
    config = (registry / ".dvc/config").read_text()
    assert sceneset("remote", text, "--no-check", cwd=registry).code == 2
    assert (registry / ".dvc/config").read_text() == config
    assert not (registry / "s3:").exists()


@pytest.mark.parametrize(
    "text", ["s3://bucket/people", "ssh://ann@host:22/data", "gs://b", "remote://store/people"]
)
def test_good_url_is_kept(text: str, tmp_path: Path) -> None:
    assert checked_remote_url(text, tmp_path) == text


def test_folder_with_a_colon_is_a_folder_when_it_exists(tmp_path: Path) -> None:
    (tmp_path / "nas:data").mkdir()
    assert checked_remote_url("nas:data", tmp_path) == str(tmp_path / "nas:data")


def test_remote_leaves_no_object_behind(registry: Path, tmp_path: Path, sceneset: Run) -> None:
    store = tmp_path / "store"
    store.mkdir()
    outcome = sceneset("remote", store, cwd=registry)
    assert (outcome.code, "warning" in outcome.err) == (0, False), outcome.err
    assert [path for path in store.rglob("*") if path.is_file()] == []


def test_remote_replaces_all_options_at_once_and_runs_no_dvc(
    registry: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = registry / ".dvc/config"
    config.write_text(f"# ours\n{config.read_text()}")
    kept = dvc(registry, "config", "--list").out
    with monkeypatch.context() as patch:
        patch.setattr("sceneset.storage.dvc.dvc", None)
        store = ("--endpoint", "https://store.example", "--no-check", "--name", "Other")
        assert sceneset("remote", "s3://bucket/people", *store, cwd=registry).code == 0
        again = ("remote", "/mnt/people", "--no-check", "--name", "other")
        assert sceneset(*again, cwd=registry).code == 1, "there is such a remote"
        assert "s3://bucket/people" in config.read_text()
        assert sceneset(*again, "--force", cwd=registry).code == 0
    assert config.read_text().startswith("# ours\n")
    options = set(dvc(registry, "config", "--list").out.splitlines())
    assert {line for line in options if "remote.other" in line} == {
        "remote.other.url=/mnt/people", "remote.other.verify=true"
    }  # fmt: skip
    assert "core.remote=other" in options
    assert options > {line for line in kept.splitlines() if not line.startswith("core.remote=")}


def test_remote_warns_when_the_folder_does_not_exist(
    registry: Path, tmp_path: Path, sceneset: Run
) -> None:
    outcome = sceneset("remote", tmp_path / "absent", cwd=registry)
    assert outcome.code == 0
    assert "no folder" in outcome.err
    assert not (tmp_path / "absent").exists()


def test_remote_is_not_set_when_it_is_not_a_folder(
    registry: Path, tmp_path: Path, sceneset: Run
) -> None:
    (tmp_path / "file").write_text("x")
    config = (registry / ".dvc/config").read_text()
    for path in ("file", "file/below"):
        outcome = sceneset("remote", tmp_path / path, cwd=registry)
        assert outcome.code == 1, outcome.err
        assert "--no-check" in outcome.err
    assert (registry / ".dvc/config").read_text() == config
    assert sceneset("remote", tmp_path / "file", "--no-check", cwd=registry).code == 0


def test_probe_says_when_objects_can_not_be_written_read_or_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remotes = {"store": {"url": str(tmp_path)}}
    assert probe_remote("store", remotes) == ""

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(FileSystemStore, "put", refuse)
        with pytest.raises(DvcError, match="can't be written to: Permission denied"):
            probe_remote("store", remotes)
    with monkeypatch.context() as patch:
        patch.setattr(FileSystemStore, "get", refuse)
        with pytest.raises(DvcError, match="can't be read: Permission denied"):
            probe_remote("store", remotes)
    with monkeypatch.context() as patch:
        patch.setattr(FileSystemStore, "get", lambda *_: b"other")
        with pytest.raises(DvcError, match="other bytes"):
            probe_remote("store", remotes)
    with monkeypatch.context() as patch:
        patch.setattr(FileSystemStore, "delete", refuse)
        assert "not deleted" in probe_remote("store", remotes)


@pytest.mark.parametrize("kind", ["moto", "rclone"])
def test_remote_asks_an_s3_server_and_verify_reports_a_missing_bucket_once(
    kind: str, added: Path, tmp_path: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    with s3_server(kind, tmp_path / "s3") as server:
        endpoint = ("--endpoint", server.url)
        outcome = sceneset("remote", f"s3://{BUCKET}/people", *endpoint, cwd=added)
        assert (outcome.code, "warning" in outcome.err) == (0, False), outcome.err
        absent = ("s3://no-such-bucket/people", *endpoint, "--force")
        outcome = sceneset("remote", *absent, cwd=added)
        assert (outcome.code, "no-such-bucket" in outcome.err) == (1, True)
        assert "bucket/people" in (added / ".dvc/config").read_text()
        assert "no-such-bucket" not in (added / ".dvc/config").read_text()
        assert sceneset("remote", *absent, "--no-check", cwd=added).code == 0
        outcome = sceneset("verify", cwd=added)
        assert outcome.code == 1
        assert outcome.err.count("no such bucket") == 1
        assert "[blob-absent]" not in outcome.out + outcome.err
    outcome = sceneset("remote", f"s3://{BUCKET}/people", *endpoint, "--force", cwd=added)
    assert (outcome.code, "can't be used" in outcome.err) == (1, True)


def test_verify_reports_a_missing_folder_once(ready: Path, sceneset: Run) -> None:
    store = ready.parent / "store"
    store.rename(store.with_name("moved"))
    outcome = sceneset("verify", cwd=ready)
    assert outcome.code == 1
    assert outcome.err.count("no such folder") == 1
    assert "[blob-absent]" not in outcome.out + outcome.err
