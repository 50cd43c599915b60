"""Draw the pictures of the README: pages of a small registry, as a browser shows them.

    make pictures

The registry is a clone of this one with its two drawn subsets, a version, a drawn delivery and a
few corrected masks. It needs chromium and a font with Chinese characters.
"""

import io
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image, ImageDraw

from support.browser import MISSING, Pages, browser_program, running, started_browser

if TYPE_CHECKING:
    from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[1]
TO = ROOT / "docs/pictures"
WORK = ROOT / "build/pictures"
REGISTRY = WORK / "people"
SUBSET = "CustomSeg_Person_20240115_demo-full"
ADDED = "CustomSeg_Person_20240117_demo-ski"
CORRECTED = ("ski_0000", "ski_0002", "sea_0000", "surfing_0001")
SIZE = (1280, 800)
MOST = 250_000
"""Bytes of a picture at most."""


def run(*words: object, language: str = "en", expected: tuple[int, ...] = (0,)) -> None:
    """Run a command in the registry."""
    locale = {"en": "C.UTF-8", "zh": "zh_CN.UTF-8"}[language]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    who = {
        f"GIT_{role}_{name}": value
        for role in ("AUTHOR", "COMMITTER")
        for name, value in (("NAME", "Demo"), ("EMAIL", "demo@example.com"))
    }
    environment = {**os.environ, **who, "PATH": path, "LC_ALL": locale, "DVC_NO_ANALYTICS": "1"}
    command = [str(word) for word in words]
    done = subprocess.run(
        command, cwd=REGISTRY, env=environment, check=False, capture_output=True, text=True
    )
    if done.returncode not in expected:
        sys.exit(f"{' '.join(command)}:\n{done.stdout}{done.stderr}")


def build_registry() -> None:
    """Build the registry whose pages are shown."""
    shutil.rmtree(WORK, ignore_errors=True)
    WORK.mkdir(parents=True)
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(REGISTRY)], check=True)
    run("dvc", "pull", "--quiet")
    write_masks(WORK / "first", WORK / "corrected")
    replace_masks(WORK / "first")
    run("dvc", "repro", "--quiet")
    run("dvc", "push", "--quiet")
    commit("Derive")
    run("sceneset", "release", "1.0.0", "--notes", "the first two subsets")
    commit("Release 1.0.0")
    delivery = WORK / "delivery"
    scenes = ("--scene", "ski", "--scene", "surfing", "--seed", 3)
    run(sys.executable, ROOT / "demo/draw.py", delivery, "--images", 24, *scenes)
    run("sceneset", "add", delivery, "--name", ADDED)
    replace_masks(WORK / "corrected")
    run("dvc", "repro", "--quiet")
    commit("Add ski and surfing; correct masks")


def commit(message: str) -> None:
    """Commit everything, if anything changed."""
    run("git", "add", "--all")
    run("git", "commit", "--quiet", "--allow-empty", "--message", message)


def replace_masks(folder: Path) -> None:
    """Take the masks of a folder."""
    run("sceneset", "add", folder, "--to", SUBSET, "--replace", "masks")


def write_masks(first: Path, corrected: Path) -> None:
    """Write masks with errors, without feet and with too much at the side, and the right ones."""
    masks = REGISTRY / "Insta360SemanticSeg" / SUBSET / "ann_dir/train"
    for folder in (first, corrected):
        (folder / "ann_dir/train").mkdir(parents=True)
    for stem in CORRECTED:
        name = f"ann_dir/train/{stem}.png"
        shutil.copy(masks / f"{stem}.png", corrected / name)
        with Image.open(masks / f"{stem}.png") as opened:
            mask = opened.copy()
        left, top, right, bottom = mask.point(lambda value: 255 * (value == 1)).getbbox() or ()
        height = bottom - top
        drawn = ImageDraw.Draw(mask)
        drawn.rectangle((left, bottom - height // 8, right, bottom), fill=0)
        drawn.ellipse((right - 8, top + height // 4, right + 14, top + height // 2), fill=1)
        mask.save(first / name)


@dataclass(frozen=True)
class Picture:
    """A picture of a page.

    Attributes:
        name: Name of the PNG file, without the language.
        page: The file, with {language} in its name.
        theme: "light" or "dark".
        act: What a reader does first.
    """

    name: str
    page: str
    theme: str = "light"
    act: Callable[["Page"], Any] | None = None


def wait_for_tiles(page: "Page") -> None:
    """Wait until the pictures of samples are there."""
    page.locator(".tile .image").first.wait_for()
    page.wait_for_load_state("networkidle")


def show_masks(page: "Page") -> None:
    """Go to the changed masks."""
    page.locator("a[href^='#']").first.click()
    page.wait_for_load_state("networkidle")


def show_large(page: "Page") -> None:
    """Show a sample large."""
    page.locator(".tile").nth(1).click()
    page.locator("dialog .image").wait_for()
    page.wait_for_load_state("networkidle")


PICTURES = (
    Picture("catalogue", "site/{language}/index.html"),
    Picture("samples", "site/{language}/samples.html", "dark", wait_for_tiles),
    Picture("sample", "site/{language}/scenes/surfing.html", act=show_large),
    Picture("subset", f"site/{{language}}/subsets/{SUBSET}.html"),
    Picture("sheet", "view.{language}.html"),
    Picture("diff", "diff.{language}.html", act=show_masks),
)


def write_pages() -> None:
    """Write the pages that are shown."""
    run("sceneset", "site", "--large", "--to", WORK / "site")
    for language in ("en", "zh"):
        for command in (
            ("view", "ski", "surfing", "--limit", 24, "--to", WORK / f"view.{language}.html"),
            ("diff", "1.0.0", "HEAD", "--html", WORK / f"diff.{language}.html"),
        ):
            run("sceneset", *command, language=language)


def small_png(data: bytes) -> bytes:
    """Return a picture with at most 256 colors."""
    with Image.open(io.BytesIO(data)) as opened:
        few = opened.convert("RGB").quantize(256, Image.Quantize.FASTOCTREE)
    to = io.BytesIO()
    few.save(to, "PNG", optimize=True)
    return to.getvalue()


def draw(program: str) -> None:
    """Write all pictures."""
    TO.mkdir(exist_ok=True)
    with started_browser(program) as browser, running(browser):
        pages = Pages(browser)
        for picture in PICTURES:
            for language, locale in (("en", "en-US"), ("zh", "zh-CN")):
                page = pages.open(
                    WORK / picture.page.format(language=language),
                    width=SIZE[0],
                    height=SIZE[1],
                    theme=picture.theme,
                    locale=locale,
                )
                if picture.act:
                    picture.act(page)
                data = small_png(page.screenshot())
                pages.close()
                if len(data) > MOST:
                    sys.exit(f"{picture.name}: {len(data):,} bytes, more than {MOST:,}")
                (TO / f"{picture.name}.{language}.png").write_bytes(data)
        if pages.faults:
            sys.exit("\n".join(pages.faults))


def main() -> None:
    """Draw the pictures of the README."""
    program = browser_program()
    if program is None:
        sys.exit(MISSING)
    fonts = subprocess.run(["fc-list", ":lang=zh-cn"], capture_output=True, check=True).stdout
    if not fonts:
        sys.exit("there is no font with Chinese characters: apt-get install fonts-noto-cjk")
    build_registry()
    write_pages()
    draw(program)


if __name__ == "__main__":
    main()
