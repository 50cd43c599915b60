"""Update the catalogue of Chinese messages: add texts that are new, drop those that are gone.

`make generated` runs this program. New texts get an empty msgstr; a test fails until somebody
translates them. Texts that need no mark are found by where they are: rules, help, table headers
and what the command line prints. The catalogue may also hold messages of findings and errors.
"""

import ast
import re
import sys
from collections.abc import Iterator
from itertools import product
from pathlib import Path

from sceneset.cli.catalogue import is_template, parse_po
from sceneset.cli.main import COMMANDS, GROUPS, parser_of
from sceneset.schemas.rules import RULES

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
    "expected one argument", "expected at least one argument", "not allowed with argument %s",
    "invalid choice: %(value)r (choose from %(choices)s)", "ignored explicit argument %r",
)  # fmt: skip
"""The messages of argparse that people can see."""
VALUES = (
    "error", "warning", "note", "off", "{n} error", "{n} errors", "{n} warning", "{n} warnings",
    "{n} note", "{n} notes",
)  # fmt: skip
"""Texts that are put together from names."""
PRINTS = {"say", "notify", "print_text", "UsageError", "translate"}
_MAX_VARIANTS = 16
_FEWEST_LETTERS = 2  # "R", "G" and "B" need no translation


def required() -> list[str]:
    """Return all texts that must be translated: rules first, then what people see most."""
    found: dict[str, None] = {}
    for rule in RULES.values():
        found |= dict.fromkeys((rule.meaning, rule.help))
    found |= dict.fromkeys(GROUPS)
    found |= dict.fromkeys(COMMANDS.values())
    found |= dict.fromkeys((*ARGPARSE, *VALUES))
    for name in COMMANDS:
        parser, module = parser_of(name)
        found[(module.__doc__ or "").strip()] = None
        actions = parser._actions  # noqa: SLF001 - argparse has no public way to list them
        found |= dict.fromkeys(action.help for action in actions if action.help)
    for room in ("cli", "stages"):
        for path in sorted((SOURCE / room).rglob("*.py")):
            found |= dict.fromkeys(printed_texts(ast.parse(path.read_text("utf-8"))))
    return [text for text in found if _is_text(text)]


def printed_texts(tree: ast.AST) -> Iterator[str]:
    """Yield headers of tables, messages and nouns with numbers in the code of a module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in PRINTS and node.args:
                yield from templates(node.args[0])
            elif name == "print_table" and node.args:
                yield from _headers(node.args[0])
            elif name == "counted":
                yield from _nouns(node.args[1:])
        elif isinstance(node, ast.Assign) and {
            target.id for target in node.targets if isinstance(target, ast.Name)
        } & {"columns", "headers"}:
            yield from _headers(node.value)
        elif isinstance(node, ast.Dict) and any(
            isinstance(key, ast.Attribute) and getattr(key.value, "id", "") == "Freedom"
            for key in node.keys
        ):
            for value in node.values:
                yield from templates(value)


def _nouns(forms: list[ast.expr]) -> Iterator[str]:
    for form in forms:
        yield from (f"{{n}} {text}" for text in templates(form))
    if len(forms) == 1:
        yield from (f"{{n}} {text}s" for text in templates(forms[0]))


def _headers(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Tuple):
        for item in node.elts:
            yield from templates(item)


def templates(node: ast.AST) -> list[str]:
    """Return the texts that an expression can give, with {0}, {1}... for its values."""
    texts = []
    for parts in _variants(node)[:_MAX_VARIANTS]:
        text, values = "", 0
        for part in parts:
            if part is None:
                text += f"{{{values}}}"
                values += 1
            else:
                text += part
        texts.append(text)
    return texts


def _variants(node: ast.AST) -> list[list[str | None]]:
    """Return the possible parts of a text; None stands for a value."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [[node.value]]
    if isinstance(node, ast.JoinedStr):
        return [[part.value if isinstance(part, ast.Constant) else None for part in node.values]]
    if isinstance(node, ast.IfExp):
        return [*_variants(node.body), *_variants(node.orelse)]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        pairs = product(_variants(node.left), _variants(node.right))
        return [left + right for left, right in pairs]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return [*_variants(node.left), [""]]
    return [[None]]


def _is_text(text: str) -> bool:
    """Return whether a text can be translated: commands to copy and values alone can't."""
    letters = sum(map(str.isalpha, text.replace("{n}", "")))
    if letters < _FEWEST_LETTERS or text.startswith("  "):
        return False
    return not re.search(r"\{(\d+|n)\}", text) or is_template(text)


def known() -> set[str]:
    """Return every text in the code: what the catalogue may hold."""
    found = set(required())
    for path in SOURCE.rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        found.update(printed_texts(tree))
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
