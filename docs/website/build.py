"""Build the site of the documentation: `make docs` runs this program.

The site is a folder for each language and an index.html that leads to the reader's one. It works
from a web server and from a disk, and requests nothing from elsewhere. Warnings are errors.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from sources import ROOT, write_sources

HERE = Path(__file__).parent
LANGUAGES = {"en": "en", "zh": "zh_CN"}
"""What Sphinx calls the languages of the folders."""
LABELS = {
    '<aside class="sidebar-drawer">': '<aside class="sidebar-drawer" aria-label="Site navigation">',
    '<aside class="toc-drawer': '<aside aria-label="Table of contents" class="toc-drawer',
    'class="caption" role="heading"': 'class="caption" role="heading" aria-level="2"',
    '<th class="head"><p></p></th>': "<td></td>",
}
"""What the pages of the theme need for screen readers."""
CONTROLS = {
    "Site navigation": "网站导航",
    "Table of contents": "本页目录",
    "Toggle site navigation sidebar": "打开或关闭导航栏",
    "Toggle table of contents sidebar": "打开或关闭本页目录",
    "Toggle Light / Dark / Auto color theme": "切换主题：浅色、深色、自动",
}
"""Names of controls that the theme has in English only."""


def build(language: str, target: Path, sources: Path) -> int:
    """Build the site in one language, and return the exit code of Sphinx."""
    in_english = write_sources(language, sources)
    catalogue = sources / "locale/zh_CN/LC_MESSAGES"
    catalogue.mkdir(parents=True)
    shutil.copy(HERE / "locale/zh_CN.po", catalogue / "sphinx.po")  # Sphinx compiles it there
    command = [sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", "--keep-going"]
    command += ["--conf-dir", str(HERE), "--doctree-dir", str(sources / ".doctrees")]
    command += ["--define", f"language={LANGUAGES[language]}"]
    command += ["--define", f"locale_dirs={sources / 'locale'}"]
    command += ["--define", f"pages_in_english={','.join(in_english)}"]
    # Generated pages have set another locale, which this machine may not have.
    environment = {**os.environ, "LC_ALL": "C", "PYTHONUTF8": "1"}
    done = subprocess.run([*command, str(sources), str(target)], check=False, env=environment)
    shutil.rmtree(target / "_sources", ignore_errors=True)  # Sphinx leaves it empty
    for path in target.rglob("*.html"):
        path.write_text(_improved(path.read_text("utf-8"), language), "utf-8", newline="\n")
    return done.returncode


def _improved(text: str, language: str) -> str:
    """Return a page with names and levels for screen readers, in the language of the page."""
    for theirs, ours in LABELS.items():
        text = text.replace(theirs, ours)
    for english, chinese in CONTROLS.items() if language == "zh" else ():
        text = text.replace(f'aria-label="{english}"', f'aria-label="{chinese}"')
    if language == "zh":
        text = text.replace('aria-label="Toggle navigation of ', 'aria-label="展开或收起：')
    return text


def main(arguments: list[str]) -> int:
    """Build both languages into a folder, build/docs if there is no argument."""
    target = Path(arguments[0]) if arguments else ROOT / "build/docs"
    shutil.rmtree(target, ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:
        codes = [build(name, target / name, Path(folder, name)) for name in LANGUAGES]
    shutil.copy(HERE / "index.html", target)
    return max(codes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
