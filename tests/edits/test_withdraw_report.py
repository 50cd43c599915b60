"""`sceneset forget --report` states where blobs were and are, as observed."""

import json
import shutil
from pathlib import Path

import pytest

from sceneset.storage.user_cache import cached_copies
from support.build import NAME, Run, dvc, git, images_of
from support.policy import PROVENANCE, set_provenance

REASON = ("--reason", "case 17")


def places(report: dict) -> dict[str, tuple[int, int]]:
    return {
        f"{one['kind']} {one['name']}": (len(one["before"]), len(one["after"]))
        for one in report["places"]
    }


def test_report_says_where_the_blobs_were_deleted_and_where_they_stay(
    released: Path, tmp_path: Path, sceneset: Run
) -> None:
    md5 = images_of(released, sceneset)["a"]
    some = [{"samples": ["train/a", "b"], "licence": "MIT"}, {"samples": ["a"], "licence": "ISC"}]
    set_provenance(released, PROVENANCE | {"exceptions": some})
    shutil.copytree(released.parent / "store", released.parent / "backup")
    dvc(released, "remote", "add", "backup", "../backup")
    git(released, "commit", "--quiet", "--all", "--message", "A second remote")
    training = cached_copies(md5)[1]
    training.parent.mkdir(parents=True)
    training.write_bytes(
        (released / f"Insta360SemanticSeg/{NAME}/img_dir/train/a.jpg").read_bytes()
    )
    words = ("forget", "web/train/a", *REASON, "--purge", "--report")
    planned = sceneset(*words, "--dry-run", "--json", cwd=released).json["report"]
    assert planned["dry_run"]
    assert all(one["before"] == one["after"] for one in planned["places"])
    assert training.exists()
    file = tmp_path / "case-17.json"
    outcome = sceneset(*words, file, "--json", cwd=released)
    assert outcome.code == 0, outcome.err
    report = json.loads(file.read_text("utf-8"))
    assert (report["reason"], report["versions"]) == ("case 17", ["1.0.0"])
    assert report["images"] == {md5: "named"}
    assert {(one["sample"], one["version"]) for one in report["found"]} == {
        (f"{NAME}/train/a", ""), (f"{NAME}/train/a", "1.0.0"),
    }  # fmt: skip
    shown = places(report)
    blobs = shown["remote store"][0]
    assert blobs in {1, 2}, "the image, and its mask unless others share it"
    assert shown["remote store"] == (blobs, 0)
    assert shown["remote backup"] == (blobs, blobs)
    assert shown["cache sceneset"] == (1, 0)
    assert shown["cache DVC"][1] == 0
    assert not training.exists()
    provenance = sceneset("show", "web", "--json", cwd=released).json["provenance"]
    assert [one["samples"] for one in provenance["exceptions"]] == [["b"]], "it names no longer a"
    [kept] = report["not_purged"]
    assert "--remote backup" in kept
    # A second run purges the other remote, and proves it.
    outcome = sceneset(
        *("forget", md5, *REASON, "--purge", "--remote", "backup", "--report"), cwd=released
    )
    assert outcome.code == 0, outcome.err
    assert "none of the places above has a blob" in outcome.out
    assert "# Withdrawal report" in outcome.out


@pytest.mark.faults
def test_report_names_what_commits_hold_and_remotes_that_do_not_answer(
    ready: Path, sceneset: Run
) -> None:
    """A remote inside the repository is in its history, which no purge changes."""
    shutil.move(ready.parent / "store", ready / "blobs")
    dvc(ready, "remote", "modify", "store", "url", "blobs")
    dvc(ready, "remote", "add", "gone", "../nowhere")
    git(ready, "add", "--all")
    git(ready, "commit", "--quiet", "--message", "A remote in the repository")
    words = ("forget", "web/train/a", *REASON, "--purge", "--report", "--json")
    outcome = sceneset(*words, cwd=ready)
    assert outcome.code == 0, outcome.err
    report = outcome.json["report"]
    before, after = places(report)["git history store"]
    assert before == after > 0
    assert places(report)["remote store"][1] == 0
    reasons = "\n".join(report["not_purged"])
    assert "rewrite the history" in reasons
    assert "the remote gone could not be read" in reasons


@pytest.mark.parametrize("file", ["exists.md", "nowhere/report.md"])
def test_forget_changes_nothing_when_the_report_can_not_be_written(
    file: str, released: Path, tmp_path: Path, sceneset: Run
) -> None:
    (tmp_path / "exists.md").write_text("mine")
    outcome = sceneset("forget", "web/train/a", *REASON, "--report", tmp_path / file, cwd=released)
    assert (outcome.code, "--report" in outcome.err) == (2, True)
    assert git(released, "status", "--porcelain") == ""
    assert (tmp_path / "exists.md").read_text() == "mine"
