"""The page of `sceneset plan` in a browser."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sceneset.evaluation.counts import write_counts
from support.browser import LOOKS, Pages, check_accessibility, check_width, expect, screenshots
from support.tabular import Drawn, counts_of, many, write_registry

LOCALES = {"en": "C.UTF-8", "zh": "zh_CN.UTF-8"}
SAMPLES = [
    *many(700, "s", scenes="ski", source="a clip"),
    *many(30, "v", scenes="ski;surfing:multi", phase="val"),
    *many(40, "c", scenes="city", picture="one"),
    *many(40, "w", scenes="city", phase="val", source="another clip"),
    *many(3, "x", scenes="night_city;high_jump:multi", persons=None, phase="test"),
    Drawn("n", ""),
]
TARGETS = "{train: 1000, val: 25, shares: {train: 0.9, val: 0.1}}"


@pytest.fixture(scope="session")
def plan_pages(tmp_path_factory: pytest.TempPathFactory, _empty_registry: Path) -> Path:
    """A plan with an evaluation, in both languages."""
    folder = tmp_path_factory.mktemp("plans")
    root = Path(shutil.copytree(_empty_registry, folder / "registry", symlinks=True))
    write_registry(root, SAMPLES, targets=TARGETS)
    held_out = [one for one in SAMPLES if one.phase == "val"]
    ious = [0.5 if "ski" in one.scenes else 0.9 for one in held_out]
    write_counts(folder / "run.parquet", counts_of(held_out, ious))
    for language, locale in LOCALES.items():
        command = [sys.executable, "-m", "sceneset", "plan", "--html"]
        command += [str(folder / f"{language}.html"), "--evaluation", str(folder / "run.parquet")]
        environment = {**os.environ, "LC_ALL": locale}
        subprocess.run(command, cwd=root, check=True, capture_output=True, env=environment)
    return folder


@pytest.mark.parametrize(("language", "theme"), LOOKS)
def test_plan_page_has_no_faults(theme: str, language: str, pages: Pages, plan_pages: Path) -> None:
    page = pages.open(plan_pages / f"{language}.html", theme=theme, width=390)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_role("table")).to_be_visible()
    check_accessibility(page)
    check_width(page)
    page.set_viewport_size({"width": 1280, "height": 900})
    check_width(page)
    screenshots(page, f"plan-{language}")
