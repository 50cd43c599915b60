"""Merge YAML files that people edit, by their values; comments and the form of lines are kept."""

import io
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sceneset.catalog.params_edit import round_trip_editor, with_subset, without_subset
from sceneset.edits.merge_values import ValueMerge
from sceneset.errors import FindingsError, fail
from sceneset.storage.git_index import Sides, merged_lines
from sceneset.storage.leftovers import temporary_folder
from sceneset.storage.yaml_parser import parse


class Texts(NamedTuple):
    """A text file in the three states of a merge; "" where it does not exist."""

    base: str
    ours: str
    theirs: str


def merge_yaml(texts: Texts, shown: str, merge: ValueMerge) -> str:
    """Return a merged YAML file.

    Raises:
        FindingsError: A side is not valid YAML, or the result can't be written.
    """
    base, ours, theirs = (
        parse(text, f"{shown} ({side})").data or {}
        for text, side in zip(texts, texts._fields, strict=True)
    )
    merged = merge.mapping((), base, ours, theirs)
    if isinstance(subsets := merged.get("subsets"), list):
        texts = Texts(*(_with_subsets(text, subsets) for text in texts))
        merged["subsets"] = (parse(texts.ours, shown).data or {})["subsets"]
    sides = Sides(*(text.encode() for text in texts))
    with temporary_folder() as folder:
        for union in (False, True):
            text = merged_lines(folder, sides, union=union)
            if text is not None and _value_of(text, shown) == merged:
                return text
    return with_values(texts.ours, merged, shown)


def _with_subsets(text: str, subsets: Sequence[str]) -> str:
    """Return a text of params.yaml with another list of subsets."""
    listed = (parse(text, "params.yaml").data or {}).get("subsets") or []
    for name in subsets:
        if name not in listed:
            text = with_subset(text, name)
    for name in listed:
        if name not in subsets:
            text = without_subset(text, name)
    return text


def _value_of(text: str, shown: str) -> Any:
    try:
        return parse(text, shown).data
    except FindingsError:
        return None


def with_values(text: str, values: Mapping[str, Any], shown: str) -> str:
    """Return a YAML text with other values; comments stay where they can.

    Raises:
        FindingsError: The text is written in a style that can't be edited.
    """
    from ruamel.yaml.error import YAMLError

    out = io.StringIO()
    try:
        editor, _ = round_trip_editor(text)
        document = editor.load(text)
        _set_values(document, parse(text, shown).data, values)
        editor.dump(document, out)
        is_equal = _value_of(out.getvalue(), shown) == values
    except (YAMLError, TypeError, ValueError, LookupError, AttributeError):
        is_equal = False
    if not is_equal:
        fail(
            "merge-conflict",
            "is written in a style that sceneset can't edit",
            file=shown,
            hint=f"merge it by hand, then run `git add {shown}`",
        )
    return out.getvalue()


def _set_values(node: Any, before: Mapping[str, Any], values: Mapping[str, Any]) -> None:
    """Change a mapping of ruamel.yaml where its value differs from the one before."""
    for key in [key for key in before if key not in values]:
        del node[key]
    for key, value in values.items():
        old = before.get(key)
        if key in before and old == value:
            continue
        if isinstance(value, dict) and isinstance(old, dict):
            _set_values(node[key], old, value)
        elif isinstance(value, list) and isinstance(old, list):
            _set_items(node[key], old, value)
        else:
            node[key] = value


def _set_items(node: Any, before: Sequence[Any], values: Sequence[Any]) -> None:
    """Change a list of ruamel.yaml; items keep their comments while they keep their position."""
    for position, value in enumerate(values):
        old = before[position] if position < len(before) else None
        if position >= len(before):
            node.append(value)
        elif isinstance(value, dict) and isinstance(old, dict):
            _set_values(node[position], old, value)
        elif old != value:
            node[position] = value
    del node[len(values) :]
