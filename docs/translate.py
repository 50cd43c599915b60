"""Update the catalogue of Chinese messages: add texts that are new, drop those that are gone.

`make generated` runs this program. New texts get an empty msgstr; a test fails until somebody
translates them. Texts that need no mark are found by where they are: rules, help, table headers,
what the command line prints, and the messages and hints of findings, errors and troubles. A local
variable stands for all texts that are assigned to it.
"""

import ast
import os
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import get_args

from pydantic import BaseModel

from messages.printed import NAMES, printed_texts
from messages.scopes import constants_of, message_parameters, own_nodes, returned_values
from messages.templates import templates
from sceneset.cli.catalogue import is_template, parse_po
from sceneset.cli.main import COMMANDS, GROUPS, example_comment, parser_of
from sceneset.schemas.params import Params
from sceneset.schemas.rules import RULES
from sceneset.schemas.scene import Vocabulary
from sceneset.schemas.stats import Colour
from sceneset.schemas.subset import Subset, SubsetDraft
from sceneset.schemas.tag import Tag
from sceneset.schemas.tombstone import TombstoneFile
from sceneset.schemas.waiver import Waivers
from sceneset.versions.diff import ChangeKind, change_text

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src/sceneset"
PO = SOURCE / "locale/zh_CN/LC_MESSAGES/sceneset.po"
_HEAD = """\
# Chinese messages of sceneset. Update this file with `make generated`, then fill in the empty
# translations. {0}, {1}... stand for values and {n} for a number; both may change their order.
msgid ""
msgstr ""
"Language: zh_CN\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"""
ARGPARSE = (
    "usage: ", "options", "positional arguments", "show this help message and exit",
    "%(prog)s: error: %(message)s\n", "argument %(argument_name)s: %(message)s",
    "the following arguments are required: %s", "unrecognized arguments: %s",
    "one of the arguments %s is required",
    "expected one argument", "expected at least one argument", "not allowed with argument %s",
    "invalid choice: %(value)r (choose from %(choices)s)", "ignored explicit argument %r",
)  # fmt: skip
"""The messages of argparse that people can see."""
PYDANTIC = (
    "Input should be {0}, not {1}", "String should match pattern {0}, not {1}",
    "Input should be a list, not {0}", "Input should be a valid dictionary, not {0}",
    "Input should be a valid string, not {0}", "Input should be a valid integer, not {0}",
    "Input should be a valid number, not {0}", "Input should be a valid boolean, not {0}",
    "Input should be greater than or equal to {0}, not {1}",
    "Input should be less than or equal to {0}, not {1}",
    "Input should be greater than {0}, not {1}", "Input should be less than {0}, not {1}",
    "String should have at least {0} character, not {1}",
    "String should have at most {0} characters, not {1}",
)  # fmt: skip
"""The messages of pydantic that people see most."""
EDITED = (Params, Vocabulary, Subset, SubsetDraft, Tag, Waivers, TombstoneFile)
"""The models of the files that people edit."""
VALUES = (
    "error", "warning", "note", "off", "{n} error", "{n} errors", "{n} warning", "{n} warnings",
    "{n} note", "{n} notes", *map(change_text, ChangeKind),
    *(f"{{n}} {change_text(kind)}" for kind in ChangeKind),
    *(name.replace("_", " ") for name in Colour.model_fields),  # `sceneset show` prints these
    "probability (8 bits)", "probability (16 bits)", "probability (float)", "COCO results",
    "COCO results (none)", "named", "lineage", "same pixels", "same name and look", "look-alike",
    "crop",
)  # fmt: skip
"""Texts that are put together from names."""
_PRINTING = ("cli", "stages")
"""The rooms that print: their texts come first."""
_FEWEST_LETTERS = 2  # "R", "G" and "B" need no translation


def required() -> list[str]:
    """Return all texts that must be translated: rules first, then what people see most."""
    os.environ["LC_ALL"] = "C.UTF-8"  # parsers print their help in the language of the locale
    found: dict[str, None] = {}
    for rule in RULES.values():
        found |= dict.fromkeys((rule.meaning, rule.help))
    found |= dict.fromkeys(GROUPS)
    found |= dict.fromkeys(COMMANDS.values())
    found |= dict.fromkeys((*ARGPARSE, *PYDANTIC, *VALUES))
    for model in EDITED:
        found |= dict.fromkeys(_descriptions(model))
    for name in COMMANDS:
        parser, module = parser_of(name)
        found[(module.__doc__ or "").strip()] = None
        found |= dict.fromkeys(group.title for group in parser._action_groups if group.title)  # noqa: SLF001
        actions = parser._actions  # noqa: SLF001 - argparse has no public way to list them
        found |= dict.fromkeys(action.help for action in actions if action.help)
        found |= dict.fromkeys(map(example_comment, module.EXAMPLES.splitlines()))
    found |= dict.fromkeys(_source_texts())
    return [text for text in found if is_text(text)]


@cache
def _source_texts() -> tuple[str, ...]:
    """Return the texts in the code; rooms that print come first."""
    found: dict[str, None] = {}
    paths = [*sorted(SOURCE.rglob("*.py")), SOURCE.parents[1] / "demo/draw.py"]
    trees = {path: ast.parse(path.read_text("utf-8")) for path in paths}
    constants = constants_of(trees.values())
    returned = returned_values(trees.values(), constants)
    parameters = message_parameters(trees.values(), NAMES)
    for path in sorted(paths, key=lambda path: not {*_PRINTING} & {*path.parts}):
        found |= dict.fromkeys(printed_texts(trees[path], constants, returned, parameters))
    own_nodes.cache_clear()  # it holds all trees
    return tuple(found)


def _descriptions(model: type[BaseModel]) -> Iterator[str]:
    """Yield what the hints on a file say: the descriptions of the fields of its model."""
    for field in model.model_fields.values():
        if field.description:
            yield " ".join(field.description.split())
        for part in (field.annotation, *get_args(field.annotation)):
            if isinstance(part, type) and issubclass(part, BaseModel):
                yield from _descriptions(part)


def is_text(text: str) -> bool:
    """Return whether a text can be translated: commands to copy and values alone can't."""
    letters = sum(map(str.isalpha, text.replace("{n}", "")))
    if letters < _FEWEST_LETTERS or text.startswith(("  ", "--no-")) or "_md5" in text:
        return False
    return not re.search(r"\{(\d+|n)\}", text) or is_template(text)


def known() -> set[str]:
    """Return every text in the code: what the catalogue may hold."""
    found = set(required())
    for path in SOURCE.rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant | ast.JoinedStr | ast.BinOp | ast.IfExp):
                found.update(templates(node))
    return found


def write_po(entries: dict[str, str]) -> str:
    """Return the text of a .po file."""
    parts = [_HEAD]
    parts += [
        f"msgid {_quoted(msgid)}\nmsgstr {_quoted(text)}\n" for msgid, text in entries.items()
    ]
    return "\n".join(parts)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t")
    lines = escaped.replace("\n", "\\n\n").removesuffix("\n").split("\n")
    if len(lines) == 1:
        return f'"{lines[0]}"'
    return "\n".join(['""', *(f'"{line}"' for line in lines)])


def main() -> int:
    """Write the catalogue and list the texts that have no translation."""
    old = parse_po(PO.read_text("utf-8")) if PO.exists() else {}
    old.pop("", None)
    entries = {msgid: old.get(msgid, "") for msgid in required()}
    allowed = known()
    entries |= {msgid: text for msgid, text in old.items() if text and msgid in allowed}
    PO.write_text(write_po(entries), "utf-8", newline="\n")
    missing = [msgid for msgid, text in entries.items() if not text]
    for msgid in missing:
        sys.stderr.write(f"{PO.name}: not translated: {msgid!r}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
