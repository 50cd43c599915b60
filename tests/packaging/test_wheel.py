"""The wheel contains only the package sceneset, and works without the checkout."""

import subprocess
import sys
import zipfile
from pathlib import Path

from support.build import ROOT


def test_wheel_contains_only_the_package(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"sceneset"}
    packed = {name for name in names if name.startswith("sceneset/")}
    for path in (ROOT / "src").rglob("*.py"):
        assert path.relative_to(ROOT / "src").as_posix() in packed
    assert {"sceneset/py.typed", "sceneset/schemas/json/subset.json"} <= packed
    assert "sceneset/locale/zh_CN/LC_MESSAGES/sceneset.po" in packed
    for path in (ROOT / "src/sceneset").glob("*/templates/*"):
        assert path.relative_to(ROOT / "src").as_posix() in packed


def test_installed_wheel_creates_a_registry(wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*command, "--target", str(site), str(wheel)], check=True, capture_output=True)
    program = ROOT / "tests/programs/run_installed.py"
    target = tmp_path / "people"
    for words in (["--version"], ["init", str(target)]):
        subprocess.run([sys.executable, str(program), str(site), *words], check=True, cwd=tmp_path)
    assert (target / "schemas/json/subset.json").is_file()
