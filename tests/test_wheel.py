"""What is installed is sceneset and nothing beside it, and it works without the checkout."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from conftest import ROOT


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a copy: building leaves files behind."""
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("schemas", "registry", "stages"):
        shutil.copytree(ROOT / name, source / name, ignore=ignored)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    command += ["--no-index", "--wheel-dir", str(folder), str(source)]
    subprocess.run(command, check=True, capture_output=True)
    [built] = folder.glob("*.whl")
    return built


def test_it_holds_the_three_packages_alone(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"sceneset"}
    inside = {name for name in names if name.startswith("sceneset/")}
    for layer in ("schemas", "registry", "stages"):
        for path in (ROOT / layer).rglob("*.py"):
            assert f"sceneset/{path.relative_to(ROOT).as_posix()}" in inside
        assert f"sceneset/{layer}/py.typed" in inside
    assert "sceneset/registry/scenes.yaml" in inside
    assert "sceneset/registry/template/pipeline.yaml" in inside
    assert "sceneset/schemas/json/subset.json" in inside
    written = ("subsets/", "tags/", "scans/", "stats/", "cards/", "reports/", "manifest.json")
    assert not [
        name for name in inside if name.removeprefix("sceneset/registry/").startswith(written)
    ]


def test_it_works_where_it_is_installed(wheel: Path, tmp_path: Path) -> None:
    place = tmp_path / "site"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*command, "--target", str(place), str(wheel)], check=True, capture_output=True)
    # -I keeps the editable install's folder out of the way only if ours comes first.
    code = (
        f"import sys; sys.meta_path = [f for f in sys.meta_path if 'editable' not in repr(f)]; "
        f"sys.path.insert(0, {str(place)!r}); import sceneset.registry.cli as c; "
        f"assert c.__file__.startswith({str(place)!r}), c.__file__; sys.exit(c.main(sys.argv[1:]))"
    )
    target = tmp_path / "people"
    for words in (["--version"], ["init", str(target)]):
        subprocess.run([sys.executable, "-c", code, *words], check=True, cwd=tmp_path)
    assert (target / "schemas/json/subset.json").is_file()
