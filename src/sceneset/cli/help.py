"""Parsers of arguments whose help and messages fit the terminal, also in Chinese.

The module loads no library and little of Python's own, so that `sceneset --help` answers at once.
"""

import argparse
import os
import re

from sceneset.cli.language import translate

TYPE_CHECKING = False  # importing typing would take longer than a look-up
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any, NoReturn


class HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Wraps paragraphs to the width of the terminal and leaves indented ones, examples, alone."""

    def __init__(self, prog: str) -> None:
        # argparse would import shutil to find the width, each time a parser is made.
        try:
            width = int(os.environ.get("COLUMNS", "0")) or os.get_terminal_size(1).columns
        except (ValueError, OSError):
            width = 80
        super().__init__(prog, width=min(width, 100) - 2)

    def format_help(self) -> str:
        """Return the help; a colon after a Chinese heading is a wide one."""
        text = super().format_help()
        return re.sub(r"^([^\x00-\x7f]+):$", r"\1：", text, flags=re.MULTILINE)

    def _format_usage(
        self,
        usage: str | None,
        actions: "Iterable[argparse.Action]",
        groups: "Iterable[argparse._MutuallyExclusiveGroup]",
        prefix: str | None,
    ) -> str:
        from sceneset.cli.text_width import width_of

        # argparse counts characters, and Chinese ones take two columns.
        prefix = translate("usage: ") if prefix is None else prefix
        filler = "\0" * (width_of(prefix) - len(prefix))
        return super()._format_usage(usage, actions, groups, prefix + filler).replace("\0", "")

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        import textwrap

        return "\n\n".join(
            textwrap.indent(part, indent)
            if "\n  " in part
            else textwrap.indent("\n".join(_fold(" ".join(part.split()), width)), indent)
            for part in text.split("\n\n")
        )

    def _split_lines(self, text: str, width: int) -> list[str]:
        return _fold(" ".join(text.split()), width)


class Parser(argparse.ArgumentParser):
    """Translates its messages and wraps them to the terminal, as all others are."""

    def exit(self, status: int = 0, message: str | None = None) -> "NoReturn":
        """Print a message and end."""
        if message:
            from sceneset.cli.output import say

            say(message.rstrip())
        super().exit(status)

    def _get_value(self, action: argparse.Action, arg_string: str) -> "Any":
        try:
            return super()._get_value(action, arg_string)
        except argparse.ArgumentError as error:
            error.message = translate(error.message)
            raise


def _fold(text: str, width: int) -> list[str]:
    """Return the lines of a paragraph; Chinese characters take two columns."""
    if text.isascii():
        import textwrap

        return textwrap.wrap(text, width, break_on_hyphens=False)
    from sceneset.cli.text_width import wrap

    return wrap(text, width, whole_words=True)
