"""`sceneset add --to-remote`: blobs go to the remote, and none of them stays on this machine."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from sceneset.storage.blobs import Blobs
from support.build import NAME, Run, dvc, git, make_delivery, snapshot, write_image
from support.servers import BUCKET, KEYS, S3, s3_server

OTHER = NAME.replace("web", "more")
DATA = f"Insta360SemanticSeg/{NAME}"


@pytest.fixture
def more(tmp_path: Path) -> Path:
    folder = make_delivery(
        tmp_path / "more", train="mnop", splits={"total.txt": "mnop", "city.txt": "m"}
    )
    for seed, stem in enumerate("mnop", 90):
        write_image(folder / f"img_dir/train/{stem}.jpg", seed)
    return folder


@pytest.fixture
def clone(ready: Path) -> Path:
    """A clone without blobs, beside the remote ../store."""
    folder = ready.parent / "clone"
    git(ready, "clone", "--quiet", ".", str(folder))
    return folder


def kept(root: Path) -> list[Path]:
    """Return the blobs in the cache, and images and masks in the working tree."""
    found = [path for path in (root / ".dvc/cache").rglob("*") if path.is_file()]
    return [*found, *(root / "Insta360SemanticSeg").glob("*/*_dir/t*/*")]


@pytest.mark.faults
def test_a_new_subset_is_the_same_as_one_that_is_added_and_pushed(
    ready: Path, clone: Path, more: Path, sceneset: Run
) -> None:
    store = ready.parent / "store"
    outcome = sceneset("add", more, "--name", OTHER, "--to-remote", cwd=clone)
    assert outcome.code == 0, outcome.err
    assert f"4 samples were added to {OTHER}" in outcome.err
    assert "4 blobs were uploaded, the remote had 1 already" in outcome.err
    assert kept(clone) == []
    dvc(clone, "status", "--quiet", "check", f"splits@{OTHER}", "stats", "manifest", "card")
    remote = snapshot(store)
    assert sceneset("verify", "--deep", cwd=clone).code == 0
    assert sceneset("add", more, "--name", OTHER, cwd=ready).code == 0
    dvc(ready, "repro")
    dvc(ready, "push")
    assert snapshot(store) == remote
    git(ready, "add", "--all")
    git(clone, "add", "--all")
    assert git(clone, "write-tree") == git(ready, "write-tree"), "all files in git are the same"
    git(clone, "commit", "--quiet", "--message", "More")
    second = ready.parent / "second"
    git(clone, "clone", "--quiet", ".", str(second))
    dvc(second, "pull")
    dvc(second, "status", "--quiet")


@pytest.mark.faults
def test_samples_of_a_subset_go_to_the_remote(
    ready: Path, clone: Path, more: Path, sceneset: Run
) -> None:
    words = ("add", more, "--to", NAME, "--to-remote", "--json")
    before = snapshot(ready.parent / "store")
    planned = sceneset(*words, "--dry-run", cwd=clone)
    assert (planned.code, planned.json["uploaded"]) == (0, 0)
    assert snapshot(ready.parent / "store") == before
    outcome = sceneset(*words, cwd=clone)
    assert (outcome.code, outcome.json["samples"], outcome.json["uploaded"]) == (0, 4, 4)
    assert kept(clone) == []
    assert len(snapshot(ready.parent / "store")) == len(before) + 4 + 2, "two listings"
    assert sceneset("verify", "--deep", cwd=clone).code == 0
    dvc(clone, "push")
    git(clone, "add", "--all")
    git(clone, "commit", "--quiet", "--message", "More")
    dvc(clone, "pull")
    dvc(clone, "status", "--quiet")
    assert (clone / DATA / "img_dir/train/m.jpg").exists()
    assert (clone / DATA / "img_dir/train/a.jpg").exists()


def test_without_a_remote_nothing_is_changed(added: Path, more: Path, sceneset: Run) -> None:
    before = snapshot(added)
    outcome = sceneset("add", more, "--name", OTHER, "--to-remote", cwd=added)
    assert outcome.code == 1
    assert "there is no DVC remote" in outcome.err
    assert snapshot(added) == before


@pytest.fixture
def servers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ExitStack]:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    with ExitStack() as stack:
        yield stack


def remote(root: Path, server: S3) -> None:
    """Set the address of the remote."""
    dvc(root, "remote", "add", "--default", "--force", "s3", f"s3://{BUCKET}/people")
    dvc(root, "remote", "modify", "s3", "endpointurl", server.url)


@pytest.mark.faults
def test_a_remote_that_goes_away_half_way_changes_nothing_and_a_rerun_resumes(
    added: Path,
    more: Path,
    sceneset: Run,
    servers: ExitStack,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A real server ends after the second of five blobs, and comes back with what it has."""
    first = servers.enter_context(s3_server("rclone", tmp_path / "first", verbose=True))
    remote(added, first)
    before, sent, one_by_one = snapshot(added), list[str](), threading.Lock()
    upload = Blobs.upload

    def end_after_two(blobs: Blobs, md5: str, data: bytes) -> None:
        with one_by_one:
            if len(sent) == 2:
                servers.close()
            upload(blobs, md5, data)
            sent.append(md5)

    words = ("add", more, "--name", OTHER, "--to-remote")
    with monkeypatch.context() as patch:
        patch.setattr(Blobs, "upload", end_after_two)
        outcome = sceneset(*words, cwd=added)
    assert outcome.code == 1
    assert "the remote can't be reached" in outcome.err
    assert "2 of 5 blobs were uploaded, and nothing was changed in the registry" in outcome.err
    assert snapshot(added) == before
    assert first.folder is not None
    second = servers.enter_context(
        s3_server("rclone", tmp_path / "second", verbose=True, objects=first.folder)
    )
    remote(added, second)
    outcome = sceneset(*words, cwd=added)
    assert outcome.code == 0, outcome.err
    assert "3 blobs were uploaded, the remote had 2 already" in outcome.err
    put = {path.replace("/", "")[-32:] for path in second.requests("PUT") if "files/md5" in path}
    assert not put & set(sent), "what was sent is not sent again"
    assert second.requests("GET") == []


@pytest.mark.faults
def test_no_blob_of_other_samples_is_requested(
    added: Path, more: Path, sceneset: Run, servers: ExitStack, tmp_path: Path
) -> None:
    """Counted on a real S3 server, for `--to` with and without `--to-remote`, and `dvc push`."""
    server = servers.enter_context(s3_server("moto", tmp_path / "s3"))
    remote(added, server)
    git(added, "commit", "--quiet", "--all", "--message", "A remote")
    dvc(added, "push")
    clones = [tmp_path / "first", tmp_path / "second"]
    old = {path.split("/files/md5/")[1] for path in server.requests("PUT") if "md5/" in path}
    assert len(old) == 7
    [mask] = [
        path.parent.name + "/" + path.name
        for path in (added / ".dvc/cache/files/md5").glob("*/*")
        if path.read_bytes() == (more / "ann_dir/train/m.png").read_bytes()
    ]
    for clone, options in zip(clones, ((), ("--to-remote",)), strict=True):
        git(added, "clone", "--quiet", ".", str(clone))
        before = {method: len(server.requests(method)) for method in ("GET", "HEAD", "PUT")}
        assert sceneset("add", more, "--to", NAME, *options, cwd=clone).code == 0
        new = {m: server.requests(m)[count:] for m, count in before.items()}
        touched = {path.partition("?")[0].split("/files/md5/")[-1] for m in new for path in new[m]}
        assert touched & old <= {mask}, "the new samples have the mask of the others"
        assert not [path for path in new["GET"] if "/files/md5/" in path.partition("?")[0]]
        assert len(new["PUT"]) == (0 if not options else 2), "the listings: the blobs are there"
        sent = len(server.requests("PUT"))
        dvc(clone, "push")
        pushed = {path.split("/files/md5/")[-1] for path in server.requests("PUT")[sent:]}
        assert not pushed & old
        assert len(pushed) == (4 + 2 if not options else 0)
