"""The page of `evaluate --html` in a browser."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from support.browser import LOOKS, Pages, check_accessibility, check_width, expect, screenshots
from support.predictions import write_run


@pytest.fixture(scope="session")
def evaluations(tmp_path_factory: pytest.TempPathFactory, _added_registry: Path) -> Path:
    """A folder with the page in both languages: a comparison, worst samples, and problems."""
    folder = tmp_path_factory.mktemp("evaluations")
    root = Path(shutil.copytree(_added_registry, folder / "registry", symlinks=True))
    old = write_run(folder / "old", root, {"a": 6, "b": 1, "c": 4})
    new = write_run(folder / "new", root, {"a": 0, "b": 2, "c": 1})
    np.save(new / "d.npy", np.zeros((7, 9)))
    (new / "<img src=x onerror=alert(1)>.png").write_bytes(b"none")
    for run, language, more in (
        (old, "en", ["--to", folder / "old.parquet"]),
        (new, "en", ["--compare", folder / "old.parquet", "--html", folder / "en.html"]),
        (new, "zh", ["--compare", folder / "old.parquet", "--html", folder / "zh.html"]),
    ):
        locale = "zh_CN.UTF-8" if language == "zh" else "C.UTF-8"
        command = [sys.executable, "-m", "sceneset", "evaluate", str(run), *map(str, more)]
        environment = {**os.environ, "LC_ALL": locale}
        done = subprocess.run(command, cwd=root, check=False, capture_output=True, env=environment)
        assert done.returncode == 1, done.stderr
    return folder


@pytest.mark.parametrize(("language", "theme"), LOOKS)
def test_page_has_no_faults(language: str, theme: str, pages: Pages, evaluations: Path) -> None:
    page = pages.open(evaluations / f"{language}.html", theme=theme, width=390)
    check_accessibility(page)
    check_width(page)
    screenshots(page, f"evaluation-{language}")
    page.set_viewport_size({"width": 1280, "height": 900})
    check_width(page)


def test_worst_samples_have_pictures_and_hostile_names_are_text(
    pages: Pages, evaluations: Path
) -> None:
    page = pages.open(evaluations / "en.html")
    expect(page.locator("figure svg")).to_have_count(3)
    expect(page.get_by_text("<img src=x onerror=alert(1)>")).to_be_visible()
    expect(page.locator("img")).to_have_count(0)
