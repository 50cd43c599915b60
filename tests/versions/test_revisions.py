"""Revisions are opened without a checkout, by any of their names, from a folder or a URL."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sceneset import Registry
from sceneset.errors import DestinationError, UnknownNameError, UnknownRevisionError
from sceneset.storage.files import md5_of
from sceneset.versions.resolve import ARTIFACT, latest_version
from support.build import NAME, Run, git, snapshot

TAGS = f"registry/tags/{NAME}.csv"


@pytest.fixture
def history(added: Path) -> Path:
    """Two states: all samples in ski, tagged 1.0.0; then `a` in city, on another branch."""
    git(added, "tag", "--annotate", "--message", "first", f"{ARTIFACT}@v1.0.0")
    git(added, "checkout", "--quiet", "-b", "relabelled")
    tags = added / TAGS
    tags.write_text(tags.read_text().replace("train,a,ski,", "train,a,city,"))
    git(added, "commit", "--quiet", "--all", "--message", "Relabel")
    return added


def stems(run: Run, root: Path, *words: str) -> list[str]:
    return run("lookup", "ski", "--stems", *words, cwd=root).out.split()


@pytest.mark.parametrize("name", ["1.0.0", "v1.0.0", f"{ARTIFACT}@v1.0.0", "HEAD~1", "main"])
def test_lookup_reads_a_revision_by_each_of_its_names(
    name: str, history: Path, sceneset: Run
) -> None:
    (history / "params.yaml").write_text("subsets: []\n")  # the working tree is not read
    before = snapshot(history), git(history, "status", "--porcelain")
    assert stems(sceneset, history, "--rev", name) == ["a", "b", "c", "d"]
    assert stems(sceneset, history, "--rev", "relabelled") == ["b", "c", "d"]
    assert (snapshot(history), git(history, "status", "--porcelain")) == before


def test_lookup_finds_a_version_by_its_record_when_the_tag_is_missing(
    history: Path, sceneset: Run
) -> None:
    git(history, "tag", "--delete", f"{ARTIFACT}@v1.0.0")
    record = history / "registry/versions/1.0.0.yaml"
    record.parent.mkdir()
    record.write_text(f"version: 1.0.0\nstate: {state(history)}\n")
    git(history, "add", "--all")
    git(history, "commit", "--quiet", "--message", "Release")
    tags = history / TAGS
    tags.write_text(tags.read_text().replace(",ski,", ",sea,"))
    git(history, "commit", "--quiet", "--all", "--message", "Relabel more")
    assert stems(sceneset, history) == []
    assert stems(sceneset, history, "--rev", "1.0.0") == ["b", "c", "d"]


def test_lookup_suggests_the_nearest_revision_when_one_is_unknown(
    history: Path, sceneset: Run
) -> None:
    outcome = sceneset("lookup", "--rev", "1.0.1", cwd=history)
    assert outcome.code == 2
    assert "Nearest: 1.0.0" in outcome.err
    assert sceneset("lookup", "--rev", "--help", cwd=history).code == 2
    assert sceneset("lookup", "--rev=--output=x", cwd=history).code == 2


def test_commands_read_another_repository_by_folder_or_url(
    history: Path, tmp_path: Path, sceneset: Run
) -> None:
    url = f"file://{history}"
    for repo in (history, url):
        for words in (("show", "web", "--json"), ("scenes", "--json"), ("check", "--json")):
            outcome = sceneset(*words, "--repo", repo, "--rev", "1.0.0", cwd=tmp_path)
            assert outcome.code == 0, outcome.err
    assert stems(sceneset, tmp_path, "--repo", url) == ["b", "c", "d"]
    # The mirror is fetched each time.
    git(history, "revert", "--no-edit", "HEAD")
    assert stems(sceneset, tmp_path, "--repo", url) == ["a", "b", "c", "d"]


def test_lookup_fails_when_the_repository_does_not_exist(tmp_path: Path, sceneset: Run) -> None:
    outcome = sceneset("lookup", "--repo", f"file://{tmp_path}/nowhere", cwd=tmp_path)
    assert outcome.code == 2
    assert "git clone failed" in outcome.err


def test_lookup_reads_a_revision_when_the_registry_is_in_a_subfolder(
    tmp_path: Path, added: Path, sceneset: Run
) -> None:
    top = tmp_path / "monorepo"
    top.mkdir(exist_ok=True)
    subprocess.run(["cp", "-a", added, top / "data"], check=True)
    subprocess.run(["rm", "-rf", top / "data/.git"], check=True)
    git(top, "init", "--quiet", "--initial-branch=main")
    git(top, "add", "--all")
    git(top, "commit", "--quiet", "--message", "Add everything")
    (top / "data" / TAGS).unlink()
    assert stems(sceneset, top / "data", "--rev", "HEAD") == ["a", "b", "c", "d"]


def test_registry_opens_a_revision_from_python(history: Path) -> None:
    old = Registry.open(history, rev="1.0.0")
    assert {tag.stem for tag in old.tags(NAME) if tag.scenes[0].scene == "ski"} == set("abcd")
    with pytest.raises(UnknownRevisionError):
        Registry.open(history, rev="2.0.0")


def state(root: Path) -> str:
    """Return the digest of the state, as a version's record gives it."""
    return md5_of((root / "registry/manifest.json").read_bytes())


def release(root: Path, message: str, number: str = "1.1.0") -> None:
    """Commit the record of a version, without a tag."""
    record = root / f"registry/versions/{number}.yaml"
    record.parent.mkdir(exist_ok=True)
    record.write_text(f"version: {number}\nstate: {state(root)}\nnotes: {message}\n")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", message)


def test_lookup_fails_when_two_commits_added_the_same_version(history: Path, sceneset: Run) -> None:
    first = git(history, "rev-parse", "--abbrev-ref", "HEAD").strip()
    release(history, "One")
    git(history, "checkout", "--quiet", "-b", "other", "HEAD~1")
    release(history, "Two")
    outcome = sceneset("lookup", "--rev", "1.1.0", cwd=history)
    assert outcome.code == 2
    for branch in (first, "other"):
        assert git(history, "rev-parse", branch)[:12] in outcome.err
    git(history, "tag", "--annotate", "--message", "one", f"{ARTIFACT}@v1.1.0", first)
    assert sceneset("lookup", "--rev", "1.1.0", cwd=history).code == 0, "the tagged commit is used"
    git(history, "tag", "--force", f"{ARTIFACT}@v1.1.0", f"{first}~1")
    outcome = sceneset("lookup", "--rev", "1.1.0", cwd=history)
    assert outcome.code == 2
    assert "no record of it" in outcome.err


def test_lookup_fails_when_the_tag_of_a_version_moved_at_the_origin(
    history: Path, tmp_path: Path, sceneset: Run
) -> None:
    url = ("--repo", f"file://{history}")
    git(history, "tag", f"{ARTIFACT}@v2.0.0")
    assert stems(sceneset, tmp_path, *url, "--rev", "1.0.0") == ["a", "b", "c", "d"]
    old = git(history, "rev-parse", "main")[:12]
    git(history, "tag", "--force", f"{ARTIFACT}@v1.0.0", "relabelled")
    git(history, "tag", "new")
    for _ in range(2):
        outcome = sceneset("lookup", *url, "--rev", "1.0.0", cwd=tmp_path)
        assert outcome.code == 2
        assert "version 1.0.0 is ambiguous" in outcome.err
        assert old in outcome.err
    assert stems(sceneset, tmp_path, *url, "--rev", "2.0.0") == ["b", "c", "d"]
    assert stems(sceneset, tmp_path, *url, "--rev", "new") == ["b", "c", "d"]
    # When the tag is moved back, the version can be read again.
    git(history, "tag", "--force", f"{ARTIFACT}@v1.0.0", "main")
    assert stems(sceneset, tmp_path, *url, "--rev", "1.0.0") == ["a", "b", "c", "d"]


@pytest.mark.faults
def test_lookup_works_when_many_processes_use_one_mirror(history: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "sceneset", "lookup", "ski", "--stems"]
    command += ["--repo", f"file://{history}", "--rev", "1.0.0"]
    for turn in range(2):  # the first time it is cloned, then fetched
        jobs = [
            subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True)
            for _ in range(6)
        ]
        assert [job.communicate()[0].split() for job in jobs] == [["a", "b", "c", "d"]] * 6
        git(history, "commit", "--quiet", "--allow-empty", "--message", "More")
        git(history, "tag", f"more-{turn}")


def test_registry_looks_up_pulls_and_diffs_from_python(history: Path, tmp_path: Path) -> None:
    old = Registry.open(history, rev="1.0.0")
    assert [sample.tag.stem for sample in old.lookup("滑雪", persons="single")] == ["a", "b"]
    with pytest.raises(UnknownNameError, match="Nearest: ski"):
        old.lookup("skii")
    for new in ("relabelled", Registry.open(history)):
        assert {c.sample.place.stem: c.kind for c in old.diff(new).changes} == {"a": "scenes"}
    result = old.pull("ski", to=tmp_path / "out", subsets=["web"], folders=["ann_dir"])
    assert (result.files, result.fetched, result.bad) == (4, 0, {}), "all blobs are in the cache"
    assert (tmp_path / "out" / NAME / "ann_dir/train/d.png").is_file()
    record = json.loads((tmp_path / "out/sceneset.json").read_text())
    assert record["version"] == "1.0.0"
    assert record["commit"] == git(history, "rev-parse", "main").strip()
    with pytest.raises(DestinationError):
        old.pull("sea", to=tmp_path / "out")


def test_commands_work_when_branches_and_tags_have_unusual_names(
    released: Path, tmp_path: Path, sceneset: Run
) -> None:
    for name in ("a\u3000b", "c\u2028d", "e\u0085f"):
        git(released, "branch", name)
        git(released, "tag", f"tag-{name}")
        git(released, "tag", f"insta360-semantic-seg@v1.0.0{name}")
    for repo in (".", f"file://{released}", f"file://{released}"):  # clones, then fetches
        words = ("lookup", "ski", "--stems", "--repo", repo, "--rev")
        for rev in ("1.0.0", "a\u3000b", "tag-c\u2028d"):
            assert sceneset(*words, rev, cwd=released).out.split() == ["a", "b", "c", "d"]
        assert sceneset(*words, "nothing", cwd=released).code == 2
    image = f"{NAME}/train/a"
    done = sceneset("forget", image, "--reason", "x", "--dry-run", "--json", cwd=released)
    assert done.code == 0, done.err


def test_latest_is_the_greatest_number_of_head_and_of_all_tags(
    history: Path, sceneset: Run
) -> None:
    assert latest_version(history) == "1.0.0"
    assert stems(sceneset, history, "--rev", "latest") == ["a", "b", "c", "d"]
    git(history, "checkout", "--quiet", "-b", "side")
    git(history, "commit", "--quiet", "--allow-empty", "--message", "Elsewhere")
    for name in ("10.0.0", "9.0.0", "next"):
        git(history, "tag", f"{ARTIFACT}@v{name}")
    git(history, "checkout", "--quiet", "relabelled")
    assert latest_version(history) == "10.0.0", "numbers are compared as numbers"
    release(history, "A record without a tag", "10.0.1")
    assert latest_version(history) == "10.0.1"
    url = f"file://{history}"
    found = [Registry.open(url, rev=rev).origin for rev in ("latest", "HEAD")]
    head = git(history, "rev-parse", "HEAD").strip()
    assert [origin and origin.commit for origin in found] == [head, head]
    git(history, "tag", f"{ARTIFACT}@v10.0.1")
    git(history, "revert", "--no-edit", "HEAD")
    assert latest_version(history) == "10.0.0", "the release of 10.0.1 was reverted"


def test_latest_is_a_branch_of_this_name_if_there_is_one(history: Path, sceneset: Run) -> None:
    git(history, "branch", "latest", "HEAD")
    assert stems(sceneset, history, "--rev", "latest") == ["b", "c", "d"]


def test_latest_is_unknown_when_there_is_no_version(added: Path, sceneset: Run) -> None:
    outcome = sceneset("lookup", "ski", "--rev", "latest", cwd=added)
    assert (outcome.code, "there is no version yet" in outcome.err) == (2, True)
