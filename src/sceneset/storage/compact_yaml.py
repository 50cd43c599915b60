"""Write plain values as compact YAML, with the bytes of PyYAML in a tenth of its time.

The statistics of a registry are thousands of small mappings of numbers, and `sceneset check` writes
them again to compare them. PyYAML builds an object for each value first. This module knows the few
forms that statistics have; for any other value it says so, and PyYAML writes the text.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

_MAX_WIDTH = 900  # characters; PyYAML breaks lines after 1000
_PLAIN = re.compile(r"[A-Za-z\u4e00-\u9fff][\w.\u4e00-\u9fff/-]{0,100}", re.ASCII)
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
"""Text that YAML reads as another value, so it needs quotes."""
_COLLECTIONS = frozenset({dict, list})


class _OtherFormError(Exception):
    """The values have a form that this module does not write."""


def compact_yaml(fields: Mapping[str, Any]) -> str | None:
    """Return fields as block mappings, with collections of plain values on one line.

    Returns:
        The text of ``yaml.dump(fields, Dumper=yaml.SafeDumper, sort_keys=False,
        allow_unicode=True, width=1000, default_flow_style=None)``, or None if this module does not
        write values of such a form.
    """
    seen: set[int] = set()
    try:
        if _in_one_line(fields, seen) is not None:
            return None
        lines = list(_mapping_lines(fields, seen))
    except _OtherFormError:
        return None
    if max(map(len, lines)) > _MAX_WIDTH:
        return None
    return "\n".join([*lines, ""])


def _mapping_lines(fields: Mapping[str, Any], seen: set[int]) -> Iterator[str]:
    """Yield the lines of a mapping, without the indentation of the mapping itself."""
    for name, value in fields.items():
        key = _scalar(name)
        text = _in_one_line(value, seen)
        if text is not None:
            yield f"{key}: {text}"
        elif type(value) is dict:
            yield f"{key}:"
            for line in _mapping_lines(value, seen):
                yield f"  {line}"
        else:
            yield f"{key}:"
            for item in value:
                yield from _item_lines(item, seen)


def _item_lines(item: Any, seen: set[int]) -> Iterator[str]:
    """Yield the lines of an item of a list that is not on one line."""
    text = _in_one_line(item, seen)
    if text is not None:
        yield f"- {text}"
    elif type(item) is dict:
        start = "- "
        for line in _mapping_lines(item, seen):
            yield start + line
            start = "  "
    else:
        raise _OtherFormError


def _in_one_line(value: Any, seen: set[int]) -> str | None:
    """Return a plain value, or a collection of plain values; None for other collections."""
    kind = type(value)
    if kind is dict or kind is list:
        if id(value) in seen:
            raise _OtherFormError  # PyYAML refers to the first place
        seen.add(id(value))
        if any(type(part) in _COLLECTIONS for part in (value.values() if kind is dict else value)):
            return None
        if kind is list:
            return f"[{', '.join(map(_scalar, value))}]"
        return f"{{{', '.join(f'{_scalar(k)}: {_scalar(v)}' for k, v in value.items())}}}"
    return _scalar(value)


def _scalar(value: Any) -> str:
    kind = type(value)
    if kind is float:
        text = repr(value)
        if not text[-1].isdigit():
            raise _OtherFormError  # infinite, or not a number
        return text.replace("e", ".0e", 1) if "e" in text and "." not in text else text
    if kind is int:
        return str(value)
    if kind is str and _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return str(value)
    raise _OtherFormError
