"""Write the files of the registry that `add` and `forget` edit: params.yaml and subset entries.

People write comments into params.yaml. So only its list of subsets is edited, by ruamel.yaml,
which keeps comments; all other lines stay byte-equal.
"""

import bisect
import io
from typing import TYPE_CHECKING, Any

from sceneset.errors import FindingsError, fail
from sceneset.schemas.subset import Subset
from sceneset.storage.yaml_files import dump_yaml
from sceneset.storage.yaml_parser import parse

if TYPE_CHECKING:
    from collections.abc import Callable

    from ruamel.yaml import YAML
    from ruamel.yaml.comments import CommentedMap, CommentedSeq

_KEY, _RENAMED = "subsets", "renamed"
_FILE = "params.yaml"


def with_subset(text: str, name: str) -> str:
    """Return the text of params.yaml with one more subset, in alphabetical order.

    Raises:
        FindingsError: The list is written in a style that can't be edited.
    """

    def insert(names: "CommentedSeq") -> None:
        position = bisect.bisect(names, name)
        names.insert(position, name)
        if position:
            _movecomment_lines(names, position - 1, position)

    listed = (parse(text, _FILE).data or {}).get(_KEY) or []
    return _edit(text, insert, expected=[*listed, name])


def without_subset(text: str, name: str) -> str:
    """Return the text of params.yaml without one of its subsets.

    Raises:
        FindingsError: The list is written in a style that can't be edited.
    """

    def remove(names: "CommentedSeq") -> None:
        position = names.index(name)
        _movecomment_lines(names, position, position - 1 if position else None)
        del names[position]

    listed = parse(text, _FILE).data[_KEY]
    return _edit(text, remove, expected=[other for other in listed if other != name])


def with_renamed_subset(text: str, old: str, new: str) -> str:
    """Return the text of params.yaml with a subset under another name, and its former name.

    Raises:
        FindingsError: A list is written in a style that can't be edited.
    """
    text = with_subset(without_subset(text, old), new)
    former: dict[str, str] = (parse(text, _FILE).data or {}).get(_RENAMED) or {}
    former = {name: new if now == old else now for name, now in former.items() if name != new}
    before, section, after = _section(text, _RENAMED)
    lines = [f"  {name}: {now}\n" for name, now in sorted((former | {old: new}).items())]
    comments = [f"{line}\n" for line in comment_lines(section)]
    return "".join([before, f"{_RENAMED}:\n", *comments, *lines, after])


def entry_text(entry: Subset) -> str:
    """Return the text of registry/subsets/<name>.yaml, without fields that have their default."""
    fields = entry.model_dump(mode="json", exclude_defaults=True)
    return dump_yaml(fields, schema="../../schemas/json/subset.json")


def _edit(text: str, change: "Callable[[CommentedSeq], None]", expected: list[str]) -> str:
    """Return the text with a changed list of subsets, after checking that nothing else changed."""
    from ruamel.yaml.error import YAMLError

    try:
        before, section, after = _split(text)
        edited = before + _edit_section(section, change) + after
        data = parse(edited, _FILE).data
    except (FindingsError, YAMLError, ValueError):
        data = None
    wanted = (parse(text, _FILE).data or {}) | {_KEY: sorted(expected)}
    if (
        data is None
        or data | {_KEY: sorted(data[_KEY])} != wanted
        or comment_lines(edited) != comment_lines(text)
    ):
        fail(
            "schema",
            "the list is written in a style that sceneset can't edit",
            file=_FILE,
            field=_KEY,
            hint="write one line '  - <name>' per subset",
        )
    return edited


def _split(text: str) -> tuple[str, str, str]:
    """Split the text into the lines before, of and after the list of subsets."""
    before, section, after = _section(text, _KEY)
    return before, section or f"{_KEY}: []\n", after


def _section(text: str, name: str) -> tuple[str, str, str]:
    """Split the text into the lines before, of and after a key with its value.

    The section begins with the key and ends with the last item of the value; comments below that
    are not part of it. Without the key it is "", at the end of the text.
    """
    from ruamel.yaml import YAML

    root = YAML().compose(text)
    for key, value in root.value if root else ():
        if key.value == name:
            items = value.value if isinstance(value.value, list) and not value.flow_style else []
            last = items[-1] if items else value
            last = last[1] if isinstance(last, tuple) else last  # an item of a mapping
            end = text.find("\n", last.end_mark.index) + 1 or len(text)
            return text[: key.start_mark.index], text[key.start_mark.index : end], text[end:]
    return text if not text or text.endswith("\n") else f"{text}\n", "", ""


def _edit_section(section: str, change: "Callable[[CommentedSeq], None]") -> str:
    from ruamel.yaml.comments import CommentedSeq

    editor, is_block = round_trip_editor(section)
    params: CommentedMap = editor.load(section)
    if not params[_KEY]:
        params[_KEY] = CommentedSeq()
    change(params[_KEY])
    if params[_KEY]:
        params[_KEY].fa.set_block_style()
    elif is_block:  # ruamel.yaml would write `[]` below the comments, which is not valid
        key_line = section.partition("\n")[0].replace(":", ": []", 1)
        return "\n".join([key_line, *comment_lines(section), ""])
    out = io.StringIO()
    editor.dump(params, out)
    return out.getvalue()


def round_trip_editor(text: str) -> tuple["YAML", bool]:
    """Return an editor that keeps the comments and the form of a text.

    Args:
        text: A YAML text.

    Returns:
        The editor, and whether the text has a list in block style.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.util import load_yaml_guess_indent

    _, sequence, offset = load_yaml_guess_indent(text)
    editor = YAML()
    editor.preserve_quotes = True
    editor.width = 1 << 20  # never wrap a line
    if not (is_block := offset is not None):  # an empty list or `[a, b]`
        sequence, offset = 4, 2
    editor.indent(mapping=2, sequence=sequence, offset=offset)
    return editor, is_block


def comment_lines(text: str) -> list[str]:
    """Return the lines of a YAML text that are comments."""
    return [line for line in text.splitlines() if line.lstrip().startswith("#")]


def _movecomment_lines(names: "CommentedSeq", source: int, target: int | None) -> None:
    """Move the comment and blank lines below one item to below another, or above the first.

    ruamel.yaml stores these lines with the item above, together with the comment at the item's end.
    """
    from ruamel.yaml.error import CommentMark
    from ruamel.yaml.tokens import CommentToken

    comments: dict[int, list[Any]] = names.ca.items
    if source not in comments:
        return
    own, _, lines = comments[source][0].value.partition("\n")
    if not lines:
        return
    if own:
        comments[source][0].value = f"{own}\n"
    else:
        del comments[source]
    if target is None:
        names.ca.comment = names.ca.comment or [None, []]
        indent = len(lines) - len(lines.lstrip(" "))
        names.ca.comment[1] = names.ca.comment[1] or []
        names.ca.comment[1].append(CommentToken(lines.lstrip(" "), CommentMark(indent)))
    elif target in comments:
        comments[target][0].value += lines
    else:
        comments[target] = [CommentToken(f"\n{lines}", CommentMark(0)), None, None, None]
