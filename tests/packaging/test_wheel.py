"""What is installed is sceneset and nothing beside it, and it works without the checkout."""

import subprocess
import sys
import zipfile
from pathlib import Path

from support.build import ROOT


def test_wheel_holds_only_the_package(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"sceneset"}
    inside = {name for name in names if name.startswith("sceneset/")}
    for path in (ROOT / "src").rglob("*.py"):
        assert path.relative_to(ROOT / "src").as_posix() in inside
    assert {"sceneset/py.typed", "sceneset/schemas/json/subset.json"} <= inside
    for path in (ROOT / "src/sceneset/cli/templates").iterdir():
        assert f"sceneset/cli/templates/{path.name}" in inside


def test_it_works_where_it_is_installed(wheel: Path, tmp_path: Path) -> None:
    place = tmp_path / "site"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*command, "--target", str(place), str(wheel)], check=True, capture_output=True)
    # -I keeps the editable install's folder out of the way only if ours comes first.
    code = (
        f"import sys; sys.meta_path = [f for f in sys.meta_path if 'editable' not in repr(f)]; "
        f"sys.path.insert(0, {str(place)!r}); import sceneset.cli.main as c; "
        f"assert c.__file__.startswith({str(place)!r}), c.__file__; sys.exit(c.main(sys.argv[1:]))"
    )
    target = tmp_path / "people"
    for words in (["--version"], ["init", str(target)]):
        subprocess.run([sys.executable, "-c", code, *words], check=True, cwd=tmp_path)
    assert (target / "schemas/json/subset.json").is_file()
