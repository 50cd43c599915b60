"""Print a script that completes commands, options and choices when you press Tab.

Add one line to the startup file of your shell, then open a new shell:

  bash   eval "$(sceneset completion bash)"      in ~/.bashrc
  zsh    eval "$(sceneset completion zsh)"       in ~/.zshrc, after compinit
  fish   sceneset completion fish | source       in ~/.config/fish/config.fish
"""

import argparse
from pathlib import Path

from sceneset.cli.exit_codes import FINE
from sceneset.cli.language import translate

EXAMPLES = """
  sceneset completion bash
  sceneset completion fish > ~/.config/fish/completions/sceneset.fish
"""

SHELLS = ("bash", "zsh", "fish")


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("shell", choices=SHELLS, metavar="SHELL", help="bash, zsh or fish")


def run(args: argparse.Namespace) -> int:
    """Print the script."""
    import shtab

    print(shtab.complete(full_parser(), args.shell))
    return FINE


def full_parser() -> argparse.ArgumentParser:
    """Return one parser for `sceneset` with all commands, as shtab needs it."""
    import shtab

    from sceneset.cli.main import COMMANDS, configure_command

    parser = argparse.ArgumentParser(prog="sceneset")
    parser.add_argument("-V", "--version", action="store_true", help="show the version and exit")
    commands = parser.add_subparsers(title="commands")
    for name, summary in COMMANDS.items():
        command = commands.add_parser(name, help=translate(summary))
        configure_command(command, name)
        command.description = translate(summary)  # zsh shows it beside the name
        for action in command._actions:  # noqa: SLF001 - argparse has no public way to list them
            if action.type is Path:
                is_folder = action.metavar in {"DIR", "DELIVERY"}
                action.complete = shtab.DIRECTORY if is_folder else shtab.FILE  # type: ignore[attr-defined]
    return parser
