"""A folder .sceneset that came with a clone is not obeyed, and no link in it is followed."""

import json
import shutil
from pathlib import Path

import pytest

from sceneset.errors import FindingsError
from sceneset.paths import Paths
from sceneset.storage.files import md5_of
from sceneset.storage.locking import write_lock
from sceneset.storage.transaction import Command, Transaction
from support.build import NAME, Run, git, snapshot

RECORD = ".sceneset/transaction/record.json"


def plant_record(root: Path) -> None:
    """Write the record of a change that deletes the tags and replaces a file."""
    content = b"evil"
    staged = root / ".sceneset/transaction/staged" / md5_of(content)
    staged.parent.mkdir(parents=True)
    staged.write_bytes(content)
    tags = root / f"registry/tags/{NAME}.csv"
    record = {
        "command": {"name": "forget"},
        "state": "ready",
        "writes": [{"path": "README.md", "before": "", "after": md5_of(content)}],
        "deletes": [{"path": f"registry/tags/{NAME}.csv", "before": md5_of(tags.read_bytes())}],
    }
    readme = root / "README.md"
    record["writes"][0]["before"] = md5_of(readme.read_bytes())  # type: ignore[index]
    (root / RECORD).write_text(json.dumps(record))


@pytest.mark.parametrize("name", ["forget", "fix", "check"])
def test_commands_do_not_obey_a_record_that_git_tracks(
    name: str, added: Path, sceneset: Run
) -> None:
    plant_record(added)
    git(added, "add", "--force", ".sceneset")
    git(added, "commit", "--quiet", "--message", "A small change")
    before = snapshot(added)
    words = {
        "forget": ("forget", "web/train/a", "--reason", "x"),
        "fix": ("fix", "web", "--apply"),
        "check": ("check",),
    }[name]
    outcome = sceneset(*words, cwd=added)
    assert outcome.code == 1, outcome.err
    assert "git tracks it" in outcome.out + outcome.err
    assert snapshot(added) == before
    assert (added / RECORD).exists()


def test_record_that_git_does_not_track_is_finished(added: Path, sceneset: Run) -> None:
    plant_record(added)
    sceneset("fix", "web", "--apply", cwd=added)
    assert (added / "README.md").read_bytes() == b"evil", "the planted record is a valid one"


@pytest.mark.parametrize(
    "place",
    [".sceneset", ".sceneset/transaction", ".sceneset/kept", ".sceneset/transaction/staged"],
)
def test_transaction_refuses_links_in_its_folder(
    place: str, registry: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "mine").write_text("mine")
    link = registry / place
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(outside)
    with (
        pytest.raises(FindingsError, match="symbolic link"),
        Transaction.begin(Paths(registry), Command.of("fix")),
    ):
        pass
    assert sorted(path.name for path in outside.iterdir()) == ["mine"]


def test_write_lock_refuses_a_link_to_another_file(registry: Path, tmp_path: Path) -> None:
    (registry / ".sceneset").mkdir(exist_ok=True)
    (registry / ".sceneset/lock").unlink(missing_ok=True)
    (registry / ".sceneset/lock").symlink_to(tmp_path / "new")
    with pytest.raises(OSError), write_lock(registry / ".sceneset"):  # noqa: PT011
        pass
    assert not (tmp_path / "new").exists()


def test_lookup_writes_no_index_through_a_link(added: Path, tmp_path: Path, sceneset: Run) -> None:
    shutil.rmtree(added / ".sceneset", ignore_errors=True)
    (tmp_path / "outside").mkdir()
    (added / ".sceneset").symlink_to(tmp_path / "outside")
    assert sceneset("lookup", "ski", "--stems", cwd=added).out.split() == ["a", "b", "c", "d"]
    assert not list((tmp_path / "outside").iterdir())
