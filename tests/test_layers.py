"""The house rules that a machine can hold: layers, lazy imports, sizes, one door to DVC."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator

import pytest
from conftest import ROOT

LAYERS = ("schemas", "registry", "stages")
MODULES = sorted(
    path.relative_to(ROOT).as_posix() for layer in LAYERS for path in (ROOT / layer).rglob("*.py")
)
PIXELS = tuple(
    f"registry/{name}"
    for name in (
        "decode.py",
        "pixels.py",
        "looks.py",
        "metadata.py",
        "outlines.py",
        "mending.py",
        "fixing.py",
        "drawing/",
    )
)
HEAVY = (
    "dvc",
    "numpy",
    "pyarrow",
    "pydantic",
    "yaml",
    "rich",
    "PIL",
    "cv2",
    "simplejpeg",
    "kornia_rs",
    "distributed",
)


def imports(module: str) -> Iterator[str]:
    for node in ast.walk(ast.parse((ROOT / module).read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("module", MODULES)
def test_layers_import_downwards_only(module: str) -> None:
    layer = module.split("/", maxsplit=1)[0]
    above = LAYERS[LAYERS.index(layer) + 1 :]
    found = set(imports(module))
    for other in above:
        assert not {name for name in found if name.startswith(f"sceneset.{other}")}
    if layer == "stages":
        own = "sceneset." + module.removesuffix(".py").replace("/", ".")
        assert not {n for n in found if n.startswith("sceneset.stages.") and n != own}


@pytest.mark.parametrize("module", MODULES)
def test_pixels_are_opened_in_few_places(module: str) -> None:
    if {name.split(".")[0] for name in imports(module)} & {
        "PIL",
        "cv2",
        "simplejpeg",
        "kornia_rs",
    }:
        assert module.startswith(PIXELS)


@pytest.mark.parametrize("module", MODULES)
def test_dvc_is_called_from_one_file(module: str) -> None:
    if module != "registry/remote.py":
        assert "dvc" not in {name.split(".")[0] for name in imports(module)}
        for node in ast.walk(ast.parse((ROOT / module).read_text("utf-8"))):
            words = node.elts if isinstance(node, ast.List | ast.Tuple) else []
            assert "dvc" not in {word.value for word in words if isinstance(word, ast.Constant)}


@pytest.mark.parametrize("module", MODULES)
def test_modules_say_what_they_promise_and_stay_small(module: str) -> None:
    text = (ROOT / module).read_text("utf-8")
    doc = ast.get_docstring(ast.parse(text))
    assert doc, "a module begins with its promise"
    assert len(text.splitlines()) <= 400, "is there a second thing in it that wants its own name?"


def test_help_waits_for_no_library() -> None:
    code = "import sys, json, sceneset.registry.cli; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, cwd=ROOT)
    assert not set(HEAVY) & set(json.loads(done.stdout))


def test_the_package_offers_the_registry() -> None:
    from sceneset import registry

    assert registry.Registry.open(ROOT).root == ROOT
    with pytest.raises(AttributeError):
        registry.nonsense  # noqa: B018


def test_every_package_is_packed() -> None:
    packed = (ROOT / "pyproject.toml").read_text("utf-8")
    for init in ROOT.glob("*/**/__init__.py"):
        folder = init.parent.relative_to(ROOT)
        if folder.parts[0] in LAYERS:
            assert f'"sceneset.{".".join(folder.parts)}" = "{folder.as_posix()}"' in packed
