"""DVC is started only on files that run no program of the repository and stay small."""

import subprocess
from pathlib import Path

import pytest

from sceneset.errors import DvcError, FindingsError
from sceneset.storage.dvc import TEXT_STAGES, Project, dvc, is_current
from sceneset.storage.pipeline_guard import check_dvc_files
from support.build import NAME, Run, git

BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
)


@pytest.mark.parametrize(
    "name", ["dvc.lock", "dvc.yaml", f"Insta360SemanticSeg/{NAME}/img_dir.dvc"]
)
def test_alias_bomb_never_reaches_dvc(
    name: str, added: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (added / name).write_text(BOMB + (added / name).read_text("utf-8"))

    def started(*_: object, **__: object) -> None:
        raise AssertionError("DVC was started")

    monkeypatch.setattr(subprocess, "run", _only_git(subprocess.run))
    for call in (
        lambda: is_current(added, TEXT_STAGES),
        lambda: dvc(added, "repro", "--dry"),
        lambda: dvc(added, "add", added / "x"),
    ):
        with pytest.raises(FindingsError) as refused:
            call()
        [finding] = refused.value.findings
        assert (finding.code, finding.file) == ("yaml-alias", name)


def _only_git(run: object) -> object:
    def checked(command: list[str], **options: object) -> object:
        assert command[0] == "git", f"{command} was started"
        return run(command, **options)  # type: ignore[operator]

    return checked


def test_review_refuses_an_alias_bomb_of_a_pull_request(added: Path, sceneset: Run) -> None:
    lock = added / "dvc.lock"
    lock.write_text(BOMB + lock.read_text("utf-8"))
    git(added, "commit", "--quiet", "--all", "--message", "A small change")
    outcome = sceneset("review", "HEAD~1", cwd=added)
    assert outcome.code == 1
    assert "yaml-alias" in outcome.out + outcome.err
    assert "dvc.lock" in outcome.out + outcome.err


def test_check_dvc_files_accepts_the_pipeline_and_a_few_aliases(added: Path) -> None:
    check_dvc_files(added, runs_stages=True)
    path = added / "dvc.yaml"
    path.write_text(
        path.read_text("utf-8").replace(
            "stages:\n",
            "stages:\n  train: &train\n    cmd: a && b\n"
            "    outs: [model]\n  again:\n    <<: *train\n    outs: [other]\n",
            1,
        )
    )
    check_dvc_files(added, runs_stages=True)


EVIL = "touch marker"
CHECK = "cmd: python -m sceneset.stages.check\n"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (CHECK, f"cmd: {EVIL}\n", "the stage check runs"),
        (CHECK, f"cmd: python -m sceneset.stages.check; {EVIL}\n", "the stage check runs"),
        (CHECK, f"cmd:\n      - python -m sceneset.stages.check\n      - {EVIL}\n", "runs"),
        (CHECK, f"wdir: evil\n    {CHECK}", "wdir"),
        ("stages:\n", f"vars:\n  - algorithms:\n      scan: 1; {EVIL}\nstages:\n", "`vars`"),
        ("foreach: ${subsets}", f"foreach: ['a; {EVIL}']", "other items"),
        ("- registry/reports/check.json:", "- ../../other/file:", "writes"),
        ("stages:\n", f"stages:\n  x:\n    cmd: {EVIL}\n    outs: [registry/tags]\n", "may read"),
        ("stages:\n", f"stages:\n  x:\n    cmd: {EVIL}\n    outs: ['${{algorithms.x}}']\n", "may"),
    ],
)
def test_dvc_runs_no_command_of_the_repository(
    old: str, new: str, reason: str, added: Path
) -> None:
    path = added / "dvc.yaml"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(DvcError, match=reason):
        dvc(added, "repro", "--allow-missing", *TEXT_STAGES)
    assert not (added / "marker").exists()


def test_dvc_runs_no_command_of_another_pipeline_in_the_repository(added: Path) -> None:
    (added / "evil").mkdir()
    (added / "evil/dvc.yaml").write_text(
        f"stages:\n  x:\n    cmd: {EVIL}\n    wdir: ..\n    outs: [registry/subsets]\n"
    )
    git(added, "add", "--all")
    with pytest.raises(DvcError, match=r"evil/dvc\.yaml"):
        dvc(added, "repro", "--allow-missing", *TEXT_STAGES)


def test_forget_says_that_it_did_not_run_a_command_of_the_repository(
    added: Path, sceneset: Run
) -> None:
    path = added / "dvc.yaml"
    path.write_text(path.read_text("utf-8").replace(CHECK, f"cmd: {EVIL}\n", 1))
    outcome = sceneset("forget", "web/train/a", "--reason", "x", cwd=added)
    assert outcome.code == 1
    assert "run `dvc repro` yourself if you trust it" in outcome.err
    assert not (added / "marker").exists()


@pytest.mark.parametrize(
    ("option", "line"),
    [
        ("site_cache_dir", "[cache]\n    site_cache_dir = registry/pickles"),
        ("configpath", "    configpath = ../registry/aws.cfg"),
    ],
)
def test_configuration_that_runs_files_of_the_repository_is_refused(
    option: str, line: str, added: Path
) -> None:
    path = added / ".dvc/config"
    path.write_text(f"{path.read_text('utf-8')}['remote \"s\"']\n    url = s3://b/x\n{line}\n")
    for call in (lambda: Project(added), lambda: dvc(added, "status")):
        with pytest.raises(DvcError, match=option):
            call()


def test_configuration_outside_of_the_repository_is_obeyed(added: Path, tmp_path: Path) -> None:
    (tmp_path / "aws.cfg").write_text("")
    path = added / ".dvc/config"
    line = f"    configpath = {tmp_path / 'aws.cfg'}\n"
    path.write_text(f"{path.read_text('utf-8')}['remote \"s\"']\n    url = s3://b/x\n{line}")
    name, remotes = Project(added).address("s")
    assert remotes[name]["configpath"] == str(tmp_path / "aws.cfg")
