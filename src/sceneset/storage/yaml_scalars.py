"""Change single values in the text of a YAML file; all other bytes stay as they are."""

from collections.abc import Callable, Iterator
from typing import Any

import yaml

from sceneset.errors import FindingsError, fail
from sceneset.storage.yaml_parser import parse

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
Path = tuple[str | int, ...]
"""Keys and positions that lead to a value, for example ("subsets", 3)."""


def change_scalars(text: str, shown: str, change: Callable[[Path, str], str | None]) -> str:
    """Return the text of a YAML file with other values.

    Args:
        text: The text.
        shown: How findings name the file.
        change: Returns the new value for a value and its path; None keeps it.

    Raises:
        FindingsError: The text is not YAML of plain values, or is written so that a value can't be
            changed.
    """
    data = parse(text, shown).data
    parts, position = [], 0
    for node, value in _changes(yaml.compose(text, Loader=_LOADER), (), change):
        parts += [text[position : node.start_mark.index], _scalar(value)]
        position = node.end_mark.index
    if not parts:
        return text
    changed = "".join([*parts, text[position:]])
    try:
        is_as_wanted = parse(changed, shown).data == _with_changes(data, (), change)
    except FindingsError:  # for example a block of text, which takes several lines
        is_as_wanted = False
    if not is_as_wanted:
        fail(
            "schema",
            "is written in a style that sceneset can't edit",
            file=shown,
            hint="write each value on one line",
        )
    return changed


def _changes(
    node: yaml.Node | None, path: Path, change: Callable[[Path, str], str | None]
) -> Iterator[tuple[yaml.ScalarNode, str]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _changes(value, (*path, str(key.value)), change)
    elif isinstance(node, yaml.SequenceNode):
        for number, value in enumerate(node.value):
            yield from _changes(value, (*path, number), change)
    elif isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:str":
        new = change(path, node.value)
        if new is not None and new != node.value:
            yield node, new


def _with_changes(data: Any, path: Path, change: Callable[[Path, str], str | None]) -> Any:
    if isinstance(data, dict):
        return {key: _with_changes(value, (*path, str(key)), change) for key, value in data.items()}
    if isinstance(data, list):
        return [_with_changes(value, (*path, n), change) for n, value in enumerate(data)]
    if isinstance(data, str):
        new = change(path, data)
        return data if new is None else new
    return data


def _scalar(value: str) -> str:
    """Return a value as YAML writes it on one line."""
    text = yaml.safe_dump(value, allow_unicode=True, width=1 << 20, default_flow_style=True)
    return text.removesuffix("\n").removesuffix("\n...")
