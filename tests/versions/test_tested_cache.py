"""The cache of the test images of released versions gives the answer of the versions themselves."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sceneset.catalog.reader import Catalog
from sceneset.quality import tested_images
from sceneset.quality.tested_images import ReleasedTestImages
from sceneset.storage import git as git_module
from sceneset.storage.git_trees import find_objects
from sceneset.storage.user_cache import cache_folder
from sceneset.storage.yaml_files import dump_yaml
from sceneset.versions import history
from sceneset.versions.history import released_test_images
from support.build import NAME, git

SCAN = Path(f"registry/scans/{NAME}.parquet")


def release(root: Path, number: str, test: set[int], *, pictures: bool = True) -> None:
    """Commit and tag a version in which these rows of the scan are test images."""
    before = (root / SCAN).read_bytes()
    table = pq.read_table(root / SCAN)
    rows = table.to_pylist()
    for place in test:
        rows[place]["phase"] = "test"
    if not pictures:
        rows = [row | {"picture": None} for row in rows]
    pq.write_table(pa.Table.from_pylist(rows, schema=table.schema), root / SCAN)
    fields = {"version": number, "state": "0" * 32, "samples": len(rows), "subsets": {}}
    record = root / f"registry/versions/{number}.yaml"
    record.parent.mkdir(exist_ok=True)
    record.write_text(dump_yaml(fields | {"changes": {"step": "minor"}}))
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", f"Version {number}")
    git(root, "tag", f"insta360-semantic-seg@v{number}")
    (root / SCAN).write_bytes(before)
    git(root, "commit", "--all", "--quiet", "--message", "Back to work")


def uncached(root: Path, monkeypatch: pytest.MonkeyPatch) -> ReleasedTestImages:
    """Return the answer of the versions themselves."""
    with monkeypatch.context() as patch:
        patch.setenv("SCENESET_CACHE_DIR", "/dev/null")  # nothing can be kept there
        return released_test_images(Catalog(root))


def found(root: Path) -> dict[str, str]:
    catalog = Catalog(root)
    findings = tested_images.tested_image_findings(catalog, released_test_images(catalog))
    return {finding.stem: finding.message for finding in findings}


def cache_files() -> list[Path]:
    return sorted((cache_folder() / "tested").iterdir())


@pytest.fixture
def root(added: Path) -> Path:
    """A registry of four training images, whose first two were test images of a version each."""
    release(added, "1.0.0", {0})
    release(added, "1.1.0", {0, 1})
    return added


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The git commands that read versions: content of objects and listings of trees."""
    read: list[str] = []
    run = git_module.run_git

    def spy(repo: Path, *words: str, **options: object) -> object:
        if words[0] == "ls-tree" or words[:2] == ("cat-file", "blob"):
            read.append(" ".join(words))
        return run(repo, *words, **options)

    monkeypatch.setattr(git_module, "run_git", spy)
    return read


def test_second_search_reads_no_version(root: Path, reads: list[str]) -> None:
    first = released_test_images(Catalog(root))
    assert len(first.files) == 2
    assert len(reads) == 4  # two trees, two scans
    reads.clear()
    assert released_test_images(Catalog(root)) == first
    assert reads == []


def test_only_a_new_version_is_read(
    root: Path, reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    released_test_images(Catalog(root))
    release(root, "1.2.0", {0, 1, 2})
    release(root, "1.3.0", {0})  # the scan of 1.0.0 again
    reads.clear()
    tested = released_test_images(Catalog(root))
    assert len([command for command in reads if command.startswith("cat-file")]) == 1
    assert tested == uncached(root, monkeypatch)
    assert list(tested.files.values()) == ["1.0.0", "1.1.0", "1.2.0"]
    assert released_test_images(Catalog(root)) == tested


def test_versions_without_pictures_give_the_same_answer(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release(root, "1.2.0", {2, 3}, pictures=False)
    first = released_test_images(Catalog(root))
    assert len(first.exact) == 2
    assert released_test_images(Catalog(root)) == first == uncached(root, monkeypatch)


def test_moved_tag_is_followed(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert set(found(root)) == {"a", "b"}
    release(root, "9.0.0", {3})
    git(root, "rm", "--quiet", "registry/versions/9.0.0.yaml")
    git(root, "commit", "--quiet", "--message", "Not a version")
    moved = git(root, "rev-parse", "insta360-semantic-seg@v9.0.0").strip()
    git(root, "tag", "--force", "insta360-semantic-seg@v1.0.0", moved)
    assert set(found(root)) == {"a", "b", "d"}
    assert found(root)["d"] == "was a test image of version 1.0.0"
    assert found(root)["a"] == "was a test image of version 1.1.0"
    assert released_test_images(Catalog(root)) == uncached(root, monkeypatch)


def test_replaced_object_is_followed(root: Path) -> None:
    assert set(found(root)) == {"a", "b"}
    old, new = (git(root, "rev-parse", f"insta360-semantic-seg@v1.{n}.0").strip() for n in (1, 0))
    old_scan, new_scan = (git(root, "rev-parse", f"{at}:{SCAN}").strip() for at in (old, new))
    git(root, "replace", old_scan, new_scan)
    assert set(found(root)) == {"a"}
    git(root, "replace", "--delete", old_scan)
    assert set(found(root)) == {"a", "b"}


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[:0],
        lambda data: b"garbage" * len(data),
        lambda data: data[:-1],
        lambda data: data + b"\0",
        lambda data: data[:200] + bytes([data[200] ^ 1]) + data[201:],
        lambda data: data[:64],
    ],
)
def test_damaged_file_is_read_again(
    root: Path, spoil: Callable[[bytes], bytes], reads: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    right = released_test_images(Catalog(root))
    good = [path.read_bytes() for path in cache_files()]
    for path in cache_files():
        path.write_bytes(spoil(path.read_bytes()))
    reads.clear()
    assert released_test_images(Catalog(root)) == right == uncached(root, monkeypatch)
    assert reads
    assert [path.read_bytes() for path in cache_files()] == good


def test_file_of_another_version_is_not_believed(root: Path) -> None:
    right = released_test_images(Catalog(root))
    first, second = cache_files()
    one, two = first.read_bytes(), second.read_bytes()
    first.write_bytes(two)
    second.write_bytes(one)
    assert released_test_images(Catalog(root)) == right


def test_what_is_no_file_stops_nothing(root: Path) -> None:
    right = released_test_images(Catalog(root))
    for path in cache_files():
        path.unlink()
        path.mkdir()
    assert released_test_images(Catalog(root)) == right
    shutil.rmtree(cache_folder())
    cache_folder().write_text("a file")
    assert released_test_images(Catalog(root)) == right


def test_cache_of_another_copy_is_not_used(root: Path, tmp_path: Path, reads: list[str]) -> None:
    """Another folder may have other bytes under the same names of objects."""
    copy = Path(shutil.copytree(root, tmp_path / "copy", symlinks=True))
    right = released_test_images(Catalog(root))
    reads.clear()
    assert released_test_images(Catalog(copy)) == right
    assert len(reads) == 4
    assert len(cache_files()) == 4


def test_folder_that_a_clone_brings_hides_nothing(root: Path) -> None:
    """Nothing is read below the registry, where a commit could put files."""
    released_test_images(Catalog(root))
    shutil.copytree(cache_folder() / "tested", root / ".sceneset/tested")
    for path in (root / ".sceneset/tested").iterdir():
        path.write_bytes(b"")
    git(root, "add", "--force", ".sceneset")
    git(root, "commit", "--quiet", "--message", "Hide")
    shutil.rmtree(cache_folder() / "tested")
    assert set(found(root)) == {"a", "b"}
    assert git(root, "status", "--porcelain") == ""  # and nothing is written there


def test_version_that_can_not_be_read_is_not_kept(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(file: object, columns: object = None) -> object:
        raise pa.ArrowInvalid("damaged")

    right = uncached(root, monkeypatch)
    with monkeypatch.context() as patch:
        patch.setattr(history, "table_from_file", fail)
        broken = released_test_images(Catalog(root))
    assert broken.unread == (
        f"can't read the scan of {NAME} in 1.0.0: damaged",
        f"can't read the scan of {NAME} in 1.1.0: damaged",
    )
    assert not broken.files
    assert not (cache_folder() / "tested").exists()
    assert released_test_images(Catalog(root)) == right


def test_tag_without_record_is_resolved_as_before(root: Path) -> None:
    """A version whose tag was deleted is found by its record."""
    right = released_test_images(Catalog(root))
    git(root, "tag", "--delete", "insta360-semantic-seg@v1.0.0")
    tested = released_test_images(Catalog(root))
    assert list(tested.files.values()) == ["1.1.0", "1.1.0"]
    assert tested.files.keys() == right.files.keys()
    assert len(tested.unread) == 1
    assert "1.0.0" in tested.unread[0]


@pytest.mark.parametrize("folder", ["plain", "two words", "line\nbreak", "人像"])
def test_objects_are_found_by_any_names(folder: str, tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "file").write_text("1\n")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "A file")
    commit = git(tmp_path, "rev-parse", "HEAD").strip()
    tree = git(tmp_path, "rev-parse", f"HEAD:{folder}").strip()
    names = ["HEAD^{commit}", f"HEAD:{folder}", f"HEAD:{folder}/none", "refs/tags/none^{commit}"]
    assert find_objects(tmp_path, names) == [commit, tree, "", ""]
    assert find_objects(tmp_path, []) == []
