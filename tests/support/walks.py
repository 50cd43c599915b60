"""Run the examples of a page of the documentation, one after the other, as a reader would."""

import io
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

import draw
from sceneset.cli.main import main
from sceneset.cli.output import console
from support.build import dvc, git

_BLOCK = re.compile(r"^```(console|python|yaml)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


class Step(NamedTuple):
    """A command with the output that the page shows, a program, or a file to write."""

    kind: str
    text: str
    expected: str = ""


def steps_of(page: str) -> Iterator[Step]:
    """Yield the steps of a page; YAML is a file if its first line is a comment with its name."""
    for kind, block in _BLOCK.findall(page):
        if kind == "console":
            for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
                command, _, output = part.replace("\\\n", "").partition("\n")
                while command.count('"') % 2:  # a quoted text goes on in the next line
                    more, _, output = output.partition("\n")
                    command += f"\n{more}"
                yield Step("command", command, output.strip())
        elif kind == "python":
            yield Step("program", block)
        elif named := re.match(r"# (\S+\.yaml)\n", block):
            yield Step("file", block, named[1])


def parts(words: list[str]) -> list[list[str]]:
    """Return the commands of a line; what a command is piped or written to is none."""
    commands: list[list[str]] = [[]]
    for word in words:
        if word in {"|", ">"}:
            return commands
        if word == "&&":
            commands.append([])
        else:
            commands[-1].append(word)
    return commands


class Walk:
    """A reader in a folder, with a home of its own."""

    def __init__(self, folder: Path, home: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder, self.home, self.patch = folder, home, patch
        patch.setenv("HOME", str(home))

    def go(self, page: str) -> int:
        """Do every step of a page, and return how many these are."""
        steps = list(steps_of(page))
        for step in steps:
            self._do(step)
        return len(steps)

    def _do(self, step: Step) -> None:
        self.patch.chdir(self.folder)
        if step.kind == "file":
            (self.folder / step.expected).write_text(step.text, "utf-8")
        elif step.kind == "program":
            exec(compile(step.text, "example", "exec"), {"__name__": "example"})
        else:
            words = [
                str(self.home / word[2:]) if word.startswith("~/") else word
                for word in shlex.split(step.text, comments=True)
            ]
            file = self.folder / words[-1] if ">" in words else None  # "> FILE" at the end
            printed = "".join(self._run(part, file) for part in parts(words))
            if step.expected:
                assert printed.strip() == step.expected, f"{step.text}\n{printed}"

    def _run(self, words: list[str], file: Path | None = None) -> str:
        """Run a command and return what it prints; its output goes to a file, if there is one."""
        program, *arguments = words
        if program == "cd":
            self.folder = (self.folder / arguments[0]).resolve(strict=True)
            self.patch.chdir(self.folder)
            return ""
        if program == "git":
            return git(self.folder, *arguments)
        if program == "dvc":
            return dvc(self.folder, *arguments).out
        shown = io.StringIO()
        output = io.StringIO() if file else shown
        console.cache_clear()
        with self.patch.context() as patch:
            patch.setattr(sys, "stdout", output)
            patch.setattr(sys, "stderr", shown)
            if program == "python":
                assert arguments[0] == "demo/draw.py"
                code = draw.main(arguments[1:])
            else:
                assert program == "sceneset"
                code = main(arguments)
        assert code == 0, f"{shlex.join(words)}\n{shown.getvalue()}"
        if file:
            file.write_text(output.getvalue(), "utf-8")
        return shown.getvalue()
