"""No file of a repository is executed or imported, whatever command runs in it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.build import NAME, git, make_delivery, write_image

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
    (ready / ".gitattributes").write_text("*.csv filter=evil diff=evil\n*.yaml filter=evil\n")
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


def names_of(markers: Path) -> set[str]:
    return {path.name for path in markers.iterdir()}


def run(*words: object, cwd: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [str(word) for word in words], cwd=cwd, capture_output=True, text=True, check=False
    )


def test_planted_files_run_without_protection(ready: Path, markers: Path) -> None:
    unsafe = {name: value for name, value in os.environ.items() if name != "PYTHONSAFEPATH"}
    command = [sys.executable, "-m", "dvc", "status"]
    subprocess.run(command, cwd=ready, env=unsafe, check=False, capture_output=True)
    git(ready, "status")
    git(ready, "commit", "--quiet", "--allow-empty", "--message", "x")
    subprocess.run(["git", "diff", "HEAD~2"], cwd=ready, check=False, capture_output=True)
    assert {"included", "pre-commit", "external-diff"} <= names_of(markers)
    assert names_of(markers) & {f"{name}.py" for name in MODULES}


@pytest.mark.parametrize(
    "start",
    ["short", *(pytest.param(name, marks=pytest.mark.sweep) for name in ("program", "module"))],
)
def test_no_command_runs_a_file_of_the_repository(
    start: str, ready: Path, markers: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "delivery"
    make_delivery(mine, {"total.txt": ["n", "o"], "sea.txt": ["n", "o"]}, train=["n", "o"])
    for seed, path in enumerate(sorted((mine / "img_dir/train").iterdir())):
        write_image(path, seed=500 + seed)
    name = NAME.replace("web", "new")
    module = (sys.executable, "-P", "-m", "sceneset")
    sceneset = module if start == "module" else (PROGRAMS / "sceneset",)
    commands: list[tuple[object, ...]] = [
        ("check",),
        ("lookup", "ski"),
        ("show", "web", "--rev", "HEAD~1"),
        ("review", "HEAD~1"),
        ("diff", "HEAD~1", "--fetch"),
        ("verify", "--deep"),
        ("pull", "ski", "--to", tmp_path / "out"),
        ("pull", "ski", "--repo", ready, "--rev", "HEAD", "--to", tmp_path / "rev"),
        ("scan", "web"),
        ("release", "1.0.0"),
        ("versions",),
        ("fix", "web", "--apply"),
        ("forget", "web/train/a", "--reason", "x", "--purge"),
        ("add", mine, "--name", name),
    ]
    if start == "short":  # one of each kind: rules, git, images, DVC's commands, a remote
        chosen = {"review", "diff", "scan", "release", "fix"}
        commands = [words for words in commands if words[0] in chosen]
    elif start == "module":  # what differs is how the modules of sceneset itself are found
        commands = [words for words in commands if words[0] in {"check", "review", "scan", "add"}]
    for words in commands:
        done = run(*sceneset, *words, cwd=ready)
        assert names_of(markers) == set(), f"{words} ran a file of the repository: {done.stderr}"
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
    # A person's `dvc repro` starts the stages in the registry's folder.
    path = f"{PROGRAMS}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [PROGRAMS / "dvc", "repro", "--force"],
        cwd=ready,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert names_of(markers) & {f"{name}.py" for name in MODULES} == set()


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
