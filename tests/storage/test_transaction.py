"""Transactions: files change together, a kill loses nothing, and people's files are kept."""

import json
from pathlib import Path

import pytest

from sceneset.errors import DvcError, FindingsError, GitError
from sceneset.paths import Paths
from sceneset.schemas.finding import finding
from sceneset.storage import transaction_finish, transaction_record
from sceneset.storage.blobs import Blobs
from sceneset.storage.files import md5_of
from sceneset.storage.locking import write_lock
from sceneset.storage.transaction import Command, FollowUp, Transaction, recover
from sceneset.storage.transaction_record import Record, read_record, staged_file
from sceneset.storage.transaction_rollback import unfinished_findings
from support.build import NAME, git, snapshot

FIX, ADD = Command.of("fix", "web"), Command.of("add", subset=NAME)
DATA = f"Insta360SemanticSeg/{NAME}"


@pytest.fixture
def paths(registry: Path) -> Paths:
    return Paths(registry)


def interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def change(
    paths: Paths,
    files: dict[Path, bytes],
    delete: tuple[Path, ...] = (),
    follow_up: FollowUp | None = None,
) -> None:
    """Write and delete files in one transaction."""
    with Transaction.begin(paths, FIX) as transaction:
        for path, data in files.items():
            transaction.write(path, data)
        for path in delete:
            transaction.delete(path)
        transaction.commit(follow_up)


def create_folder(paths: Paths, folder: Path) -> None:
    """Create a folder in a transaction that is rolled back."""
    with Transaction.begin(paths, ADD) as transaction, transaction.create_folder(folder):
        pass


def leave_ready(paths: Paths, monkeypatch: pytest.MonkeyPatch, files: dict[Path, bytes]) -> None:
    """Leave a transaction that is ready, with none of its files in place."""
    with monkeypatch.context() as patch:
        patch.setattr(transaction_finish, "_apply", interrupt)
        with pytest.raises(KeyboardInterrupt):
            change(paths, files)


def leave_placed(paths: Paths) -> Path:
    """Leave a transaction that has placed a folder and is not ready; return the folder."""
    folder = paths.subset(NAME)
    with write_lock(paths.work) as lock:
        transaction = Transaction(paths, ADD, lock)
        with transaction.create_folder(folder) as unplaced:
            (unplaced / "img_dir").mkdir()
            (unplaced / "img_dir/a.jpg").write_text("image")
    (folder / "img_dir.dvc").write_text("written by dvc add")
    return folder


def recover_now(paths: Paths) -> Command | None:
    with write_lock(paths.work) as lock:
        return recover(paths, lock)


def test_record_is_none_when_another_process_ends_the_transaction_meanwhile(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_ready(paths, monkeypatch, {paths.scenes: b"new"})
    record = paths.work / "transaction/record.json"
    assert read_record(paths)
    monkeypatch.setattr(transaction_record, "refuse_tracked", lambda *_: record.unlink())
    assert read_record(paths) is None


def test_commit_writes_and_deletes_all_files(paths: Paths) -> None:
    old = paths.subset(NAME) / "split_dir/old.txt"
    old.parent.mkdir(parents=True)
    old.write_text("old")
    with Transaction.begin(paths, FIX) as transaction:
        transaction.write(paths.params, b"new")
        transaction.write(paths.tags(NAME), b"tags")
        transaction.delete(old)
        assert old.exists(), "nothing changes before the commit"
        assert unfinished_findings(paths) == []
        transaction.commit()
    assert paths.params.read_bytes() == b"new"
    assert paths.tags(NAME).read_bytes() == b"tags"
    assert not paths.subset(NAME).exists(), "folders that become empty are deleted"
    assert not (paths.work / "transaction").exists()


@pytest.mark.parametrize("error", [None, OSError, KeyboardInterrupt])
def test_transaction_changes_nothing_when_it_ends_without_commit(
    error: type[BaseException] | None, paths: Paths
) -> None:
    before = snapshot(paths.root)

    def stage() -> None:
        with Transaction.begin(paths, ADD) as transaction:
            with transaction.create_folder(paths.subset(NAME)) as folder:
                (folder / "a.jpg").write_text("image")
            transaction.write(paths.params, b"new")
            if error:
                raise error

    if error:
        with pytest.raises(error):
            stage()
    else:
        stage()
    assert snapshot(paths.root) == before
    assert not (paths.work / "transaction").exists()


def test_begin_yields_none_when_it_finishes_the_same_command(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_ready(paths, monkeypatch, {paths.params: b"new"})
    assert paths.params.read_bytes() != b"new"
    assert [finding.code for finding in unfinished_findings(paths)] == ["unfinished-change"]
    with Transaction.begin(paths, FIX) as transaction:
        assert transaction is None
    assert paths.params.read_bytes() == b"new"
    assert unfinished_findings(paths) == []


def test_begin_finishes_another_command_first(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave_ready(paths, monkeypatch, {paths.params: b"new"})
    notices: list[str] = []
    with Transaction.begin(paths, ADD, notify=notices.append) as transaction:
        assert transaction is not None
        assert paths.params.read_bytes() == b"new"
    assert notices == ["an interrupted `sceneset fix` was finished"]


def test_recover_rolls_back_a_folder_when_the_transaction_is_not_ready(paths: Paths) -> None:
    before = snapshot(paths.root)
    folder = leave_placed(paths)
    [finding] = unfinished_findings(paths)
    assert (finding.code, finding.subset) == ("unfinished-add", NAME)
    assert recover_now(paths) is None
    assert not folder.exists()
    assert snapshot(paths.root) == before


def test_recover_keeps_files_that_people_added_to_the_folder(paths: Paths) -> None:
    folder = leave_placed(paths)
    (folder / "notes.txt").write_text("mine")
    recover_now(paths)
    assert not folder.exists()
    assert (paths.work / "kept/1-notes.txt").read_text() == "mine"


def test_recover_keeps_the_folder_when_it_is_committed(paths: Paths) -> None:
    folder = leave_placed(paths)
    git(paths.root, "add", "--force", DATA)
    git(paths.root, "commit", "--quiet", "--message", "Commit it")
    with pytest.raises(FindingsError, match="is committed"):
        recover_now(paths)
    assert (folder / "img_dir/a.jpg").exists()


def test_recover_keeps_the_folder_when_its_subset_is_listed(paths: Paths) -> None:
    folder = leave_placed(paths)
    paths.params.write_text(f"subsets:\n  - {NAME}\n")
    assert unfinished_findings(paths) == []
    recover_now(paths)
    assert (folder / "img_dir/a.jpg").exists()
    assert read_record(paths) is None


def test_recover_refuses_to_overwrite_a_file_when_it_was_changed_since(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    tags = paths.tags(NAME)
    leave_ready(paths, monkeypatch, {tags: b"ours", paths.params: b"new"})
    tags.write_bytes(b"mine")
    with pytest.raises(FindingsError, match="was changed after"):
        recover_now(paths)
    assert tags.read_bytes() == b"mine"
    assert paths.params.read_bytes() != b"new", "no other file is written either"
    tags.rename(tags.with_suffix(".mine"))
    recover_now(paths)
    assert (tags.read_bytes(), paths.params.read_bytes()) == (b"ours", b"new")


def test_recover_compares_no_file_when_all_files_were_in_place(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(transaction_finish, "_follow_up", interrupt)
        with pytest.raises(KeyboardInterrupt):
            change(paths, {paths.params: b"new"})
    paths.params.write_bytes(b"edited later")
    assert recover_now(paths) == FIX
    assert paths.params.read_bytes() == b"edited later"


def test_commit_reports_every_failed_step_of_the_follow_up_once(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise DvcError("refused")

    monkeypatch.setattr(transaction_finish, "dvc", refuse)
    follow_up = FollowUp(reproduce=True, purge=("0" * 32,))
    with pytest.raises(DvcError, match=r"out of date .*could not be deleted"):
        change(paths, {paths.params: b"new"}, follow_up=follow_up)
    assert paths.params.read_bytes() == b"new"
    assert recover_now(paths) is None, "it is not tried again"


@pytest.mark.parametrize(
    "error",
    [
        FindingsError([finding("yaml-broken", "bad", file="dvc.yaml", row=3)]),
        OSError(28, "No space left on device"),
        GitError("no git"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_commit_purges_when_the_stages_can_not_run(
    error: Exception, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_now(*_: object, **__: object) -> None:
        raise error

    purged: list[str] = []
    monkeypatch.setattr(transaction_finish, "dvc", fail_now)
    monkeypatch.setattr(Blobs, "delete", lambda _, md5: purged.append(md5))
    follow_up = FollowUp(reproduce=True, purge=("0" * 32,))
    with pytest.raises(DvcError, match=r"the change is made, but .* out of date") as caught:
        change(paths, {paths.params: b"new"}, follow_up=follow_up)
    assert "\n" not in str(caught.value)
    assert purged == ["0" * 32]
    assert recover_now(paths) is None, "other commands go on"


def test_commit_reports_in_one_line_that_a_blob_can_not_be_purged(
    paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail_now(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "/cache/x")

    monkeypatch.setattr(Blobs, "delete", fail_now)
    with pytest.raises(DvcError, match=r"could not be deleted \(.*Permission denied"):
        change(paths, {paths.params: b"new"}, follow_up=FollowUp(purge=("0" * 32,)))
    assert recover_now(paths) is None


def place(paths: Paths, path: Path, data: bytes, *, is_cached: bool) -> None:
    """Write a file in one transaction, from the cache or from staged content."""
    with Transaction.begin(paths, FIX) as transaction:
        if is_cached:
            Blobs(paths.root).add_to_cache(md5_of(data), data)
            transaction.write_blob(path, md5_of(data))
        else:
            transaction.write(path, data)
        transaction.commit()


@pytest.mark.parametrize("damage", ["other bytes", "missing"])
@pytest.mark.parametrize("is_cached", [True, False])
def test_damaged_content_is_never_put_in_place(
    damage: str, is_cached: bool, paths: Paths, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, data = paths.subset(NAME) / "img_dir/train/a.jpg", b"image"
    blobs = Blobs(paths.root)
    with monkeypatch.context() as patch:
        patch.setattr(transaction_finish, "_apply", interrupt)
        with pytest.raises(KeyboardInterrupt):
            place(paths, path, data, is_cached=is_cached)
    source = blobs.path(md5_of(data)) if is_cached else staged_file(paths, md5_of(data))
    source.unlink()
    if damage == "other bytes":
        source.write_bytes(b"imag")
    with pytest.raises(FindingsError) as caught:
        recover_now(paths)
    [found] = caught.value.findings
    assert (found.code, found.file) == ("unfinished-change", paths.relative(path))
    assert "missing or damaged" in found.message
    assert list(path.parent.iterdir()) == []
    source.unlink(missing_ok=True)
    source.write_bytes(data)
    assert recover_now(paths) == FIX
    assert path.read_bytes() == data


def test_finish_opens_the_blobs_once(paths: Paths, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []

    def open_blobs(root: Path) -> Blobs:
        opened.append(root)
        return Blobs(root)

    monkeypatch.setattr(transaction_finish, "Blobs", open_blobs)
    folder = paths.subset(NAME) / "img_dir/train"
    with Transaction.begin(paths, FIX) as transaction:
        for number in range(3):
            data = b"image %d" % number
            Blobs(paths.root).add_to_cache(md5_of(data), data)
            transaction.write_blob(folder / f"{number}.jpg", md5_of(data))
        transaction.commit()
    assert len(list(folder.iterdir())) == 3
    assert opened == [paths.root]


def test_write_blob_puts_a_blob_of_the_cache_in_place(paths: Paths) -> None:
    data, path = b"image", paths.subset(NAME) / "img_dir/train/a.jpg"
    Blobs(paths.root).add_to_cache(md5_of(data), data)
    with Transaction.begin(paths, FIX) as transaction:
        transaction.write_blob(path, md5_of(data))
        transaction.commit()
    assert path.read_bytes() == data


@pytest.mark.parametrize("method", ["write", "delete", "create_folder"])
def test_transaction_refuses_paths_below_a_symbolic_link(
    method: str, paths: Paths, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    data_root = paths.root / "Insta360SemanticSeg"
    if data_root.exists():
        data_root.rename(tmp_path / "moved")
    data_root.symlink_to(outside)
    path = paths.subset(NAME) / "file"
    actions = {
        "write": lambda: change(paths, {path: b"data"}),
        "delete": lambda: change(paths, {}, (path,)),
        "create_folder": lambda: create_folder(paths, path.parent),
    }
    with pytest.raises(FindingsError, match="symbolic link"):
        actions[method]()
    assert list(outside.iterdir()) == []


@pytest.mark.parametrize(
    "path", ["../outside", "/etc/passwd", ".git/config", ".sceneset/lock", "", "a\0b"]
)
def test_record_is_refused_when_a_path_leads_out_of_the_registry(path: str, paths: Paths) -> None:
    record = Record(command=FIX).model_dump(mode="json")
    record |= {"state": "ready", "deletes": [{"path": path, "before": ""}]}
    file = paths.work / "transaction/record.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(record))
    with pytest.raises(FindingsError, match="damaged"):
        recover_now(paths)
    assert [finding.code for finding in unfinished_findings(paths)] == ["unfinished-change"]


def test_create_folder_refuses_a_folder_that_exists(paths: Paths) -> None:
    paths.subset(NAME).mkdir(parents=True)
    with pytest.raises(FileExistsError):
        create_folder(paths, paths.subset(NAME))
    assert paths.subset(NAME).exists()


def test_commit_refuses_a_file_that_is_both_written_and_deleted(paths: Paths) -> None:
    before = snapshot(paths.root)
    with pytest.raises(ValueError, match="both written and deleted"):
        change(paths, {paths.params: b"new"}, (paths.params,))
    assert snapshot(paths.root) == before
