"""Releases are atomic, and only complete and correct states are released."""

import shutil
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from sceneset.schemas.finding import finding
from sceneset.schemas.params import DriftParams
from sceneset.storage.files import md5_of
from sceneset.versions import release as release_module
from sceneset.versions import release_commit
from sceneset.versions.drift import Drift, excess
from sceneset.versions.resolve import ARTIFACT
from support.build import NAME, Outcome, Run, dvc, git, snapshot, write_mask

DATA = f"Insta360SemanticSeg/{NAME}"
TAGS = f"registry/tags/{NAME}.csv"


def commit(root: Path, message: str = "A change") -> None:
    dvc(root, "repro", "--quiet")
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", message)


def refs(root: Path) -> str:
    return git(root, "for-each-ref")


def test_release_creates_a_record_a_changelog_entry_a_commit_and_a_tag(
    ready: Path, sceneset: Run
) -> None:
    outcome = sceneset("release", "1.0.0", "--notes", "第一版", cwd=ready)
    assert outcome.code == 0, outcome.err
    assert git(ready, "status", "--porcelain") == ""
    tag = f"{ARTIFACT}@v1.0.0"
    assert git(ready, "cat-file", "-t", f"refs/tags/{tag}").strip() == "tag", "the tag is annotated"
    assert git(ready, "rev-parse", f"{tag}^{{commit}}") == git(ready, "rev-parse", "HEAD")
    changed = git(ready, "diff", "--name-only", "HEAD~1").split()
    names = (".gitignore", "1.0.0.yaml", "index.parquet.dvc")
    assert changed == ["CHANGELOG.md", *(f"registry/versions/{name}" for name in names)]
    assert "### 1.0.0" in (ready / "CHANGELOG.md").read_text("utf-8")
    [record] = sceneset("versions", "--json", cwd=ready).json
    assert (record["version"], record["samples"], record["notes"]) == ("1.0.0", 4, "第一版")
    before = refs(ready)
    assert sceneset("release", "1.0.0", cwd=ready).code == 0, "a second call changes nothing"
    assert refs(ready) == before


def test_dvc_without_sceneset_can_download_a_version(
    ready: Path, tmp_path: Path, sceneset: Run
) -> None:
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


def test_release_fails_when_a_file_is_not_committed(ready: Path, sceneset: Run) -> None:
    (ready / "notes.txt").write_text("mine")
    assert "notes.txt" in refused(sceneset("release", "1.0.0", cwd=ready), "release-dirty")


def test_release_fails_when_the_pipeline_is_out_of_date(ready: Path, sceneset: Run) -> None:
    tags = ready / TAGS
    tags.write_text(tags.read_text().replace("train,a,ski,single", "train,a,ski,multi"))
    git(ready, "commit", "--quiet", "--all", "--message", "Relabel without repro")
    refused(sceneset("release", "1.0.0", cwd=ready), "release-stale")


def test_release_fails_and_names_the_file_when_a_blob_is_not_on_the_remote(
    ready: Path, tmp_path: Path, sceneset: Run
) -> None:
    samples = sceneset("lookup", "--samples", "--json", cwd=ready).json
    md5 = next(s["image_md5"] for s in samples if s["stem"] == "b")
    (ready.parent / "store/files/md5" / md5[:2] / md5[2:]).unlink()
    before = refs(ready)
    error = refused(sceneset("release", "1.0.0", cwd=ready), "blob-absent")
    assert f"{NAME}/img_dir/train/b" in error
    assert (refs(ready), git(ready, "status", "--porcelain")) == (before, "")


def test_release_requires_a_major_step_when_a_mask_changed(ready: Path, sceneset: Run) -> None:
    assert sceneset("release", "1.0.0", cwd=ready).code == 0
    write_mask(ready / DATA / "ann_dir/train/c.png", ignore=True)
    dvc(ready, "add", "--quiet", f"{DATA}/ann_dir")
    commit(ready)
    dvc(ready, "push")
    for number in ("1.0.1", "1.1.0"):
        error = refused(sceneset("release", number, cwd=ready), "release-step")
        assert f"{NAME}/train/c (mask)" in error
        assert "release it as 2.0.0" in error
    assert sceneset("release", "2.0.0", cwd=ready).code == 0
    last = sceneset("versions", "--json", cwd=ready).json[-1]
    assert (last["previous"], last["changes"]["samples"]) == ("1.0.0", {"mask": 1})


def test_release_fails_when_the_state_is_released_or_the_number_is_not_greater(
    ready: Path, sceneset: Run
) -> None:
    assert sceneset("release", "1.0.0", cwd=ready).code == 0
    refused(sceneset("release", "1.0.1", cwd=ready), "release-same")
    refused(sceneset("release", "0.9.0", cwd=ready), "release-number")
    assert sceneset("release", "one", cwd=ready).code == 2


def test_release_accepts_a_patch_step_when_only_a_description_changed(
    ready: Path, sceneset: Run
) -> None:
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


def test_release_can_be_repeated_when_it_was_interrupted(
    ready: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, run = refs(ready), release_commit.git

    def interrupt_at(command: str) -> None:
        def interrupted(repo: Path, *words: str, **options: object) -> str:
            if words[0] == command:
                raise KeyboardInterrupt
            return run(repo, *words, **options)  # type: ignore[arg-type]

        monkeypatch.setattr(release_commit, "git", interrupted)

    interrupt_at("update-ref")
    assert sceneset("release", "1.0.0", cwd=ready).code == 130
    assert (refs(ready), git(ready, "status", "--porcelain")) == (before, "")
    interrupt_at("checkout")  # branch and tag exist, the files do not
    assert sceneset("release", "1.0.0", cwd=ready).code == 130
    monkeypatch.setattr(release_commit, "git", run)
    assert sceneset("release", "1.0.0", cwd=ready).code == 0
    assert git(ready, "status", "--porcelain") == ""
    assert len(sceneset("versions", "--json", cwd=ready).json) == 1


def test_release_works_in_a_clone_without_images(
    ready: Path, tmp_path: Path, sceneset: Run
) -> None:
    git(ready, "clone", "--quiet", str(ready), str(ready.parent / "clone"))
    outcome = sceneset("release", "1.0.0", cwd=ready.parent / "clone")
    assert outcome.code == 0, outcome.err
    assert not (ready.parent / "clone" / DATA / "img_dir").exists()
    shutil.rmtree(ready.parent / "clone")


def test_release_repeated_keeps_what_people_wrote_into_the_changelog(
    ready: Path, sceneset: Run
) -> None:
    assert sceneset("release", "1.0.0", cwd=ready).code == 0
    file = ready / "CHANGELOG.md"
    text = file.read_text() + "\n- written by hand\n"
    file.write_text(text)
    assert sceneset("release", "1.0.0", cwd=ready).code == 0
    assert file.read_text() == text
    file.unlink()
    assert sceneset("release", "1.0.0", cwd=ready).code == 0
    assert git(ready, "status", "--porcelain") == ""


def test_release_fails_when_the_branch_moves_meanwhile(
    ready: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def move(*_: object, **__: object) -> list[object]:
        git(ready, "commit", "--quiet", "--allow-empty", "--message", "Meanwhile")
        return []

    monkeypatch.setattr(release_module, "_blob_findings", move)
    outcome = sceneset("release", "1.0.0", cwd=ready)
    assert outcome.code == 1
    assert git(ready, "log", "-1", "--format=%s").strip() == "Meanwhile"
    assert git(ready, "tag", "--list") == ""


def test_release_reports_the_file_that_changed_meanwhile_and_not_what_it_led_to(
    ready: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def change(*_: object, **__: object) -> list[object]:
        dvc(ready, "remote", "default", "another")
        return [finding("blob-absent", "its blob is not on the remote", file="a.jpg")]

    dvc(ready, "remote", "add", "another", "../another")
    git(ready, "commit", "--quiet", "--all", "--message", "Another remote")
    monkeypatch.setattr(release_module, "_blob_findings", change)
    outcome = sceneset("release", "1.0.0", cwd=ready)
    assert outcome.code == 1
    assert ".dvc/config: differs from the file in the last commit" in outcome.err
    assert "blob-absent" not in outcome.err


def test_versions_and_release_name_a_version_whose_release_was_reverted(
    released: Path, sceneset: Run
) -> None:
    assert "reverted" not in sceneset("versions", cwd=released).err
    git(released, "revert", "--no-edit", "HEAD")
    shown = sceneset("versions", "--json", cwd=released)
    assert (shown.code, shown.json) == (0, [])
    assert "version 1.0.0 has a tag but no record" in shown.err
    message = refused(sceneset("release", "1.0.0", cwd=released), "release-number")
    command = message.split("`git ")[1].split("`")[0].split()
    git(released, *command)
    commit(released, "The record")
    assert "reverted" not in sceneset("versions", cwd=released).err


def test_a_record_names_what_made_it_and_the_hashes_of_its_inputs(
    ready: Path, sceneset: Run
) -> None:
    words = ("release", "1.0.0", "--remote", "store", "--notes", "private words")
    assert sceneset(*words, cwd=ready).code == 0
    [record] = sceneset("versions", "latest", "--json", cwd=ready).json
    assert record["made_by"] == {
        "sceneset": version("sceneset"),
        "command": "sceneset release 1.0.0 --remote store",
    }
    assert record["inputs"]["params.yaml"] == md5_of((ready / "params.yaml").read_bytes())
    assert {"dvc.yaml", "dvc.lock", "registry/scenes.yaml"} <= record["inputs"].keys()
    assert record["commit"] == git(ready, "rev-parse", "HEAD").strip()
    assert record["released"].startswith(git(ready, "log", "-1", "--format=%cs").strip())
    assert record["signed"] is False


def test_records_of_older_releases_stay_valid(released: Path, sceneset: Run) -> None:
    path = released / "registry/versions/1.0.0.yaml"
    text = path.read_text()
    path.write_text(text[: text.index("made_by:")])
    git(released, "tag", "--delete", f"{ARTIFACT}@v1.0.0")
    [record] = sceneset("versions", "--json", cwd=released).json
    assert (record["made_by"], record["inputs"], record["tag"]) == (None, {}, None)
    run = "https://example.com/1"
    assert (
        sceneset("used", run, "--rev", "latest", "--json", cwd=released).json["version"] == "1.0.0"
    )


def test_release_requires_notes_when_a_scene_changed_more_than_allowed(
    ready: Path, sceneset: Run
) -> None:
    params = ready / "params.yaml"
    text = params.read_text()
    assert "images: null" in text
    params.write_text(text.replace("images: null", "images: 0.3"))
    commit(ready, "Limits")
    assert sceneset("release", "1.0.0", cwd=ready).code == 0, "there is nothing to compare with"
    tags = ready / TAGS
    tags.write_text(tags.read_text().replace("train,a,ski,single", "train,a,ski,multi"))
    commit(ready)
    message = refused(sceneset("release", "2.0.0", cwd=ready), "release-drift")
    assert "ski, single, train (2 -> 1 images)" in message
    assert "--notes" in message
    assert "ski, multi, train (2 -> 3 images)" in message
    assert sceneset("release", "2.0.0", "--notes", "relabelled", cwd=ready).code == 0


@pytest.mark.parametrize(
    ("limits", "drift", "text"),
    [
        ({}, {"images": (1, 100), "colour": 1.0, "size": 9.0}, ""),
        ({"images": 0.5}, {"images": (4, 6)}, ""),
        ({"images": 0.5}, {"images": (4, 1)}, "ski, train (4 -> 1 images)"),
        ({"images": 0.5}, {"images": (0, 9)}, ""),
        ({"images": 0.5}, {"images": (9, 0)}, "ski, train (9 -> 0 images)"),
        ({"colour": 0.1}, {"colour": 0.2}, "ski, train (color by 0.200)"),
        ({"size": 0.5}, {"size": -0.75}, "ski, train (image area by -75 %)"),
        ({"person": 0.0}, {"foreground": 0.01}, "ski, train (person share by +1.0 %)"),
        ({"person": 0.1}, {"foreground": None}, ""),
    ],
)
def test_drift_names_the_changes_above_a_limit(
    limits: dict[str, float], drift: dict[str, Any], text: str
) -> None:
    fields = {"images": (5, 5), "colour": 0.0, "foreground": 0.0, "size": 0.0} | drift
    found = Drift(scene="ski", persons=None, phase="train", **fields)
    assert excess(found, DriftParams(**limits)) == text
