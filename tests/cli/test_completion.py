"""`sceneset completion`: the printed scripts work in real shells."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sceneset.cli.commands import completion
from sceneset.cli.main import COMMANDS
from sceneset.schemas.terms import Phase
from support.build import ROOT, Run

BIN = Path(sys.executable).parent


def startup_line(shell: str) -> str:
    """Return the line that the help says to add to the startup file of a shell."""
    found = re.search(rf"^  {shell} +(\S.*?)  ", completion.__doc__ or "", re.MULTILINE)
    assert found, "the help has a line for every shell"
    return found[1]


def complete(shell: str, *words: str) -> set[str]:
    """Return what a shell offers for the last of the words of a command line."""
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    program = ROOT / f"tests/programs/complete.{shell}"
    flags = {"bash": ["--norc"], "zsh": ["-f"], "fish": ["--no-config"]}[shell]
    done = subprocess.run(
        [shell, *flags, str(program), startup_line(shell), *words],
        env=os.environ | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return set(done.stdout.split())


@pytest.mark.parametrize("shell", completion.SHELLS)
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        pytest.param(["sceneset", ""], set(COMMANDS), id="all commands"),
        pytest.param(["sceneset", "loo"], {"lookup"}, id="a command"),
        pytest.param(["sceneset", "pull", "--masks"], {"--masks-only"}, id="an option"),
        pytest.param(["sceneset", "lookup", "--phase", ""], set(Phase), id="choices of an option"),
        pytest.param(["sceneset", "add", "--kind", "c"], {"crop"}, id="a choice"),
        pytest.param(["sceneset", "help", "ver"], {"verify", "versions"}, id="an argument"),
        pytest.param(["sceneset", "completion", "z"], {"zsh"}, id="a shell"),
    ],
)
def test_shell_completes_words(shell: str, words: list[str], expected: set[str]) -> None:
    assert complete(shell, *words) == expected


@pytest.mark.parametrize("shell", completion.SHELLS)
def test_shell_completes_folders_for_arguments_that_are_folders(shell: str) -> None:
    assert any(word.startswith("tests") for word in complete(shell, "sceneset", "add", "tes"))


def test_completion_refuses_other_shells(sceneset: Run, tmp_path: Path) -> None:
    outcome = sceneset("completion", "tcsh", cwd=tmp_path)
    assert (outcome.code, outcome.out) == (2, "")
    assert "bash" in outcome.err
