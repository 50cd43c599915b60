"""Show the help of a command, or the list of all commands."""

import argparse

from sceneset.cli.exit_codes import FINE
from sceneset.cli.language import translate

EXAMPLES = """
  sceneset help
  sceneset help add                same as: sceneset add --help
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    from sceneset.cli.main import COMMANDS

    parser.add_argument(
        "command",
        nargs="?",
        type=_known_command,
        choices=tuple(COMMANDS),  # for shell completion
        metavar="COMMAND",
        help="the name of a command (default: list all commands)",
    )


def run(args: argparse.Namespace) -> int:
    """Print the help."""
    from sceneset.cli.main import overview, parser_of

    if args.command:
        parser, _ = parser_of(args.command)
        print(parser.format_help(), end="")  # print_help would ignore a full disk
    else:
        print(overview())
    return FINE


def _known_command(name: str) -> str:
    from sceneset.cli.main import COMMANDS, unknown_command

    if name not in COMMANDS:
        raise argparse.ArgumentTypeError(translate(unknown_command(name)))
    return name
