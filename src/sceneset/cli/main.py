"""The command line: one module a command, imported only when it is called."""

import argparse
import importlib
import io
import os
import sys
from collections.abc import Sequence

from sceneset.cli.exit_codes import STOPPED, guarded

COMMANDS = {
    "init": "lay out a new, empty registry",
    "add": "check a delivery and take it in as a subset",
    "lookup": "find the rows or samples of a scene",
    "pull": "get the images and masks of a scene, of a version, into a folder",
    "diff": "say what changed between two versions or commits",
    "release": "make the committed state a version, with a record and a tag",
    "verify": "ask the remote for every blob of a version, and put back what is missing",
    "forget": "withdraw an image: out of the state, never in again, left out of old versions",
    "versions": "list the versions",
    "show": "show a subset: its scene table, counts and colours",
    "scenes": "list the vocabulary, with what the registry holds of each scene",
    "check": "report everything that is wrong, from text and tables alone",
    "rules": "list the rules of check, or tell all about some of them",
    "review": "judge a change, as a pull request needs it, without a blob",
    "fix": "mend what has one right answer, in a delivery or a subset, when asked",
    "scan": "measure a subset anew: from files, from the remote, on many machines",
    "remote": "set the default DVC remote, with verification on",
}


TYPE_CHECKING = False  # as typing has it, whose import would take longer than an answer
if TYPE_CHECKING:
    from typing import Protocol

    class Command(Protocol):
        """What a module in commands/ offers."""

        EXAMPLES: str

        def configure(self, parser: argparse.ArgumentParser) -> None:
            """Declare the arguments."""

        def run(self, args: argparse.Namespace) -> int:
            """Do it; return the exit code."""


class _Help(argparse.RawDescriptionHelpFormatter):
    """Asks the terminal itself how wide it is: argparse would load shutil to do it, every time."""

    def __init__(self, prog: str) -> None:
        try:
            width = int(os.environ.get("COLUMNS", "0")) or os.get_terminal_size(1).columns
        except (ValueError, OSError):
            width = 80
        super().__init__(prog, width=width - 2)


def parser_of(name: str) -> tuple[argparse.ArgumentParser, "Command"]:
    """Return a command's parser and module."""
    module: Command = importlib.import_module(f"sceneset.cli.commands.{name}")
    parser = argparse.ArgumentParser(
        prog=f"sceneset {name}",
        description=(module.__doc__ or "").strip(),
        epilog=f"examples:\n{module.EXAMPLES.strip(chr(10))}",
        formatter_class=_Help,
        allow_abbrev=False,
    )
    module.configure(parser)
    return parser, module


def overview() -> str:
    """Return the help of `sceneset` itself."""
    width = max(map(len, COMMANDS))
    lines = [f"  {name:{width}}  {what}" for name, what in COMMANDS.items()]
    return "\n".join(
        [
            "usage: sceneset COMMAND [ARGUMENTS]",
            "",
            "A dataset registry for person segmentation that keeps itself true.",
            "",
            "commands:",
            *lines,
            "",
            "sceneset COMMAND --help tells more, with examples; sceneset --version its version.",
            "Exit codes: 0 fine, 1 problems found, 2 wrong use.",
        ]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `sceneset` and return its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # names are Chinese, whatever the locale says
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    words = list(sys.argv[1:] if arguments is None else arguments)
    return guarded(lambda: _run(words))


def _run(words: list[str]) -> int:
    if not words or words[0] in {"-h", "--help", "help"}:
        print(overview())
        return 0
    if words[0] in {"-V", "--version"}:
        from importlib.metadata import version

        print(f"sceneset {version('sceneset')}")
        return 0
    if words[0] not in COMMANDS:
        import difflib

        near = difflib.get_close_matches(words[0], COMMANDS, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        sys.stderr.write(f"sceneset: there is no command {words[0]!r}.{hint}\n\n{overview()}\n")
        return 2
    parser, module = parser_of(words[0])
    try:
        args = parser.parse_args(words[1:])
    except SystemExit as stop:  # argparse has printed its message: 0 after --help, 2 on wrong use
        return int(stop.code or 0)
    return module.run(args)


def command() -> None:
    """Run `sceneset` as a program, which ends as Ctrl-C ends one: no thread is waited for."""
    code = main()
    if code == STOPPED:
        import signal

        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    sys.exit(code)


if __name__ == "__main__":
    command()
