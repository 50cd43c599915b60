"""DVC is started only on files that run no program of the repository and stay small."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from sceneset.errors import DvcError, FindingsError
from sceneset.storage.dvc import TEXT_STAGES, dvc, is_current
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
    started: list[list[str]] = []
    monkeypatch.setattr("sceneset.storage.dvc.subprocess", _Recorder(started))
    dvc(added, "status")
    assert [command[0] for command in started] == [sys.executable], "DVC is started this way"
    started.clear()
    (added / name).write_text(BOMB + (added / name).read_text("utf-8"))
    for call in (
        lambda: is_current(added, TEXT_STAGES),
        lambda: dvc(added, "repro", "--dry"),
        lambda: dvc(added, "add", added / "x"),
    ):
        with pytest.raises(FindingsError) as refused:
            call()
        [finding] = refused.value.findings
        assert (finding.code, finding.file) == ("yaml-alias", name)
        assert started == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("params.yaml", "a: b\n" * 2_000),
        ("dvc.lock", "schema: '2.0'\nstages:\n" + "  s: {cmd: x, a: b, c: d}\n" * 400),
        ("dvc.yaml", f"stages: [{'x,' * 3_000}]\n"),
        (f"Insta360SemanticSeg/{NAME}/img_dir.dvc", "- x\r" * 3_000),
    ],
    ids=["params", "lock", "pipeline", "pointer"],
)
def test_a_file_of_many_values_never_reaches_dvc(
    name: str, text: str, added: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr("sceneset.storage.dvc.subprocess", _Recorder(started))
    monkeypatch.setattr("sceneset.storage.yaml_bounds.MAX_NODES", 2_500)
    (added / name).write_text(text)
    with pytest.raises(FindingsError) as refused:
        is_current(added, TEXT_STAGES)
    [finding] = refused.value.findings
    assert (finding.code, finding.file) == ("file-unreadable", name)
    assert finding.message == "holds more than 2,500 values"
    assert started == []
    (added / name).write_text("# a comment\n" * 3_000)
    is_current(added, TEXT_STAGES)
    assert len(started) == 1, "comments cost DVC nothing"


class _Recorder:
    """Stands for the module subprocess in sceneset.storage.dvc; no command is started."""

    DEVNULL = subprocess.DEVNULL

    def __init__(self, started: list[list[str]]) -> None:
        self.started = started

    def run(self, command: Sequence[str], **_: object) -> "subprocess.CompletedProcess[str]":
        self.started.append(list(command))
        return subprocess.CompletedProcess(command, 0, "{}", "")


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
CHECK = "cmd: python -P -m sceneset.stages.check\n"


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (CHECK, f"cmd: {EVIL}\n", "the stage check runs"),
        (CHECK, f"cmd: python -P -m sceneset.stages.check; {EVIL}\n", "the stage check runs"),
        (CHECK, f"cmd:\n      - python -P -m sceneset.stages.check\n      - {EVIL}\n", "runs"),
        (CHECK, f"wdir: evil\n    {CHECK}", "wdir"),
        ("stages:\n", f"vars:\n  - algorithms:\n      scan: 1; {EVIL}\nstages:\n", "`vars`"),
        ("foreach: ${subsets}", f"foreach: ['a; {EVIL}']", "other items"),
        ("- registry/reports/check.json:", "- ../../other/file:", "writes"),
        ("stages:\n", f"stages:\n  x:\n    cmd: {EVIL}\n    outs: [registry/tags]\n", "may read"),
        ("stages:\n", f"stages:\n  x:\n    cmd: {EVIL}\n    outs: ['${{algorithms.x}}']\n", "may"),
        *(
            ("stages:\n", f"stages:\n  x:\n    cmd: {EVIL}\n    outs: ['{out}']\n", "may read")
            for out in (
                *("../registry/registry/tags", "../registry/params.yaml", "..", "/", "{root}/.."),
                *("{root}/registry/tags", "{root}/link/tags", "link/tags", "remote://x/tags"),
                *("file://{root}/registry/tags", "~/registry/tags"),
            )
        ),
    ],
)
def test_dvc_runs_no_command_of_the_repository(
    old: str, new: str, reason: str, added: Path
) -> None:
    path = added / "dvc.yaml"
    text = path.read_text("utf-8")
    assert old in text
    (added / "link").symlink_to("registry")
    path.write_text(text.replace(old, new.replace("{root}", str(added)), 1))
    with pytest.raises(DvcError, match=reason):
        dvc(added, "repro", "--allow-missing", *TEXT_STAGES)
    assert not (added / "marker").exists()


def test_check_dvc_files_accepts_outputs_that_no_own_stage_reads(added: Path) -> None:
    path = added / "dvc.yaml"
    text = path.read_text("utf-8")
    outs = ["models/a", "registry2", "../beside", "s3://bucket/a", f"{added.parent}/beside"]
    path.write_text(text.replace("stages:\n", f"stages:\n  x:\n    cmd: a\n    outs: {outs}\n", 1))
    check_dvc_files(added, runs_stages=True)


@pytest.mark.parametrize(
    ("text", "row"),
    [("stages: [\n", 2), ("stages: 2024-13-45\n", None), ("? [a]\n: b\n? {c: d}\n: e\n", None)],
)
def test_check_dvc_files_reports_a_pipeline_that_can_not_be_read(
    text: str, row: int | None, added: Path
) -> None:
    (added / "dvc.yaml").write_text(text)
    with pytest.raises(FindingsError) as refused:
        check_dvc_files(added, runs_stages=True)
    [finding] = refused.value.findings
    assert (finding.code, finding.file) == ("yaml-broken", "dvc.yaml")
    assert row is None or finding.row == row


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
