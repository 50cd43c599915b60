"""The names of a program: what is assigned to them, and what functions return."""

import ast
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
Scope = dict[str, list[ast.expr]]
"""The expressions that are assigned to each name."""
Returned = Mapping[str, Sequence[tuple[ast.expr, Scope]]]
"""What functions return, by their names, each with the scope of the function."""
Places = dict[str, set[int]]
"""Places of arguments by the name of a function."""


def constants_of(trees: Iterable[ast.Module]) -> Scope:
    """Return the constants of all modules; private ones mean something else in each module."""
    scope: Scope = {}
    for tree in trees:
        for node in tree.body:
            if isinstance(node, ast.Assign | ast.AnnAssign) and node.value:
                for target in targets(node):
                    if isinstance(target, ast.Name) and re.match("[A-Z][A-Z0-9_]*$", target.id):
                        _assign(scope, target, node.value)
    return scope


def returned_values(trees: Iterable[ast.Module], constants: Scope) -> Returned:
    """Return what functions return, by their names, each with the scope of the function."""
    found: Returned = {}
    for tree in trees:
        for function, scope in scopes(tree, constants):
            if isinstance(function, ast.FunctionDef):
                inner = scope_of(function, scope)
                found.setdefault(function.name, []).extend(
                    (node.value, inner)
                    for node in own_nodes(function)
                    if isinstance(node, ast.Return) and node.value
                )
    return found


def message_parameters(trees: Iterable[ast.Module], wanted: Collection[str]) -> Places:
    """Return the places of parameters with some names, by the functions' names."""
    found: Places = {}
    for tree in trees:
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                names = [one.arg for one in (*node.args.posonlyargs, *node.args.args)]
                is_method = names[:1] in (["self"], ["cls"])
                places = {place for place, name in enumerate(names[is_method:]) if name in wanted}
                found.setdefault(node.name, set()).update(places)
    return found


def scopes(tree: ast.AST, scope: Scope | None = None) -> Iterator[tuple[ast.AST, Scope]]:
    """Yield each node with the expressions that are assigned to the names of its function."""
    inner = scope_of(tree, scope or {})
    for node in own_nodes(tree):
        yield node, inner
        if isinstance(node, _FUNCTIONS):
            yield from scopes(node, inner)


def scope_of(tree: ast.AST, outer: Scope) -> Scope:
    """Return the scope of a function or module."""
    scope = dict(outer)
    for node in own_nodes(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value:
            for target in targets(node):
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
def own_nodes(tree: ast.AST) -> tuple[ast.AST, ...]:
    """Return the nodes of a module or function in order; inner functions are not entered."""
    found = []
    ahead = [*ast.iter_child_nodes(tree)][::-1]
    while ahead:
        node = ahead.pop()
        found.append(node)
        if not isinstance(node, _FUNCTIONS):
            ahead += [*ast.iter_child_nodes(node)][::-1]
    return tuple(found)


def targets(node: ast.Assign | ast.AnnAssign) -> list[ast.expr]:
    """Return what an assignment assigns to."""
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


def name_of(call: ast.Call) -> str:
    """Return the name of the called function or method."""
    return getattr(call.func, "id", getattr(call.func, "attr", ""))
