"""No file of a repository is executed or imported, whatever command runs in it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from sceneset.cli.main import COMMANDS
from support.build import NAME, ROOT, git, make_delivery, write_image
from support.models import red_model

pytestmark = pytest.mark.real_processes

MODULES = (
    *("dvc", "yaml", "random", "sitecustomize", "usercustomize", "conftest"),
    *("json", "pickle", "pydantic", "configobj", "PIL", "rich", "numpy", "secrets"),
    *("importlib", "warnings", "contextlib", "collections", "keyword", "operator", "functools"),
    *("reprlib", "types", "runpy", "sceneset"),
)
HOOKS = (
    *("pre-commit", "post-commit", "prepare-commit-msg", "commit-msg", "post-checkout"),
    *("post-index-change", "reference-transaction", "pre-auto-gc", "post-rewrite", "update"),
)
PROGRAMS = Path(sys.executable).parent
RECORDER = ROOT / "tests/programs/recorder"
EXPECTED = {"git", "sh", *(path.name for path in PROGRAMS.glob("python*"))}
"""The programs that sceneset, DVC and the stages may start."""


@pytest.fixture
def markers(ready: Path, tmp_path: Path) -> Path:
    """Plant files that would run in the registry ``ready``; each writes a file in this folder."""
    folder = tmp_path / "markers"
    folder.mkdir()
    for name in MODULES:
        marker = str(folder / f"{name}.py")
        (ready / f"{name}.py").write_text(f"open({marker!r}, 'w').close()\nraise SystemExit(9)\n")
    # A .pth file is obeyed in site-packages only.
    (ready / "evil.pth").write_text(f"import os; os.mkdir({str(folder / 'pth')!r})\n")
    # For files that git reads, and for those that DVC adds to git's index.
    (ready / ".gitattributes").write_text("* filter=evil diff=evil\n")
    for option, value in (("autostage", "true"), ("check_update", "true")):
        subprocess.run([PROGRAMS / "dvc", "config", f"core.{option}", value], cwd=ready, check=True)
    git(ready, "add", "--all")
    git(ready, "commit", "--quiet", "--message", "Helpful scripts")
    subprocess.run([PROGRAMS / "dvc", "push", "--quiet"], cwd=ready, check=True)

    def script(name: str, more: str = "") -> str:
        path = folder.parent / f"run-{name}"
        path.write_text(f"#!/bin/sh\ntouch {folder / name}\n{more}\n")
        path.chmod(0o755)
        return str(path)

    for hook in HOOKS:
        (ready / ".git/hooks").mkdir(exist_ok=True)
        (ready / ".git/hooks" / hook).symlink_to(script(hook))
    included = tmp_path / "included.cfg"
    included.write_text(f"[core]\n\tfsmonitor = {script('included')}\n")
    settings = {
        "include.path": str(included),
        "core.pager": script("pager"),
        "core.editor": script("editor"),
        "core.sshCommand": script("ssh"),
        "core.askPass": script("askpass"),
        "credential.helper": script("credential"),
        "core.alternateRefsCommand": script("alternate-refs"),
        "remote.origin.url": "ssh://127.0.0.1:1/people",
        "remote.origin.fetch": "+refs/heads/*:refs/remotes/origin/*",
        "gpg.program": script("gpg"),
        "merge.evil.driver": script("merge"),
        "init.templateDir": str(_template(tmp_path, script("template"))),
        "diff.external": script("external-diff"),
        "diff.evil.textconv": script("textconv"),
        "filter.evil.smudge": script("smudge", "cat"),
        "filter.evil.clean": script("clean", "cat"),
        "core.fsmonitor": script("fsmonitor"),
    }
    for key, value in settings.items():
        git(ready, "config", key, value)
    for path in folder.iterdir():
        path.unlink()
    return folder


def _template(folder: Path, program: str) -> Path:
    hooks = folder / "template/hooks"
    hooks.mkdir(parents=True)
    for hook in HOOKS:
        (hooks / hook).symlink_to(program)
    return hooks.parent


def names_of(markers: Path) -> set[str]:
    return {path.name for path in markers.iterdir()}


def run(
    *words: object, cwd: Path, record: Path | None = None
) -> "subprocess.CompletedProcess[str]":
    """Run a program as a person does whose environment is activated.

    Args:
        words: The command line.
        cwd: Where it runs.
        record: A folder in which each Python writes down what it starts and reads.
    """
    path = f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}"
    env = {**os.environ, "PATH": path, "SHELL": "/bin/sh"}  # in which DVC runs stages
    if record:
        env |= {"PYTHONPATH": str(RECORDER), "RECORD_TO": str(record), "RECORD_BELOW": str(cwd)}
    return subprocess.run(
        [str(word) for word in words],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def records(folder: Path) -> list[dict[str, Any]]:
    lines = [line for path in folder.iterdir() for line in path.read_text().splitlines()]
    return [json.loads(line) for line in lines]


def check_records(folder: Path) -> None:
    """Check every program that was started, and every Python file that was read."""
    for entry in records(folder):
        words = entry["words"]
        assert entry["kind"] != "read", f"a file of the repository was read as code: {words}"
        if entry["kind"] == "start":
            assert Path(words[0]).name in EXPECTED, f"an unexpected program: {words}"
        elif not entry["safe"]:
            # A script's folder is on its path, not the working folder.
            assert Path(words[1]).parent == PROGRAMS, f"no safe path: {words}"


def test_planted_files_run_without_protection(ready: Path, markers: Path, tmp_path: Path) -> None:
    """What is planted works: git and DVC alone run it. Else the tests below could not fail."""
    unsafe = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    command = [sys.executable, "-m", "dvc", "status"]
    subprocess.run(command, cwd=ready, env=unsafe, check=False, capture_output=True)
    assert names_of(markers) & {f"{name}.py" for name in MODULES}
    run("git", "commit", "--quiet", "--allow-empty", "--message", "x", cwd=ready)
    run("git", "commit", "--allow-empty", cwd=ready)
    run("git", "commit", "--allow-empty", "-S", "--no-verify", "--message", "x", cwd=ready)
    run("git", "diff", "HEAD~2", cwd=ready)
    run("git", "diff", "--no-ext-diff", "HEAD~2", cwd=ready)
    run("git", "checkout", "HEAD", "--", "dvc.yaml", "params.yaml", cwd=ready)
    run("git", "fetch", "origin", cwd=ready)
    (ready / "params.yaml").write_text((ready / "params.yaml").read_text() + "\n")
    run("git", "diff", "--no-ext-diff", cwd=ready)
    # A terminal, for which git starts the pager and asks for a password.
    run("script", "--quiet", "--command", "git log", "/dev/null", cwd=ready)
    asked = "protocol=https\nhost=git.invalid\n\n"
    subprocess.run(["git", "credential", "fill"], cwd=ready, input=asked, text=True, check=False)
    run("git", "config", "--unset", "include.path", cwd=ready)  # it replaces core.fsmonitor
    run("git", "status", cwd=ready)
    missing = {
        *("included", "fsmonitor", "pre-commit", "editor", "external-diff", "textconv", "smudge"),
        *("clean", "gpg", "ssh", "pager", "credential", "askpass", "post-checkout"),
    } - names_of(markers)
    assert missing == set(), "these plants do not work"
    for path in markers.iterdir():
        path.unlink()
    (ready / "new").mkdir()
    (ready / "new/file").write_text("x")
    run(PROGRAMS / "dvc", "add", "--quiet", "new", cwd=ready)
    assert "clean" in names_of(markers), "DVC runs filters of git's configuration too"


def commands_of(ready: Path, tmp_path: Path) -> list[tuple[object, ...]]:
    """Return a command line for every command, in an order in which each can succeed."""
    mine = tmp_path / "delivery"
    make_delivery(mine, {"total.txt": ["n", "o"], "sea.txt": ["n", "o"]}, train=["n", "o"])
    for seed, path in enumerate(sorted((mine / "img_dir/train").iterdir())):
        write_image(path, seed=500 + seed)
    # A folder that somebody else made a git repository.
    fresh = tmp_path / "fresh"
    shutil.copytree(ready / ".git", fresh / ".git", symlinks=True)
    (fresh / ".git/info").mkdir(exist_ok=True)
    shutil.copy(ready / ".gitattributes", fresh / ".git/info/attributes")
    (tmp_path / "second").mkdir()
    box = {"image_id": "a", "bbox": [8, 4, 16, 16], "score": 0.9}
    (tmp_path / "boxes.json").write_text(json.dumps([box]))
    crop = ("crop", "web", "--boxes", tmp_path / "boxes.json", "--min-side", "8")
    (ready / ".dvc/config.local").write_text(
        f"['remote \"second\"']\n    url = {tmp_path / 'second'}\n"
    )
    model = tmp_path / "red.onnx"
    model.write_bytes(red_model())
    return [
        ("check",),
        ("rules", "mask-values"),
        ("help", "add"),
        ("completion", "bash"),
        ("formats",),
        ("scenes",),
        ("selections",),
        ("lookup", "ski"),
        ("sql", "select count(*) from samples"),
        ("show", "web", "--rev", "HEAD~1"),
        ("review", "HEAD~1"),
        ("diff", "HEAD~1", "--fetch"),
        ("doctor", "--fix"),
        ("verify", "--deep"),
        ("verify", "--repair"),
        ("pull", "ski", "--to", tmp_path / "out"),
        ("pull", "ski", "--repo", ready, "--rev", "HEAD", "--to", tmp_path / "rev"),
        ("lookup", "ski", "--repo", f"file://{ready}"),
        ("export", "coco", "ski", "--to", tmp_path / "coco"),
        ("view", "ski", "--fetch", "--to", tmp_path / "view.html"),
        ("serve", "--index"),
        ("card", "--rev", "HEAD", "--to", tmp_path / "card"),
        ("site", "--fetch", "--to", tmp_path / "catalogue"),
        ("evaluate", "--against", "HEAD", "--fetch", "--html", tmp_path / "evaluation.html"),
        ("plan", "--target", "3", "--html", tmp_path / "plan.html", "--to", tmp_path / "plan.csv"),
        ("suggest", "--model", model, "--fetch", "--view", tmp_path / "look.html"),
        (*crop, "--name", NAME.replace("web", "crops"), "--to", tmp_path / "crops"),
        ("fineness", "--view", tmp_path / "worst.html"),
        ("export", "mmseg", "ski", "--rev", "HEAD", "--to", tmp_path / "mmseg"),
        ("scan", "web"),
        ("scan", "web", "--from-remote"),
        ("scan", "web", "--from-remote", "--engine", "dask"),
        ("release", "1.0.0"),
        ("versions",),
        ("mirror", "second"),
        ("used", "https://example.com/runs/1", "--rev", "1.0.0"),
        ("merge", "--dry-run"),
        ("trust", "--list"),
        ("init", ready / "inner"),
        ("init", fresh),
        ("fix", "web", "--apply"),
        ("forget", "web/train/a", "--reason", "x", "--purge"),
        ("add", mine, "--name", NAME.replace("web", "new")),
        ("tag", "ski", "--boxes", "2"),
        ("move", "ski", "--match", "b", "--phase", "val"),
        ("split", "ski", "--val", "0.5", "--apply"),
        ("drop", "--match", "c", "--reason", "x"),
        ("scene", "rename", "sea", "ocean_side"),
        ("rename", "new", NAME.replace("web", "old")),
        ("retire", "old", "--reason", "x"),
        ("remote", tmp_path / "other", "--name", "other"),
    ]


def test_every_command_is_walked(tmp_path: Path, ready: Path) -> None:
    walked = {words[0] for words in commands_of(ready, tmp_path)}
    assert walked == COMMANDS.keys()


def _of_kind(kind: str, commands: Sequence[tuple[object, ...]]) -> list[tuple[object, ...]]:
    chosen = {
        # One of each kind: rules, git, a new registry, images and DVC's commands.
        "short": {"review", "release", "init", "fix"},
        # What differs is how the modules of sceneset itself are found.
        "module": {"check", "review", "scan", "add"},
    }.get(kind, set(COMMANDS))
    slow = "dask" if kind != "program" else ""
    return [words for words in commands if words[0] in chosen and words[-1] != slow]


@pytest.mark.parametrize(
    "start",
    ["short", *(pytest.param(name, marks=pytest.mark.sweep) for name in ("program", "module"))],
)
def test_no_command_runs_a_file_of_the_repository(
    start: str, ready: Path, markers: Path, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    record = tmp_path / "record"
    record.mkdir()
    module = (sys.executable, "-P", "-m", "sceneset")
    sceneset = module if start == "module" else (PROGRAMS / "sceneset",)
    for words in _of_kind(start, commands_of(ready, tmp_path)):
        done = run(*sceneset, *words, cwd=ready, record=record)
        assert names_of(markers) == set(), f"{words} ran a file of the repository: {done.stderr}"
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        check_records(record)
    started = [entry for entry in records(record) if entry["kind"] == "python"]
    assert any(entry["safe"] for entry in started), "DVC's processes are recorded"
    if start == "program":
        assert [e for e in started if "sceneset.stages.check" in e["words"]], "and stages"
    # A person's `dvc repro` starts the stages in the registry's folder.
    done = run(PROGRAMS / "dvc", "repro", "--force", cwd=ready)
    assert done.returncode == 0, done.stderr
    assert names_of(markers) & {f"{name}.py" for name in MODULES} == set()


def test_recorder_sees_programs_and_modules_of_the_repository(tmp_path: Path) -> None:
    """Without this, the records above could be empty."""
    record, repository = tmp_path / "record", tmp_path / "repository"
    record.mkdir()
    repository.mkdir()
    (repository / "stolen.py").write_text("import os\nos.system('true')\n")
    inner = f"import subprocess; subprocess.run([{sys.executable!r}, '-m', 'stolen'])"
    run(sys.executable, "-P", "-c", inner, cwd=repository, record=record)
    kinds = {(entry["kind"], entry["safe"]) for entry in records(record)}
    assert kinds == {("python", True), ("python", False), ("start", False), ("read", False)}
    with pytest.raises(AssertionError, match=r"no safe path|was read as code"):
        check_records(record)


def test_no_worker_process_imports_a_module_of_the_repository(
    ready: Path, markers: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = (
        "from sceneset.scanning import process_pool\n"
        "process_pool._MIN_PAIRS = 1\n"
        "process_pool.os.cpu_count = lambda: 2\n"
        "from sceneset.cli.main import main\n"
        "if __name__ == '__main__':\n"
        "    raise SystemExit(main(['scan', 'web', '--thumbnails', 'small']))\n"
    )
    path = ready.parent / "scan_in_processes.py"
    path.write_text(program)
    done = run(sys.executable, path, cwd=ready)
    assert names_of(markers) == set(), done.stderr
    assert done.returncode == 0, done.stdout + done.stderr
