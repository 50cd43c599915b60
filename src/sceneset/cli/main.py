"""The `sceneset` command: one module in commands/ for each subcommand, imported when it is called.

This module and what it imports load no library, so that `sceneset --help` answers at once.
"""

import argparse
import importlib
import io
import os
import sys
from collections.abc import Sequence

from sceneset.cli.exit_codes import FINDINGS, FINE, INTERRUPTED, WRONG_USE, guarded
from sceneset.cli.help import HelpFormatter, Parser
from sceneset.cli.language import is_chinese, translate, with_colon

GROUPS = {
    "Look up": {
        "lookup": "find the rows or samples of a scene",
        "show": "show the scene table, counts and colors of a subset",
        "scenes": "list all scenes with their names and image counts",
        "formats": "list the annotation formats that add reads and export writes",
        "selections": "list the selections of params.yaml with their image counts",
        "sql": "query tags and scans with SQL",
        "view": "draw pictures of samples with their masks",
        "site": "write a catalogue of the registry as web pages",
        "serve": "show the registry in a browser, with a search over all samples",
        "plan": "say what to collect next: scenes short of images, and why",
        "card": "write a data card: what a version holds, and its known limits",
        "pull": "download the images and masks of a scene into a folder",
        "export": "write the samples of a scene in the format of a training tool",
    },
    "Add": {
        "add": "check a delivery and add it as a subset",
        "crop": "cut one person of each original out, as a subset of crops",
        "scan": "decode new images and record sizes, hashes and mask shapes",
    },
    "Change": {
        "tag": "change scenes, persons, boxes and sources of samples",
        "move": "move samples to another phase",
        "split": "propose a split into phases that shares no source, and apply it",
        "drop": "remove samples from the registry; released versions keep them",
        "retire": "leave a subset out of new versions",
        "scene": "add, rename or merge scenes, or give them further names",
        "rename": "rename a subset; the old name is still found",
        "fix": "fix errors of a delivery or subset that have one right answer",
        "forget": "withdraw images from the registry and from all versions",
        "merge": "merge the registry's files after git merge, rebase or cherry-pick",
    },
    "Check": {
        "check": "report all errors and warnings, without reading an image",
        "rules": "list the rules of `check`, or explain some of them",
        "review": "summarize and check a pull request, without reading an image",
        "diff": "show what changed between two versions or commits",
        "evaluate": "measure how well predicted masks agree with the registered ones",
        "suggest": "suggest samples to look at again, by a model or by outside vectors",
        "fineness": "measure how much detail the outlines of masks have",
    },
    "Publish": {
        "release": "release the committed state as a version",
        "versions": "list the released versions",
        "used": "note that a run used a version",
        "verify": "check that the remote has every blob, and repair it",
        "mirror": "copy the blobs of versions to another remote",
    },
    "Administer": {
        "init": "create a new, empty registry",
        "remote": "set the default DVC remote, with verification on",
        "trust": "trust the remote of somebody else's registry with your credentials",
        "doctor": "find what keeps commands from working, and repair it",
        "completion": "print a shell completion script for bash, zsh or fish",
        "help": "show the help of a command",
    },
}
"""The summary of every command, by what people want to do."""

COMMANDS = {name: summary for group in GROUPS.values() for name, summary in group.items()}


TYPE_CHECKING = False  # importing typing would take longer than a look-up
if TYPE_CHECKING:
    from typing import Protocol

    class Command(Protocol):
        """The interface of a module in commands/. Its docstring is the description of --help."""

        EXAMPLES: str

        def configure(self, parser: argparse.ArgumentParser) -> None:
            """Add the arguments to the parser."""

        def run(self, args: argparse.Namespace) -> int:
            """Run the command and return its exit code."""


def configure_command(parser: argparse.ArgumentParser, name: str) -> "Command":
    """Turn ``parser`` into the parser of a command and return the command's module."""
    module: Command = importlib.import_module(f"sceneset.cli.commands.{name}")
    parser.prog = f"sceneset {name}"
    parser.description = translate((module.__doc__ or "").strip())
    parser.epilog = f"{translate('examples:')}\n{_translated_examples(module.EXAMPLES)}"
    parser.formatter_class = HelpFormatter
    parser.allow_abbrev = False
    module.configure(parser)
    if is_chinese():
        translate_argparse(parser)
    return module


def example_comment(line: str) -> str:
    """Return the comment at the end of a line of examples: text after three spaces or more."""
    line, _, comment = line.rpartition("   ")
    return comment if line.strip() else ""


def _translated_examples(examples: str) -> str:
    """Return the examples of a command with the comments in the reader's language."""
    lines = examples.strip("\n").split("\n")
    if is_chinese():
        comments = [(line, example_comment(line)) for line in lines]
        lines = [line.removesuffix(comment) + translate(comment) for line, comment in comments]
    return "\n".join(lines)


def translate_argparse(parser: argparse.ArgumentParser) -> None:
    """Translate the headings and texts of the help, and argparse's own messages."""
    argparse._ = translate  # type: ignore[attr-defined] # gettext would need a binary catalogue
    for group in parser._action_groups:  # noqa: SLF001 - no public way
        group.title = translate(group.title or "")
    for action in parser._actions:  # noqa: SLF001
        action.help = translate(action.help or "")


def parser_of(name: str) -> tuple[argparse.ArgumentParser, "Command"]:
    """Return the parser and the module of a command."""
    # The default formatter imports shutil, already when the parser adds --help.
    parser = Parser(formatter_class=HelpFormatter)
    return parser, configure_command(parser, name)


def overview() -> str:
    """Return the text of `sceneset --help`."""
    width = max(map(len, COMMANDS))
    lines = [
        translate("usage: sceneset COMMAND [ARGUMENTS]"),
        "",
        translate("A dataset registry for person segmentation that validates itself."),
    ]
    for group, commands in GROUPS.items():
        lines += ["", with_colon(translate(group)).rstrip()]
        lines += [f"  {name:{width}}  {translate(summary)}" for name, summary in commands.items()]
    return "\n".join(
        [
            *lines,
            "",
            with_colon(translate("Options")).rstrip(),
            f"  -h, --help     {translate('show this help message and exit')}",
            f"  -V, --version  {translate('show the version and exit')}",
            "",
            translate("Use `sceneset help COMMAND` for the arguments of a command, with examples."),
            translate("Exit codes: 0 fine, 1 problems found, 2 wrong use."),
        ]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `sceneset` and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # scenes have Chinese names in every locale
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    words = list(sys.argv[1:] if arguments is None else arguments)
    return guarded(lambda: _run(words))


def _run(words: list[str]) -> int:
    if not words or words[0] in {"-h", "--help"}:
        print(overview())
        return FINE
    if words[0] in {"-V", "--version"}:
        from importlib.metadata import version

        print(f"sceneset {version('sceneset')}")
        return FINE
    if words[0] not in COMMANDS:
        from sceneset.cli.output import say

        say(f"sceneset: {translate(unknown_command(words[0]))}")
        return WRONG_USE
    parser, module = parser_of(words[0])
    try:
        args = parser.parse_args(words[1:])
    except SystemExit as stop:  # argparse has printed its message: 0 after --help, 2 on wrong use
        return int(stop.code or 0)
    from sceneset.errors import FindingsError  # not at the top: --help needs no exception

    try:
        return module.run(args)
    except FindingsError as error:
        from sceneset.cli.findings import View, print_refusal

        print_refusal(error.findings, View.of(args))
        return FINDINGS


def unknown_command(name: str) -> str:
    """Return the error message for a command that does not exist."""
    import difflib

    near = difflib.get_close_matches(name, COMMANDS, n=1)
    hint = f"Did you mean `{near[0]}`?" if near else "`sceneset --help` lists all commands."
    return f"there is no command {name!r}. {hint}"


def command() -> None:
    """Run `sceneset` as a program and exit.

    After Ctrl-C the process is ended by the signal itself, as shells expect, and does not wait for
    its threads.
    """
    code = main()
    if code == INTERRUPTED:
        import signal

        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    sys.exit(code)


if __name__ == "__main__":
    command()
