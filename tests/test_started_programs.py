"""Every Python that the project starts has a safe path: no module of a repository is imported."""

import ast
import re
from collections.abc import Iterator

import pytest

from support.build import ROOT
from test_layers import TREES

STARTS = re.compile(
    r"(?:subprocess\.(?:run|call|check_call|check_output|Popen|getoutput|getstatusoutput)"
    r"|os\.(?:system|popen|startfile|fork|forkpty|exec\w+|spawn\w+|posix_spawnp?)"
    r"|pty\.\w+|asyncio\.create_subprocess_\w+)"
)
STARTING = {
    # Each module that starts programs, and the programs that the lists in it name.
    "sceneset.storage.git": {"git"},
    "sceneset.storage.dvc": {"python"},
    "sceneset.imaging.strict_cmyk": {"python"},
    "sceneset.cli.scaffold": {"git"},
    "sceneset.cli.terminal_pictures": set(),  # tmux, which runs the user's terminal
    "sceneset.edits.merge_driver": {"git"},
}
PYTHON = re.compile(r"(?<![\w.$/{-])python[\d.]*(?= +(?:-|\S+\.py))(?! +-[PI]\b)")
"""A command line that starts Python without a safe path."""
TEXTS = [
    *(ROOT / "src/sceneset/cli/templates").iterdir(),
    *(ROOT / name for name in ("dvc.yaml", ".pre-commit-config.yaml")),
]


def dotted(node: ast.AST) -> str:
    return ast.unparse(node) if isinstance(node, ast.Attribute | ast.Name) else ""


def command_lines(tree: ast.AST) -> Iterator[tuple[str, str, int]]:
    """Yield the program, the first argument and the line of every list that starts a program."""
    for node in ast.walk(tree):
        words = node.elts if isinstance(node, ast.List | ast.Tuple) else []
        if not words:
            continue
        first = words[0]
        name = first.value if isinstance(first, ast.Constant) else dotted(first)
        if name == "sys.executable" or re.fullmatch(r"(?:.*/)?(?:git|dvc|python[\d.]*)", str(name)):
            second = words[1].value if len(words) > 1 and isinstance(words[1], ast.Constant) else ""
            program = "python" if name == "sys.executable" else str(name)
            yield program, str(second), node.lineno


def unsafe(tree: ast.AST) -> list[int]:
    """Return the lines of lists that start Python without a safe path."""
    return [
        line
        for program, option, line in command_lines(tree)
        if "python" in program and option not in {"-P", "-I"}
    ]


def starts(tree: ast.AST) -> list[ast.Call]:
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and STARTS.fullmatch(dotted(node.func))
    ]


def test_only_known_modules_start_programs() -> None:
    found = {name: starts(tree) for name, tree in TREES.items()}
    assert {name for name, calls in found.items() if calls} == STARTING.keys()
    for calls in found.values():
        for call in calls:
            assert "shell" not in {keyword.arg for keyword in call.keywords}
    for name, tree in TREES.items():
        if name in STARTING:
            assert {program for program, _, _ in command_lines(tree)} == STARTING[name], name
        for node in ast.walk(tree):  # `from subprocess import run` would hide calls
            if isinstance(node, ast.ImportFrom):
                assert node.module not in {"subprocess", "pty"}, name


def test_every_python_of_the_source_has_a_safe_path() -> None:
    assert {name: lines for name, tree in TREES.items() if (lines := unsafe(tree))} == {}


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("run([sys.executable, '-m', 'dvc'])", 1),
        ("run(('python3', 'x.py'))", 1),
        ("run([sys.executable, *words])", 1),
        ("run([sys.executable, '-P', '-m', 'dvc'])", 0),
        ("run(['python', '-I', 'x.py'])", 0),
    ],
)
def test_python_without_a_safe_path_is_found(text: str, count: int) -> None:
    assert len(unsafe(ast.parse(text))) == count


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_every_python_of_templates_and_pipelines_has_a_safe_path(path) -> None:
    assert PYTHON.findall(path.read_text("utf-8")) == []


def test_python_in_a_command_line_is_found() -> None:
    assert PYTHON.findall("cmd: python -m x; python3.11 run.py") == ["python", "python3.11"]
    assert (
        PYTHON.findall("cmd: python -P -m x; python-version: 3; setup-python; python3 -I a") == []
    )
