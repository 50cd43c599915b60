"""Versions are made wholly or not at all, and only of states that keep what they promise."""

import shutil
from pathlib import Path

import pytest

from sceneset.versions import release as versions
from sceneset.versions.revisions import ARTIFACT
from support.build import NAME, Outcome, Run, dvc, git, snapshot, write_mask

DATA = f"Insta360SemanticSeg/{NAME}"
TAGS = f"registry/tags/{NAME}.csv"


def commit(root: Path, message: str = "A change") -> None:
    dvc(root, "repro", "--quiet")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", message)


def refs(root: Path) -> str:
    return git(root, "for-each-ref")


def test_a_release_is_a_record_a_changelog_entry_a_commit_and_a_tag(
    ready: Path, sceneset: Run
) -> None:
    outcome = sceneset("release", "1.0.0", "--notes", "第一版", cwd=ready)
    assert outcome.code == 0, outcome.err
    assert git(ready, "status", "--porcelain") == ""
    tag = f"{ARTIFACT}@v1.0.0"
    assert git(ready, "cat-file", "-t", f"refs/tags/{tag}").strip() == "tag", "annotated"
    assert git(ready, "rev-parse", f"{tag}^{{commit}}") == git(ready, "rev-parse", "HEAD")
    changed = git(ready, "diff", "--name-only", "HEAD~1").split()
    assert changed == ["CHANGELOG.md", "registry/versions/1.0.0.yaml"]
    assert "### 1.0.0" in (ready / "CHANGELOG.md").read_text("utf-8")
    [record] = sceneset("versions", "--json", cwd=ready).json
    assert (record["version"], record["samples"], record["notes"]) == ("1.0.0", 4, "第一版")
    again = refs(ready)
    assert sceneset("release", "1.0.0", cwd=ready).code == 0, "the same call has nothing to do"
    assert refs(ready) == again


def test_dvc_alone_gets_a_version(ready: Path, tmp_path: Path, sceneset: Run) -> None:
    assert sceneset("release", "1.0.0", cwd=ready).code == 0
    words = ("artifacts", "get", str(ready), ARTIFACT, "--rev", "v1.0.0", "--out", "got")
    dvc(tmp_path, *words)
    for folder in ("img_dir", "ann_dir", "split_dir"):
        assert snapshot(tmp_path / "got" / NAME / folder) == snapshot(ready / DATA / folder)
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "--quiet")
    dvc(other, "init", "--quiet")
    rev = ("--rev", f"{ARTIFACT}@v1.0.0")
    dvc(other, "import", str(ready), f"{DATA}/ann_dir", *rev, "--out", "masks")
    assert snapshot(other / "masks") == snapshot(ready / DATA / "ann_dir")


def refused(outcome: Outcome, code: str) -> str:
    assert outcome.code == 1, outcome.err
    assert f"[{code}]" in outcome.err
    return outcome.err


def test_a_dirty_tree_is_refused(ready: Path, sceneset: Run) -> None:
    (ready / "notes.txt").write_text("mine")
    assert "notes.txt" in refused(sceneset("release", "1.0.0", cwd=ready), "release-dirty")


def test_a_stale_pipeline_is_refused(ready: Path, sceneset: Run) -> None:
    tags = ready / TAGS
    tags.write_text(tags.read_text().replace("train,a,ski,single", "train,a,ski,multi"))
    git(ready, "commit", "--quiet", "--all", "--message", "Relabel, and no repro")
    refused(sceneset("release", "1.0.0", cwd=ready), "release-stale")


def test_a_blob_that_is_not_on_the_remote_is_named(
    ready: Path, tmp_path: Path, sceneset: Run
) -> None:
    samples = sceneset("lookup", "--samples", "--json", cwd=ready).json
    md5 = next(s["image_md5"] for s in samples if s["stem"] == "b")
    (ready.parent / "store/files/md5" / md5[:2] / md5[2:]).unlink()
    before = refs(ready)
    said = refused(sceneset("release", "1.0.0", cwd=ready), "blob-absent")
    assert f"{NAME}/img_dir/train/b" in said
    assert (refs(ready), git(ready, "status", "--porcelain")) == (before, "")


def test_one_other_mask_asks_for_a_major_step(ready: Path, sceneset: Run) -> None:
    assert sceneset("release", "1.0.0", cwd=ready).code == 0
    write_mask(ready / DATA / "ann_dir/train/c.png", ignore=True)
    dvc(ready, "add", "--quiet", f"{DATA}/ann_dir")
    commit(ready)
    dvc(ready, "push")
    for number in ("1.0.1", "1.1.0"):
        said = refused(sceneset("release", number, cwd=ready), "release-step")
        assert f"{NAME}/train/c (mask)" in said
        assert "release it as 2.0.0" in said
    assert sceneset("release", "2.0.0", cwd=ready).code == 0
    last = sceneset("versions", "--json", cwd=ready).json[-1]
    assert (last["previous"], last["changes"]["samples"]) == ("1.0.0", {"mask": 1})


def test_a_state_has_one_version_and_numbers_rise(ready: Path, sceneset: Run) -> None:
    assert sceneset("release", "1.0.0", cwd=ready).code == 0
    refused(sceneset("release", "1.0.1", cwd=ready), "release-same")
    refused(sceneset("release", "0.9.0", cwd=ready), "release-number")
    assert sceneset("release", "one", cwd=ready).code == 2


def test_words_alone_are_a_patch(ready: Path, sceneset: Run) -> None:
    assert sceneset("release", "1.0.0", cwd=ready).code == 0
    entry = ready / f"registry/subsets/{NAME}.yaml"
    entry.write_text(entry.read_text() + "description: {en: words}\n")
    commit(ready)
    assert sceneset("release", "1.0.1", cwd=ready).code == 0
    assert [v["version"] for v in sceneset("versions", "--json", cwd=ready).json] == [
        "1.0.0", "1.0.1",
    ]  # fmt: skip
    text = (ready / "CHANGELOG.md").read_text()
    assert text.index("### 1.0.1") < text.index("### 1.0.0")


def test_cut_off_before_or_after_the_tag(
    ready: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, run = refs(ready), versions.git

    def stops_at(word: str) -> None:
        def stopping(repo: Path, *words: str, **options: object) -> str:
            if words[0] == word:
                raise KeyboardInterrupt
            return run(repo, *words, **options)  # type: ignore[arg-type]

        monkeypatch.setattr(versions, "git", stopping)

    stops_at("update-ref")
    assert sceneset("release", "1.0.0", cwd=ready).code == 130
    assert (refs(ready), git(ready, "status", "--porcelain")) == (before, "")
    stops_at("checkout")  # branch and tag are there, the files are not yet
    assert sceneset("release", "1.0.0", cwd=ready).code == 130
    monkeypatch.setattr(versions, "git", run)
    assert sceneset("release", "1.0.0", cwd=ready).code == 0
    assert git(ready, "status", "--porcelain") == ""
    assert len(sceneset("versions", "--json", cwd=ready).json) == 1


def test_it_works_where_no_blob_is(ready: Path, tmp_path: Path, sceneset: Run) -> None:
    git(ready, "clone", "--quiet", str(ready), str(ready.parent / "clone"))
    outcome = sceneset("release", "1.0.0", cwd=ready.parent / "clone")
    assert outcome.code == 0, outcome.err
    assert not (ready.parent / "clone" / DATA / "img_dir").exists()
    shutil.rmtree(ready.parent / "clone")
