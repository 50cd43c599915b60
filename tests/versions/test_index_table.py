"""Every release carries the table of its samples, as a blob that DVC tracks."""

import shutil
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from sceneset.catalog.reader import Catalog
from sceneset.errors import FindingsError, StoreRefusedError
from sceneset.storage.object_store import FileSystemStore
from sceneset.versions import release as release_module
from sceneset.versions.index_table import IGNORE, INDEX, index_bytes, read_pointer
from sceneset.versions.release_commit import committed_path
from support.build import NAME, Run, blob, dvc, git


def test_a_clone_fetches_the_table_of_a_version(ready: Path, tmp_path: Path, sceneset: Run) -> None:
    outcome = sceneset("release", "1.0.0", cwd=ready)
    assert outcome.code == 0, outcome.err
    assert dvc(ready, "status", "--quiet", check=False).code == 0
    clone = ready.parent / "clone"
    git(ready, "clone", "--quiet", str(ready), str(clone))
    dvc(clone, "pull", "--quiet", INDEX)
    table = pq.read_table(clone / INDEX)
    samples = sceneset("lookup", "--samples", "--json", cwd=ready).json
    assert table["stem"].to_pylist() == [sample["stem"] for sample in samples]
    assert table["image_md5"].to_pylist() == [sample["image_md5"] for sample in samples]
    first = table.slice(0, 1).to_pylist()[0]
    assert first["image"] == f"Insta360SemanticSeg/{NAME}/img_dir/train/a.jpg"
    assert first["scenes"] == ["ski"]
    assert first["persons"] == "single"
    assert (first["width"], first["height"]) == (32, 24)


def test_the_same_state_gives_the_same_bytes(added: Path) -> None:
    assert index_bytes(Catalog(added)) == index_bytes(Catalog(added))


def test_verify_names_a_table_that_the_remote_lost_and_repairs_it(
    ready: Path, sceneset: Run
) -> None:
    assert sceneset("release", "1.0.0", cwd=ready).code == 0
    pointer = (ready / f"{INDEX}.dvc").read_text()
    md5 = pointer.split("md5: ")[1].split()[0]
    blob(ready.parent / "store", md5).unlink()
    for words in ((), ("--rev", "1.0.0")):
        outcome = sceneset("verify", *words, "--json", cwd=ready)
        assert [finding["file"] for finding in outcome.json] == [INDEX], words
    assert sceneset("verify", "--repair", cwd=ready).code == 0
    assert blob(ready.parent / "store", md5).is_file()


@pytest.mark.faults
def test_the_next_release_replaces_a_table_that_the_remote_lost(ready: Path, sceneset: Run) -> None:
    assert sceneset("release", "1.0.0", cwd=ready).code == 0
    md5 = (ready / f"{INDEX}.dvc").read_text().split("md5: ")[1].split()[0]
    blob(ready.parent / "store", md5).unlink()
    tags = ready / f"registry/tags/{NAME}.csv"
    tags.write_text(tags.read_text().replace("train,a,ski,", "train,a,ski;city,"))
    dvc(ready, "repro", "--quiet")
    git(ready, "commit", "--quiet", "--all", "--message", "Another scene")
    outcome = sceneset("release", "2.0.0", cwd=ready)
    assert outcome.code == 0, outcome.err
    assert pq.read_table(ready / INDEX)["scenes"].to_pylist()[0] == ["ski", "city"]


@pytest.fixture
def embedded(ready: Path) -> Path:
    """A registry whose remote is a folder of its own repository, committed."""
    shutil.move(ready.parent / "store", ready / "blobs")
    dvc(ready, "remote", "modify", "store", "url", "blobs")
    git(ready, "add", "--all")
    git(ready, "commit", "--quiet", "--message", "Blobs in the repository")
    return ready


def pointer_md5(root: Path) -> str:
    return (root / f"{INDEX}.dvc").read_text().split("md5: ")[1].split()[0]


def test_an_embedded_remote_gets_the_table_with_the_commit(embedded: Path, sceneset: Run) -> None:
    outcome = sceneset("release", "1.0.0", cwd=embedded)
    assert outcome.code == 0, outcome.err
    assert git(embedded, "status", "--porcelain") == ""
    path = blob(Path("blobs"), pointer_md5(embedded)).as_posix()
    assert path in git(embedded, "diff", "--name-only", "HEAD~1").split()
    clone = embedded.parent / "clone"
    git(embedded, "clone", "--quiet", str(embedded), str(clone))
    dvc(clone, "pull", "--quiet", INDEX)
    assert (clone / INDEX).read_bytes() == (embedded / path).read_bytes()
    assert dvc(embedded, "status", "--quiet", check=False).code == 0


@pytest.mark.faults
def test_a_release_killed_before_it_wrote_an_embedded_table_is_completed(
    embedded: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    for name in ("_commit", "check_out"):  # before and after branch and tag move
        with monkeypatch.context() as patch:
            patch.setattr(release_module, name, lambda *_, **__: interrupted())
            assert sceneset("release", "1.0.0", cwd=embedded).code == 130
    outcome = sceneset("release", "1.0.0", cwd=embedded)
    assert outcome.code == 0, outcome.err
    assert git(embedded, "status", "--porcelain") == ""
    assert dvc(embedded, "status", "--quiet", check=False).code == 0


@pytest.mark.faults
def test_a_remote_that_git_ignores_is_not_committed(embedded: Path, sceneset: Run) -> None:
    git(embedded, "rm", "-r", "--quiet", "--cached", "blobs")
    with (embedded / ".gitignore").open("a") as file:
        file.write("/blobs/\n")
    git(embedded, "commit", "--quiet", "--all", "--message", "Ignore the blobs")
    assert sceneset("release", "1.0.0", cwd=embedded).code == 0
    assert "blobs" not in git(embedded, "diff", "--name-only", "HEAD~1")
    assert blob(embedded / "blobs", pointer_md5(embedded)).is_file()


def test_committed_path_leaves_out_what_git_would_not_commit(ready: Path, tmp_path: Path) -> None:
    git(ready, "init", "--quiet", "inner")
    (ready / "link").symlink_to("inner")
    for file in ("../outside/x", "inner/x", "link/x", ".git/x", ".sceneset/x"):
        assert committed_path(ready, ready / file) == "", file
    assert committed_path(ready / "registry", ready / "blobs/a/b") == "blobs/a/b"


@pytest.mark.faults
def test_a_repeated_release_needs_no_remote(
    ready: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sceneset("release", "1.0.0", cwd=ready).code == 0
    (ready / INDEX).unlink()
    (ready.parent / "store").rename(ready.parent / "away")
    assert sceneset("release", "1.0.0", cwd=ready).code == 0
    assert (ready / INDEX).is_file()


@pytest.mark.faults
def test_a_remote_that_can_not_be_written_is_named_before_anything_is_released(
    ready: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise StoreRefusedError("403 Forbidden")

    monkeypatch.setattr(FileSystemStore, "put", refuse)  # root may write into any folder
    before = git(ready, "for-each-ref")
    outcome = sceneset("release", "1.0.0", cwd=ready)
    assert outcome.code == 1
    assert "table of the samples can't be written" in outcome.err
    assert (git(ready, "for-each-ref"), git(ready, "status", "--porcelain")) == (before, "")


@pytest.mark.faults
def test_a_registry_without_samples_and_remote_is_released_without_a_table(
    registry: Path, sceneset: Run
) -> None:
    dvc(registry, "repro", "--quiet")
    git(registry, "add", "--all")
    git(registry, "commit", "--quiet", "--message", "Derived files")
    outcome = sceneset("release", "1.0.0", cwd=registry)
    assert outcome.code == 0, outcome.err
    assert not (registry / f"{INDEX}.dvc").exists()


@pytest.mark.parametrize("md5", ["../../../../tmp/x", "0" * 31, "A" * 32])
def test_a_pointer_with_another_hash_is_refused(md5: str, released: Path) -> None:
    path = released / f"{INDEX}.dvc"
    path.write_text(path.read_text().replace(pointer_md5(released), md5))
    with pytest.raises(FindingsError, match=r"is not the \.dvc file"):
        read_pointer(released)


@pytest.mark.faults
def test_lines_of_a_gitignore_beside_the_table_stay(ready: Path, sceneset: Run) -> None:
    (ready / IGNORE).parent.mkdir(exist_ok=True)
    (ready / IGNORE).write_text("/mine")
    git(ready, "add", "--all")
    git(ready, "commit", "--quiet", "--message", "An ignore file")
    assert sceneset("release", "1.0.0", cwd=ready).code == 0
    assert (ready / IGNORE).read_text() == "/mine\n/index.parquet\n"
