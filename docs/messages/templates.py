"""The texts that an expression can give, with {0}, {1}... for its values."""

import ast
import re
from collections import ChainMap
from collections.abc import Iterator, Sequence
from itertools import chain, product
from math import prod

from messages.scopes import Returned, Scope, name_of
from sceneset.cli.catalogue import is_phrase

_MAX_VARIANTS = 32
_FIELD = re.compile(r"(\{[a-z_]{2,}\})")
Parts = list[str | None]
"""The parts of a text; None stands for a value."""


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


def fragments(node: ast.AST, scope: Scope, returned: Returned) -> Iterator[str]:
    """Yield the texts that can be values of a message; phrases are translated on their own."""
    if isinstance(node, ast.Name):
        for value in scope.get(node.id, ()):
            yield from fragments(value, {**scope, node.id: []}, returned)
    elif isinstance(node, ast.Call) and name_of(node) != "counted":
        for value, inner in returned.get(name_of(node), ()):
            yield from filter(_is_phrase, templates(value, inner))
            rest = ChainMap({name_of(node): ()}, returned)  # a function is entered once
            yield from fragments(value, inner, rest)
    elif isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
        dicts = (value for value in scope.get(node.value.id, ()) if isinstance(value, ast.Dict))
        for text in chain.from_iterable(one.values for one in dicts):
            yield from templates(text, scope)
    elif isinstance(node, ast.JoinedStr):
        yield from _fragments_of_parts(node, scope, returned)
    elif isinstance(node, ast.IfExp | ast.BinOp | ast.Lambda):
        for child in ast.iter_child_nodes(node):
            yield from fragments(child, scope, returned)


def _fragments_of_parts(node: ast.JoinedStr, scope: Scope, returned: Returned) -> Iterator[str]:
    is_whole = bool(_joined([_piece(part, scope) for part in node.values]))
    for part in node.values:
        if isinstance(part, ast.FormattedValue):
            if not is_whole:
                yield from filter(_is_phrase, templates(part.value, scope))
            yield from fragments(part.value, scope, returned)


def _is_phrase(text: str) -> bool:
    return is_phrase(text.strip())
