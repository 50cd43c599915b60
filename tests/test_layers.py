"""Rules of the code's structure: import directions, lazy imports, module sizes, one door to DVC."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter

import pytest

from support.build import ROOT

SOURCE = ROOT / "src/sceneset"
FLOORS = (
    # From the ground up. A module imports from its own room and from the rooms below it.
    ("counts", "errors", "paths", "plugins", "progress", "schemas", "threads"),
    ("storage",),
    ("imaging",),
    ("models",),
    ("rules",),
    ("catalog",),
    ("scanning",),
    ("quality",),
    ("versions",),
    ("formats",),
    ("delivery",),
    ("edits",),
    ("cropping",),
    ("reporting",),
    ("exports",),
    ("evaluation",),
    ("suggestions",),
    ("site",),
    ("server",),
    ("api",),
    ("torch",),
    ("cli",),
    ("stages",),
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
ENTRIES = {"sceneset", "sceneset.__main__"}  # the package itself, and `python -m sceneset`
IMAGE_LIBRARIES = {"PIL", "cv2", "simplejpeg", "kornia_rs"}
HEAVY = {
    *("dvc", "numpy", "pyarrow", "pydantic", "yaml", "rich", "distributed"),
    *("jinja2", "ruamel", "shtab", "filelock", "torch", "duckdb", *IMAGE_LIBRARIES),
    *("fastapi", "starlette", "uvicorn", "onnxruntime"),
}


def name_of(path) -> str:
    parts = path.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


TREES = {name_of(path): ast.parse(path.read_text("utf-8")) for path in SOURCE.rglob("*.py")}
MODULES = sorted(TREES)


def imported(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Yield the module of every import statement, wherever it is, and its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield (inner if inner in TREES else node.module or ""), node.lineno


def room_of(module: str) -> str:
    return module.split(".")[1]


def upward(module: str, tree: ast.AST) -> list[str]:
    """Return the imports of a module that lead to a room above its own."""
    return [
        f"{module}, line {line}, imports {name}"
        for name, line in imported(tree)
        if name.split(".")[0] == "sceneset"
        and (name in ENTRIES or FLOOR[room_of(name)] > FLOOR[room_of(module)])
    ]


@pytest.mark.parametrize("module", [name for name in MODULES if name not in ENTRIES])
def test_module_imports_only_from_its_own_room_and_below(module):
    assert upward(module, TREES[module]) == []


@pytest.mark.parametrize(
    "text",
    [
        "def f():\n    from sceneset.cli import output\n",
        "TYPE_CHECKING = False\nif TYPE_CHECKING:\n    import sceneset.cli.output\n",
        "try:\n    from sceneset.cli.output import say\nexcept ImportError:\n    pass\n",
        "def f():\n    from sceneset import Registry\n",
    ],
    ids=["in a function", "for type checking", "in a try", "the package itself"],
)
def test_upward_import_is_found_wherever_it_is(text):
    assert len(upward("sceneset.catalog.reader", ast.parse(text))) == 1


def test_modules_do_not_import_each_other_in_circles():
    graph = {
        module: {name for name, _ in imported(tree) if name in TREES and name != module}
        for module, tree in TREES.items()
    }
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle


@pytest.mark.parametrize("module", [name for name in MODULES if ".stages." in name])
def test_stages_do_not_import_each_other(module):
    others = {f"sceneset.stages.{stage.stem}" for stage in (SOURCE / "stages").glob("[!_]*.py")}
    others -= {module, "sceneset.stages.runner"}
    assert not others & {name for name, _ in imported(TREES[module])}


@pytest.mark.parametrize("module", MODULES)
def test_image_libraries_are_imported_only_in_imaging(module):
    used = IMAGE_LIBRARIES & {name.split(".")[0] for name, _ in imported(TREES[module])}
    if used == {"cv2"}:  # cv2.dnn runs models
        assert room_of(module) in {"imaging", "models"}
    elif used:
        assert room_of(module) == "imaging"


@pytest.mark.parametrize("module", MODULES)
def test_dvc_is_called_from_one_module(module):
    if module != "sceneset.storage.dvc":
        assert "dvc" not in {name.split(".")[0] for name, _ in imported(TREES[module])}
        for node in ast.walk(TREES[module]):
            words = node.elts if isinstance(node, ast.List | ast.Tuple) else []
            assert "dvc" not in {word.value for word in words if isinstance(word, ast.Constant)}


def names_used(tree: ast.AST) -> set[str]:
    found = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return found | {
        f"{node.value.id}.{node.attr}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }


@pytest.mark.parametrize(
    "module",
    [
        name
        for name in MODULES
        if name not in ENTRIES
        and room_of(name) not in {"cli", "stages"}
        # Two modules are programs of `make generated`.
        and name not in {"sceneset.schemas.export", "sceneset.reporting.rules_page"}
    ],
)
def test_library_does_not_print_or_exit(module):
    forbidden = {"print", "exit", "quit", "sys.stdout", "sys.stderr", "sys.exit"}
    assert not forbidden & names_used(TREES[module])
    assert "rich" not in {name.split(".")[0] for name, _ in imported(TREES[module])}


@pytest.mark.parametrize("module", MODULES)
def test_module_has_a_docstring_and_stays_small(module):
    assert ast.get_docstring(TREES[module])
    path = SOURCE.parent / module.replace(".", "/")
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    assert len(path.read_text("utf-8").splitlines()) <= 400, "split it: one thing in one module"


def loaded_by(*words: str) -> set[str]:
    """Return the top-level modules that a command line loads."""
    program = ROOT / "tests/programs/loaded_modules.py"
    done = subprocess.run(
        [sys.executable, str(program), *words], capture_output=True, check=True, cwd=ROOT
    )
    return set(json.loads(done.stderr.splitlines()[-1]))


def test_help_loads_no_library():
    assert not HEAVY & loaded_by("--help")


def test_lookup_loads_no_library_when_the_index_is_current():
    loaded_by("lookup", "ski")
    assert not HEAVY & loaded_by("lookup", "ski")


def test_package_offers_the_registry_and_its_version():
    import sceneset

    assert sceneset.Registry.open(ROOT).root == ROOT
    assert sceneset.__version__
    with pytest.raises(AttributeError):
        sceneset.nonsense  # noqa: B018
