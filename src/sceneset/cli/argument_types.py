"""Types of arguments for argparse: whole numbers, and files with an ending."""

import argparse

TYPE_CHECKING = False  # importing typing would take longer than a look-up
if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_MOST_DIGITS = 18


def whole_number(lowest: int, highest: "int | None" = None) -> "Callable[[str], int]":
    """Return a type for whole numbers, from the lowest to the highest one that is allowed."""

    def read(text: str) -> int:
        is_number = text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS
        number = int(text) if is_number else -1
        if highest is None:
            if number < lowest:
                raise argparse.ArgumentTypeError(
                    f"{text!r}: use a whole number of {lowest:,} or more"
                )
        elif not lowest <= number <= highest:
            raise argparse.ArgumentTypeError(
                f"{text!r}: use a whole number from {lowest:,} to {highest:,}"
            )
        return number

    return read


def file_with(ending: str, other: str = "") -> "Callable[[str], Path]":
    """Return a type for files whose names have an ending, or one of two."""

    def read(text: str) -> "Path":
        from pathlib import Path

        if not text.lower().endswith((ending, other or ending)):
            endings = f"{ending} or {other}" if other else ending
            raise argparse.ArgumentTypeError(f"{text!r}: end the name with {endings}")
        return Path(text)

    return read
