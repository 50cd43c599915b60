"""Say which rows of a file of vectors, and which samples, are left out."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from sceneset.cli.output import say
from sceneset.cli.text_width import one_line
from sceneset.counts import counted

if TYPE_CHECKING:
    from sceneset.suggestions.vector_file import Problem


def say_vector_problems(problems: "Mapping[str, Problem]") -> None:
    """Say each kind of problem with its first names."""
    for kind, one in problems.items():
        what = ("sample", "samples") if kind == "missing" else ("row", "rows")
        shown = ", ".join(map(one_line, one.examples)) + (
            ", ..." if one.number > len(one.examples) else ""
        )
        say(f"{kind}: {counted(one.number, *what)} left out: {shown}", style="yellow")
