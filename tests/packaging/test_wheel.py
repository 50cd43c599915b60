"""What is installed is sceneset and nothing beside it, and it works without the checkout."""

import subprocess
import sys
import zipfile
from pathlib import Path

from conftest import ROOT


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
