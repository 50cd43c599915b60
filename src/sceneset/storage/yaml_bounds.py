"""Bound what a YAML file costs a parser that builds all of its values, such as DVC's.

Such parsers expand aliases without a limit, overflow the stack on deep nesting, and take 20
microseconds and half a kilobyte for each value. Counting the parser's events takes neither.
"""

import re
from collections.abc import Iterable
from typing import NoReturn

import yaml

from sceneset.errors import fail

MAX_YAML = 16 << 20
"""Largest YAML file that is read, in bytes."""
MAX_DEPTH = 100
"""Parsers in C overflow the stack, which ends the process, at some ten thousand levels. What DVC
writes has fewer than ten."""
MAX_NODES = 250_000
"""Most keys and values. DVC reads this many in about 5 seconds; they are the dvc.lock of 3,000
subsets."""
_MAX_EXPANDED = 64 << 20
"""Upper bound of the size of a file with its aliases written out, in bytes."""
_ENDS = (
    "\n",
    "\r",
    "\N{NEXT LINE}",
    "\N{LINE SEPARATOR}",
    "\N{PARAGRAPH SEPARATOR}",
    ",",
    "[",
    "{",
)
"""What keys with their values are separated by."""
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def may_be_deep(text: str) -> bool:
    """Return whether a YAML text may have more than ``MAX_DEPTH`` levels; no level is missed."""
    left = MAX_DEPTH - text.count("[") - text.count("{")
    return left < 0 or bool(re.search(rf"^[ ?:-]{{{left + 1}}}", text, re.MULTILINE))


def _may_hold_many(text: str) -> bool:
    """Return whether a text without deep nesting may hold more than ``MAX_NODES``."""
    return 2 * (1 + sum(map(text.count, _ENDS))) > MAX_NODES


def check_bounds(text: str, shown: str, hint: str) -> None:
    """Check that a YAML text is safe to build values of; syntax errors are left to the parser.

    Args:
        text: The text.
        shown: How findings name the file.
        hint: How to fix the file.

    Raises:
        FindingsError: It is nested too deeply, its aliases stand for too much, or it holds too
            many values.
    """
    if "&" not in text and not may_be_deep(text) and not _may_hold_many(text):
        return  # without an anchor there is no alias
    try:
        _count_events(yaml.parse(text, Loader=_LOADER), _MAX_EXPANDED // len(text), shown, hint)
    except yaml.YAMLError:
        return  # who parses the text refuses it too, with a better message


def _count_events(events: Iterable[yaml.Event], max_aliases: int, shown: str, hint: str) -> None:
    depth, nodes, aliases = 0, 0, 0
    anchored: list[int] = []  # depths of the collections with an anchor that are not closed
    for event in events:
        nodes += isinstance(event, yaml.NodeEvent)
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            anchored += [depth] if event.anchor else []
        elif isinstance(event, yaml.CollectionEndEvent):
            anchored = anchored[:-1] if anchored[-1:] == [depth] else anchored
            depth -= 1
        is_alias = isinstance(event, yaml.AliasEvent)
        aliases += is_alias
        if nodes > MAX_NODES:
            message = f"holds more than {MAX_NODES:,} values"
            _refuse(event, "file-unreadable", message, shown, hint)
        if depth > MAX_DEPTH:
            message = f"it is nested more than {MAX_DEPTH} levels deep"
            _refuse(event, "yaml-alias", message, shown, hint)
        if is_alias and (anchored or aliases > max_aliases):
            message = "its aliases stand for too much text"
            _refuse(event, "yaml-alias", message, shown, "write the values out")


def _refuse(event: yaml.Event, code: str, message: str, shown: str, hint: str) -> NoReturn:
    row = event.start_mark.line + 1 if event.start_mark else None
    fail(code, message, file=shown, row=row, hint=hint)
