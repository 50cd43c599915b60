"""The texts in the code that people read, found by where they are."""

import ast
from collections.abc import Iterator
from itertools import chain

from messages.scopes import Places, Returned, Scope, name_of, scopes, targets
from messages.templates import fragments, templates
from sceneset.schemas.rules import RULES

PRINTS = {"say", "notify", "print_text", "translate", "Label"}
MESSAGES = {
    "finding": (1,), "fail": (1,), "refuse_without": (2,), "Trouble": (2, 3),
    "UndecodableError": (1, 2), "ArrowInvalid": (0,), "BrokenRowError": (0, 2), "progress": (2,),
    "_progress": (2,), "one_step": (1,), "PredictionError": (0, 1), "Problem": (1,), "Row": (3,),
    "Refusal": (3,), "_refuse": (2, 4),
}  # fmt: skip
"""Calls that make a message, and the places of their arguments that people read."""
_BUGS = {"AttributeError", "IndexError", "KeyError", "RuntimeError", "TypeError", "WorkerError"}
"""Errors of the program itself; their messages are for its developers."""
NAMES = {
    *("message", "hint", "advice", "reason", "problem", "next_step"),
    *("what", "done", "planned", "detail"),
}
"""Variables and keyword arguments that hold messages."""
_LISTS = {"unread", "notes"}
"""Attributes that hold lists or sets of messages."""
_OF_FORMATS = {"title", "loses"}
"""Attributes of classes that `sceneset formats` prints."""
_RETURNING = {"detect", "question", "_change_scenes", "_size_text", "truth_problem"}
"""Functions that return a text that people read."""


def printed_texts(
    tree: ast.AST,
    constants: Scope | None = None,
    returned: Returned | None = None,
    parameters: Places | None = None,
) -> Iterator[str]:
    """Yield headers of tables, messages, hints and nouns with numbers in the code of a module."""
    for node, scope in scopes(tree, constants):
        for message in _messages(node, parameters or {}):
            yield from templates(message, scope)
            yield from fragments(message, scope, returned or {})
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
    if name_of(node) == "print_table" and node.args:
        yield from _headers(node.args[0])
    elif name_of(node) == "counted":
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
    names = {target.id for target in targets(node) if isinstance(target, ast.Name)}
    if node.value and names & {"columns", "headers"}:
        yield from _headers(node.value)
    elif isinstance(node.value, ast.Dict) and any(name.endswith("LABELS") for name in names):
        for value in node.value.values:
            if isinstance(value, ast.Constant):
                yield from templates(value)


def _messages(node: ast.AST, parameters: Places) -> Iterator[ast.expr]:
    """Yield the expressions in a node that people read."""
    if isinstance(node, ast.Call):
        name = name_of(node)
        is_error = name.endswith("Error") and name not in _BUGS
        if name in PRINTS or is_error or name in MESSAGES:
            for place in MESSAGES.get(name, (0,)):
                yield from node.args[place : place + 1]
        else:
            yield from _after_rule(node.args)
            arguments = (node.args[place : place + 1] for place in parameters.get(name, ()))
            yield from filter(_can_be_text, chain.from_iterable(arguments))
        yield from (word.value for word in node.keywords if word.arg in NAMES)
        container = getattr(node.func, "value", None)
        if name in {"add", "append"} and getattr(container, "attr", "") in _LISTS:
            yield from node.args
    elif isinstance(node, ast.Tuple):
        yield from _after_rule(node.elts)
    elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign) and node.value:
        for target in [node.target] if isinstance(node, ast.AugAssign) else targets(node):
            if isinstance(target, ast.Name) and target.id in NAMES:
                yield target if isinstance(node, ast.AugAssign) else node.value


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


def _nouns(forms: list[ast.expr], scope: Scope) -> Iterator[str]:
    for form in forms:
        yield from (f"{{n}} {text}" for text in templates(form, scope))
    if len(forms) == 1:
        yield from (f"{{n}} {text}s" for text in templates(forms[0], scope))


def _headers(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Tuple):
        for item in node.elts:
            yield from templates(item)
