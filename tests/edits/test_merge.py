"""`sceneset merge`: two branches end as the same work on one branch, byte for byte."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from support.build import NAME, Run, dvc, git, make_delivery, snapshot, write_image

TAGS = f"registry/tags/{NAME}.csv"
Work = Callable[[Path, Run], None]


def reproduce(root: Path) -> None:
    dvc(root, "repro", "--quiet", "--allow-missing")


def commit(root: Path, message: str = "A change") -> None:
    git(root, "add", "--all")
    git(root, "commit", "--quiet", "--message", message)


def add(note: str, first: int) -> Work:
    def work(root: Path, sceneset: Run) -> None:
        folder = root.parent / f"{root.name}-{note}"
        stems = [f"{note}{n}" for n in range(first, first + 3)]
        make_delivery(folder, {"total.txt": stems, "ski.txt": stems}, train=stems)
        for number, stem in enumerate(stems):
            write_image(folder / f"img_dir/train/{stem}.jpg", first + number)
        name = f"CustomSeg_Person_20240201_{note}"
        outcome = sceneset("add", folder, "--name", name, cwd=root)
        assert outcome.code == 0, outcome.err
        reproduce(root)

    return work


def forget(stem: str) -> Work:
    def work(root: Path, sceneset: Run) -> None:
        words = ("forget", f"web/train/{stem}", "--reason", f"case {stem}")
        outcome = sceneset(*words, cwd=root)
        assert outcome.code == 0, outcome.err

    return work


def edit(file: str, pattern: str, new: str) -> Work:
    def work(root: Path, sceneset: Run) -> None:
        text = (root / file).read_text("utf-8")
        assert len(re.findall(pattern, text)) == 1, text
        (root / file).write_text(re.sub(pattern, new, text), "utf-8")
        reproduce(root)

    return work


def append(file: str, lines: str) -> Work:
    def work(root: Path, sceneset: Run) -> None:
        with (root / file).open("a", encoding="utf-8") as opened:
            opened.write(lines)
        reproduce(root)

    return work


def run(*words: str) -> Work:
    def work(root: Path, sceneset: Run) -> None:
        outcome = sceneset(*words, cwd=root)
        assert outcome.code == 0, outcome.err

    return work


def grow(note: str, first: int) -> Work:
    def work(root: Path, sceneset: Run) -> None:
        folder = root.parent / f"{root.name}-{note}"
        stems = [f"{note}{n}" for n in range(3)]
        make_delivery(folder, {"total.txt": stems, "ski.txt": stems}, train=stems)
        for number, stem in enumerate(stems):
            write_image(folder / f"img_dir/train/{stem}.jpg", first + number)
        run("add", str(folder), "--to", "web")(root, sceneset)

    return work


SCENE = """  - key: {0}
    name: {{en: {0}}}
    file_stem: {0}
"""

PAIRS = {
    "two subsets": (add("b", 100), add("c", 200)),
    "two withdrawals": (forget("a"), forget("c")),
    "a subset and a withdrawal": (add("b", 100), forget("a")),
    "tags of neighbours": (
        edit(TAGS, "train,a,ski,", "train,a,ski;city,"),
        edit(TAGS, "train,b,ski,", "train,b,ski;city,"),
    ),
    "scenes of one sample": (
        edit(TAGS, "train,a,ski,", "train,a,ski;city,"),
        edit(TAGS, "(train,a,.*,single),,", r"\1,2,"),
    ),
    "two scenes": (
        append("registry/scenes.yaml", SCENE.format("beach")),
        append("registry/scenes.yaml", SCENE.format("desert")),
    ),
    "new samples on both sides": (grow("m", 100), grow("n", 200)),
    "a move and other tags": (
        run("move", "ski", "--match", "a", "--phase", "val"),
        run("tag", "ski", "--match", "[bc]", "--boxes", "3"),
    ),
    "a drop and a move": (
        run("drop", "--match", "a", "--reason", "x"),
        run("move", "ski", "--match", "c", "--phase", "val"),
    ),
    "a tag of a moved sample": (
        run("move", "ski", "--match", "a", "--phase", "val"),
        run("tag", "ski", "--match", "a", "--boxes", "3"),
    ),
    "selections": (
        edit(
            "params.yaml",
            r"selections:(?: \{\}|(.*))\n\Z",
            r"selections:\1\n  snow: {scenes: [ski]}\n",
        ),
        edit(
            "params.yaml",
            r"(?s)selections:(?: \{\}|(.*))\n\Z",
            r"selections:\1\n  town: {scenes: [city]}\n",
        ),
    ),
}


QUICK = ("a subset and a withdrawal",)
RARE = ("tags of neighbours", "a tag of a moved sample", "a move and other tags")
"""Merges of parts that other pairs merge too."""


def _marks(pair: str) -> list[pytest.MarkDecorator]:
    if pair in RARE:
        return [pytest.mark.sweep]
    return [] if pair in QUICK else [pytest.mark.faults]


@pytest.fixture
def merged(tmp_path: Path, sceneset: Run) -> Callable[..., tuple[Path, Path]]:
    """A function that does works on branches, merges them, and does the same on one branch."""

    def run(template: Path, *works: Work) -> tuple[Path, Path]:
        both = Path(shutil.copytree(template, tmp_path / "both", symlinks=True))
        one = Path(shutil.copytree(template, tmp_path / "one", symlinks=True))
        start = git(both, "rev-parse", "HEAD").strip()
        for number, work in enumerate(works):
            git(both, "checkout", "--quiet", "-b", f"branch{number}", start)
            dvc(both, "checkout", "--quiet")
            work(both, sceneset)
            commit(both)
            work(one, sceneset)
            commit(one)
        git(both, "checkout", "--quiet", "branch0")
        dvc(both, "checkout", "--quiet")
        for number in range(1, len(works)):
            merge_branch(both, f"branch{number}", sceneset)
        return both, one

    return run


def merge_branch(root: Path, branch: str, sceneset: Run) -> None:
    command = ["git", "-c", "user.name=T", "-c", "user.email=t@example.com", "merge", branch]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode, "there was no conflict"
    outcome = sceneset("merge", cwd=root)
    assert outcome.code == 0, outcome.out + outcome.err
    assert not git(root, "ls-files", "--unmerged")
    git(root, "commit", "--quiet", "--no-edit")
    dvc(root, "checkout", "--quiet")


@pytest.mark.parametrize(
    "pair",
    [pytest.param(name, marks=_marks(name)) for name in PAIRS],
)
def test_two_branches_end_as_one(
    pair: str, added: Path, merged: Callable[..., tuple[Path, Path]], sceneset: Run
) -> None:
    both, one = merged(added, *PAIRS[pair])
    assert snapshot(both) == snapshot(one)
    assert not git(both, "status", "--porcelain")
    assert sceneset("check", cwd=both).code == sceneset("check", cwd=one).code
    assert dvc(both, "status", "--quiet", check=False).code == 0


@pytest.mark.faults
def test_three_branches_end_as_one(
    added: Path, merged: Callable[..., tuple[Path, Path]], sceneset: Run
) -> None:
    both, one = merged(added, add("b", 100), forget("a"), forget("c"))
    assert snapshot(both) == snapshot(one)
    assert dvc(both, "status", "--quiet", check=False).code == 0


def on_branches(root: Path, sceneset: Run, *works: Work) -> None:
    """Do works on branches, without their images, and merge the second into the first."""
    shutil.rmtree(root / f"Insta360SemanticSeg/{NAME}/img_dir")
    shutil.rmtree(root / f"Insta360SemanticSeg/{NAME}/ann_dir")
    for number, work in enumerate(works):
        git(root, "checkout", "--quiet", "-b", f"branch{number}", "HEAD" if not number else "HEAD^")
        work(root, sceneset)
        commit(root)
    git(root, "checkout", "--quiet", "branch0")
    done = run_git(root, "merge", "branch1")
    assert done.returncode, "there was no conflict"


def run_git(root: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    command = ["git", "-c", "user.name=T", "-c", "user.email=t@example.com", *words]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = {**os.environ, "PATH": path, "GIT_EDITOR": "true"}
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, env=env)


def text_edit(file: str, pattern: str, new: str) -> Work:
    def work(root: Path, sceneset: Run) -> None:
        text = (root / file).read_text("utf-8")
        (root / file).write_text(re.sub(pattern, new, text), "utf-8")

    return work


def persons(value: str) -> Work:
    return text_edit(TAGS, "train,a,ski,single", f"train,a,ski,{value}")


def test_values_that_both_sides_changed_are_named_and_nothing_changes(
    added: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_branches(added, sceneset, persons("multi"), persons(""))
    before, unmerged = snapshot(added), git(added, "ls-files", "--unmerged")
    outcome = sceneset("merge", "--json", cwd=added)
    assert outcome.code == 1
    assert "[merge-conflict]" in outcome.err
    assert TAGS in outcome.err
    assert "train 'a'" in outcome.err
    assert "persons" in outcome.err
    assert "ours: 'multi'; theirs: no value" in outcome.err
    assert "--theirs" in outcome.err
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert "我方：'multi'；对方：没有值" in sceneset("merge", cwd=added).err
    assert (snapshot(added), git(added, "ls-files", "--unmerged")) == (before, unmerged)
    outcome = sceneset("merge", "--theirs", "--json", cwd=added)
    assert outcome.code == 0, outcome.err
    assert TAGS in outcome.json["files"]
    assert "train,a,ski,,," in (added / TAGS).read_text()
    assert not git(added, "ls-files", "--unmerged")


def test_a_file_that_was_edited_by_hand_is_not_overwritten(added: Path, sceneset: Run) -> None:
    on_branches(added, sceneset, persons("multi"), persons(""))
    text = (added / TAGS).read_text().splitlines(keepends=True)
    edited = "".join(line for line in text if not line.startswith(("<<<", "===", ">>>", "train,a")))
    (added / TAGS).write_text(edited)
    outcome = sceneset("merge", "--theirs", cwd=added)
    assert outcome.code == 1
    assert f"git add {TAGS}" in outcome.err
    assert (added / TAGS).read_text() == edited


def test_a_dry_run_says_what_would_be_merged(added: Path, sceneset: Run) -> None:
    city = text_edit(TAGS, "train,a,ski,", "train,a,ski;city,")
    on_branches(added, sceneset, city, text_edit(TAGS, "train,b,ski,", "train,b,ski;city,"))
    (added / "README.md").write_text("edited")
    before = snapshot(added)
    outcome = sceneset("merge", "--dry-run", "--json", cwd=added)
    assert outcome.code == 0, outcome.err
    assert outcome.json["files"] == [TAGS]
    assert not outcome.json["changed"]
    assert snapshot(added) == before


def test_a_withdrawn_sample_stays_withdrawn_when_the_other_side_changed_it(
    added: Path, sceneset: Run
) -> None:
    on_branches(added, sceneset, forget("a"), persons("multi"))
    outcome = sceneset("merge", cwd=added)
    assert outcome.code == 0, outcome.err
    assert "train,a," not in (added / TAGS).read_text()
    assert sceneset("check", cwd=added).code == 0


def test_git_merges_sources_itself_with_the_driver(added: Path, sceneset: Run) -> None:
    assert sceneset("merge", "--install-driver", cwd=added).code == 0
    city, town = (text_edit(TAGS, f"train,{s},ski,", f"train,{s},ski;city,") for s in "ab")
    with pytest.raises(AssertionError, match="no conflict"):
        on_branches(added, sceneset, city, town)
    assert (added / TAGS).read_text().count("ski;city") == 2
    # Git has committed; the generated files are made again.
    outcome = sceneset("merge", cwd=added)
    assert outcome.code == 0, outcome.err
    assert sceneset("check", cwd=added).code == 0


def test_the_driver_leaves_conflict_markers_where_both_sides_changed_a_value(
    added: Path, sceneset: Run
) -> None:
    assert sceneset("merge", "--install-driver", cwd=added).code == 0
    on_branches(added, sceneset, persons("multi"), persons(""))
    assert "<<<<<<< " in (added / TAGS).read_text()


@pytest.mark.faults
def test_a_rebase_in_a_folder_of_a_larger_repository(
    added: Path, tmp_path: Path, sceneset: Run
) -> None:
    outer = tmp_path / "outer"
    outer.mkdir()
    git(outer, "init", "--quiet")
    shutil.rmtree(added / ".git")
    root = Path(shutil.move(added, outer / "data"))
    (root / ".dvc/config").write_text("[core]\n    analytics = false\n    autostage = false\n")
    commit(root, "start")
    for number, stem in enumerate("ac"):
        git(root, "checkout", "--quiet", "-b", f"branch{number}", "HEAD" if not number else "HEAD^")
        dvc(root, "checkout", "--quiet")
        forget(stem)(root, sceneset)
        commit(root)
    assert run_git(root, "rebase", "branch0").returncode
    outcome = sceneset("merge", cwd=root)
    assert outcome.code == 0, outcome.out + outcome.err
    done = run_git(root, "rebase", "--continue")
    assert done.returncode == 0, done.stderr
    dvc(root, "checkout", "--quiet")
    rows = (root / TAGS).read_text().splitlines()
    assert [row.split(",")[1] for row in rows] == ["stem", "b", "d"]
    assert sceneset("check", cwd=root).code == 0
    assert not git(root, "status", "--porcelain")
