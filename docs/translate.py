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
from collections import ChainMap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import chain, product
from math import prod
from pathlib import Path
from typing import get_args

from pydantic import BaseModel

from sceneset.cli.catalogue import is_phrase, is_template, parse_po
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
PRINTS = {"say", "notify", "print_text", "translate", "Label"}
MESSAGES = {
    "finding": (1,), "fail": (1,), "refuse_without": (2,), "Trouble": (2, 3),
    "UndecodableError": (1, 2), "ArrowInvalid": (0,), "BrokenRowError": (0, 2), "progress": (2,),
    "_progress": (2,), "one_step": (1,), "PredictionError": (0, 1), "Problem": (1,), "Row": (3,),
}  # fmt: skip
"""Calls that make a message, and the places of their arguments that people read."""
_BUGS = {"AttributeError", "IndexError", "KeyError", "RuntimeError", "TypeError", "WorkerError"}
"""Errors of the program itself; their messages are for its developers."""
_NAMES = {"message", "hint", "advice", "reason", "problem", "next_step", "what", "done", "planned"}
"""Variables and keyword arguments that hold messages."""
_LISTS = {"unread", "notes"}
"""Attributes that hold lists or sets of messages."""
_OF_FORMATS = {"title", "loses"}
"""Attributes of classes that `sceneset formats` prints."""
_RETURNING = {"detect", "question", "_change_scenes", "_size_text", "truth_problem"}
"""Functions that return a text that people read."""
_MAX_VARIANTS = 32
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_FIELD = re.compile(r"(\{[a-z_]{2,}\})")
Scope = dict[str, list[ast.expr]]
"""The expressions that are assigned to each name."""
Returned = Mapping[str, Sequence[tuple[ast.expr, Scope]]]
"""What functions return, by their names, each with the scope of the function."""
Places = dict[str, set[int]]
"""Places of arguments by the name of a function."""
Parts = list[str | None]
"""The parts of a text; None stands for a value."""
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
    return [text for text in found if _is_text(text)]


@cache
def _source_texts() -> tuple[str, ...]:
    """Return the texts in the code; rooms that print come first."""
    found: dict[str, None] = {}
    paths = [*sorted(SOURCE.rglob("*.py")), SOURCE.parents[1] / "demo/draw.py"]
    trees = {path: ast.parse(path.read_text("utf-8")) for path in paths}
    constants = _constants(trees.values())
    returned = _returned(trees.values(), constants)
    parameters = _message_parameters(trees.values())
    for path in sorted(paths, key=lambda path: not {*_PRINTING} & {*path.parts}):
        found |= dict.fromkeys(printed_texts(trees[path], constants, returned, parameters))
    _own_nodes.cache_clear()  # it holds all trees
    return tuple(found)


def _descriptions(model: type[BaseModel]) -> Iterator[str]:
    """Yield what the hints on a file say: the descriptions of the fields of its model."""
    for field in model.model_fields.values():
        if field.description:
            yield " ".join(field.description.split())
        for part in (field.annotation, *get_args(field.annotation)):
            if isinstance(part, type) and issubclass(part, BaseModel):
                yield from _descriptions(part)


def _constants(trees: Iterable[ast.Module]) -> Scope:
    """Return the constants of all modules; private ones mean something else in each module."""
    scope: Scope = {}
    for tree in trees:
        for node in tree.body:
            if isinstance(node, ast.Assign | ast.AnnAssign) and node.value:
                for target in _targets(node):
                    if isinstance(target, ast.Name) and re.match("[A-Z][A-Z0-9_]*$", target.id):
                        _assign(scope, target, node.value)
    return scope


def _returned(trees: Iterable[ast.Module], constants: Scope) -> Returned:
    """Return what functions return, by their names, each with the scope of the function."""
    found: Returned = {}
    for tree in trees:
        for function, scope in _scopes(tree, constants):
            if isinstance(function, ast.FunctionDef):
                inner = _scope_of(function, scope)
                found.setdefault(function.name, []).extend(
                    (node.value, inner)
                    for node in _own_nodes(function)
                    if isinstance(node, ast.Return) and node.value
                )
    return found


def _message_parameters(trees: Iterable[ast.Module]) -> Places:
    """Return the places of parameters that are named as messages are, by the functions' names."""
    found: Places = {}
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                names = [one.arg for one in (*node.args.posonlyargs, *node.args.args)]
                is_method = names[:1] in (["self"], ["cls"])
                places = {place for place, name in enumerate(names[is_method:]) if name in _NAMES}
                found.setdefault(node.name, set()).update(places)
    return found


def printed_texts(
    tree: ast.AST,
    constants: Scope | None = None,
    returned: Returned | None = None,
    parameters: Places | None = None,
) -> Iterator[str]:
    """Yield headers of tables, messages, hints and nouns with numbers in the code of a module."""
    for node, scope in _scopes(tree, constants):
        for message in _messages(node, parameters or {}):
            yield from templates(message, scope)
            yield from _fragments(message, scope, returned or {})
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield from _texts_of_formats(node, returned or {})
        elif isinstance(node, ast.Call):
            yield from _texts_of_call(node, scope)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            yield from _named_texts(node)
        elif isinstance(node, ast.Dict) and any(
            isinstance(key, ast.Attribute) and getattr(key.value, "id", "") == "Freedom"
            for key in node.keys
        ):
            for value in node.values:
                yield from templates(value)


def _texts_of_call(node: ast.Call, scope: Scope) -> Iterator[str]:
    """Yield the headers of a table, or a noun with a number."""
    if _name_of(node) == "print_table" and node.args:
        yield from _headers(node.args[0])
    elif _name_of(node) == "counted":
        yield from _nouns(node.args[1:], scope)


def _texts_of_formats(node: ast.FunctionDef | ast.ClassDef, returned: Returned) -> Iterator[str]:
    """Yield the title of a format, what it does not keep, and why a delivery looks like it."""
    if node.name in _RETURNING:
        for value, inner in returned.get(node.name, ()):
            for text in value.elts if isinstance(value, ast.Tuple) else (value,):
                yield from templates(text, inner)
    for line in node.body if isinstance(node, ast.ClassDef) else ():
        if isinstance(line, ast.Assign) and isinstance(line.value, ast.Constant):
            names = {target.id for target in line.targets if isinstance(target, ast.Name)}
            if names & _OF_FORMATS:
                yield from templates(line.value)


def _named_texts(node: ast.Assign | ast.AnnAssign) -> Iterator[str]:
    """Yield the headers of a table or the labels that are assigned to a name."""
    names = {target.id for target in _targets(node) if isinstance(target, ast.Name)}
    if node.value and names & {"columns", "headers"}:
        yield from _headers(node.value)
    elif isinstance(node.value, ast.Dict) and any(name.endswith("LABELS") for name in names):
        for value in node.value.values:
            if isinstance(value, ast.Constant):
                yield from templates(value)


def _messages(node: ast.AST, parameters: Places) -> Iterator[ast.expr]:
    """Yield the expressions in a node that people read."""
    if isinstance(node, ast.Call):
        name = _name_of(node)
        is_error = name.endswith("Error") and name not in _BUGS
        if name in PRINTS or is_error or name in MESSAGES:
            for place in MESSAGES.get(name, (0,)):
                yield from node.args[place : place + 1]
        else:
            yield from _after_rule(node.args)
            arguments = (node.args[place : place + 1] for place in parameters.get(name, ()))
            yield from filter(_can_be_text, chain.from_iterable(arguments))
        yield from (word.value for word in node.keywords if word.arg in _NAMES)
        container = getattr(node.func, "value", None)
        if name in {"add", "append"} and getattr(container, "attr", "") in _LISTS:
            yield from node.args
    elif isinstance(node, ast.Tuple):
        yield from _after_rule(node.elts)
    elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign) and node.value:
        for target in [node.target] if isinstance(node, ast.AugAssign) else _targets(node):
            if isinstance(target, ast.Name) and target.id in _NAMES:
                yield target if isinstance(node, ast.AugAssign) else node.value


def _name_of(call: ast.Call) -> str:
    return getattr(call.func, "id", getattr(call.func, "attr", ""))


def _after_rule(nodes: list[ast.expr]) -> Iterator[ast.expr]:
    """Yield the texts that come after the code of a rule: its message and hint."""
    for place, node in enumerate(nodes):
        if isinstance(node, ast.Constant) and node.value in RULES:
            yield from filter(_can_be_text, nodes[place + 1 :])
            return


def _can_be_text(node: ast.expr) -> bool:
    """Return whether an expression is a message and not, for example, the name of a column."""
    body = node.body if isinstance(node, ast.Lambda) else node
    return isinstance(body, ast.Name | ast.JoinedStr | ast.BinOp | ast.IfExp) or (
        isinstance(body, ast.Constant) and " " in str(body.value)
    )


def _scopes(tree: ast.AST, scope: Scope | None = None) -> Iterator[tuple[ast.AST, Scope]]:
    """Yield each node with the expressions that are assigned to the names of its function."""
    inner = _scope_of(tree, scope or {})
    for node in _own_nodes(tree):
        yield node, inner
        if isinstance(node, _FUNCTIONS):
            yield from _scopes(node, inner)


def _scope_of(tree: ast.AST, outer: Scope) -> Scope:
    """Return the scope of a function or module."""
    scope = dict(outer)
    for node in _own_nodes(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value:
            for target in _targets(node):
                _assign(scope, target, node.value)
        elif isinstance(node, ast.NamedExpr):
            _assign(scope, node.target, node.value)
        elif isinstance(node, ast.For) and isinstance(node.iter, ast.Tuple):
            for item in node.iter.elts:
                _assign(scope, node.target, item)
        elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            name = node.target.id
            longer = [ast.BinOp(old, node.op, node.value) for old in scope.get(name, [])]
            scope[name] = [*scope.get(name, []), *longer]
    return scope


@cache
def _own_nodes(tree: ast.AST) -> tuple[ast.AST, ...]:
    """Return the nodes of a module or function in order; inner functions are not entered."""
    found = []
    ahead = [*ast.iter_child_nodes(tree)][::-1]
    while ahead:
        node = ahead.pop()
        found.append(node)
        if not isinstance(node, _FUNCTIONS):
            ahead += [*ast.iter_child_nodes(node)][::-1]
    return tuple(found)


def _targets(node: ast.Assign | ast.AnnAssign) -> list[ast.expr]:
    return node.targets if isinstance(node, ast.Assign) else [node.target]


def _assign(scope: Scope, target: ast.expr, value: ast.expr) -> None:
    if isinstance(target, ast.Name):
        known = scope.get(target.id, [])
        scope[target.id] = known if value in known else [*known, value]
    elif isinstance(target, ast.Tuple) and isinstance(value, ast.IfExp):
        _assign(scope, target, value.body)
        _assign(scope, target, value.orelse)
    elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
        for one, part in zip(target.elts, value.elts, strict=False):
            _assign(scope, one, part)


def _fragments(node: ast.AST, scope: Scope, returned: Returned) -> Iterator[str]:
    """Yield the texts that can be values of a message; phrases are translated on their own."""
    if isinstance(node, ast.Name):
        for value in scope.get(node.id, ()):
            yield from _fragments(value, {**scope, node.id: []}, returned)
    elif isinstance(node, ast.Call) and _name_of(node) != "counted":
        for value, inner in returned.get(_name_of(node), ()):
            yield from filter(_is_phrase, templates(value, inner))
            rest = ChainMap({_name_of(node): ()}, returned)  # a function is entered once
            yield from _fragments(value, inner, rest)
    elif isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
        dicts = (value for value in scope.get(node.value.id, ()) if isinstance(value, ast.Dict))
        for text in chain.from_iterable(one.values for one in dicts):
            yield from templates(text, scope)
    elif isinstance(node, ast.JoinedStr):
        yield from _fragments_of_parts(node, scope, returned)
    elif isinstance(node, ast.IfExp | ast.BinOp | ast.Lambda):
        for child in ast.iter_child_nodes(node):
            yield from _fragments(child, scope, returned)


def _fragments_of_parts(node: ast.JoinedStr, scope: Scope, returned: Returned) -> Iterator[str]:
    is_whole = bool(_joined([_piece(part, scope) for part in node.values]))
    for part in node.values:
        if isinstance(part, ast.FormattedValue):
            if not is_whole:
                yield from filter(_is_phrase, templates(part.value, scope))
            yield from _fragments(part.value, scope, returned)


def _is_phrase(text: str) -> bool:
    return is_phrase(text.strip())


def _nouns(forms: list[ast.expr], scope: Scope) -> Iterator[str]:
    for form in forms:
        yield from (f"{{n}} {text}" for text in templates(form, scope))
    if len(forms) == 1:
        yield from (f"{{n}} {text}s" for text in templates(forms[0], scope))


def _headers(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Tuple):
        for item in node.elts:
            yield from templates(item)


def templates(node: ast.AST, scope: Scope | None = None) -> list[str]:
    """Return the texts that an expression can give, with {0}, {1}... for its values."""
    texts = []
    for parts in _variants(node, scope or {}):
        text, values = "", 0
        for part in parts:
            if part is None:
                text += f"{{{values}}}"
                values += 1
            else:
                text += part
        texts.append(text)
    return texts


def _variants(node: ast.AST, scope: Scope) -> list[Parts]:
    """Return the possible parts of a text."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        # "{folder}" is filled in by str.format.
        return [[None if part[:1] == "{" else part for part in _FIELD.split(node.value) if part]]
    if isinstance(node, ast.JoinedStr):
        whole = _joined([_piece(part, scope) for part in node.values])
        return whole or [
            [part.value if isinstance(part, ast.Constant) else None for part in node.values]
        ]
    if isinstance(node, ast.IfExp):
        return [*_variants(node.body, scope), *_variants(node.orelse, scope)]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        sides = _variants(node.left, scope), _variants(node.right, scope)
        return _joined(sides) or [[*left, *right] for left, right in zip(*sides, strict=False)]
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        return [*_variants(node.left, scope), [""]]
    if isinstance(node, ast.Lambda):
        return _variants(node.body, scope)
    if isinstance(node, ast.Name) and scope.get(node.id):
        inner = {**scope, node.id: []}
        return [parts for value in scope[node.id] for parts in _variants(value, inner)]
    return [[None]]


def _piece(part: ast.AST, scope: Scope) -> list[Parts]:
    """Return the variants of a part of an f-string: words are a part of the sentence."""
    if not isinstance(part, ast.FormattedValue):
        return _variants(part, scope)
    if part.conversion != -1 or part.format_spec:
        return [[None]]
    return _variants(part.value, scope)


def _joined(pieces: Sequence[list[Parts]]) -> list[Parts]:
    """Return all combinations of the variants of pieces, or nothing if they are too many."""
    if prod(map(len, pieces)) > _MAX_VARIANTS:
        return []
    return [list(chain.from_iterable(parts)) for parts in product(*pieces)]


def _is_text(text: str) -> bool:
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
