"""The site of the documentation is built without a warning and has all pages twice."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from sceneset.cli.main import COMMANDS
from sceneset.schemas.rules import RULES
from support.build import ROOT

DOCS = ROOT / "docs"


def module(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Import a module of docs/website/."""
    monkeypatch.syspath_prepend(DOCS / "website")
    spec = importlib.util.spec_from_file_location(name, DOCS / f"website/{name}.py")
    assert spec
    assert spec.loader
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


@pytest.mark.faults
def test_site_is_built_without_a_warning(tmp_path: Path) -> None:
    command = [sys.executable, str(DOCS / "website/build.py"), str(tmp_path / "site")]
    done = subprocess.run(command, check=False, capture_output=True, encoding="utf-8")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    english, chinese = (
        {path.relative_to(tmp_path / "site" / name) for path in folder.rglob("*.html")}
        for name in ("en", "zh")
        for folder in [tmp_path / "site" / name]
    )
    assert english == chinese
    expected = {path.relative_to(DOCS).with_suffix(".html") for path in DOCS.glob("*.md")}
    assert expected - {Path("README.html")} <= english
    assert {Path("index.html"), Path("adr/index.html"), Path("security.html")} <= english
    text = (tmp_path / "site/zh/cli.html").read_text("utf-8")
    assert 'aria-label="Toggle ' not in text
    assert all(f'id="{name}"' in text for name in COMMANDS)
    text = (tmp_path / "site/zh/problems.html").read_text("utf-8")
    assert all(code in text for code in RULES)
    assert "<span>Next</span>" not in text
    assert (tmp_path / "site/index.html").is_file()


def test_navigation_has_pages_that_exist_and_each_page_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sources = module("sources", monkeypatch)
    listed = [name for names in sources.NAVIGATION.values() for name in names]
    assert len(listed) == len(set(listed))
    assert {*listed} - {"adr/index"} <= {*sources.pages()}


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("滑雪", ["滑雪", "滑", "雪"]),
        ("在滑雪场", ["在滑", "滑雪", "雪场", "在", "滑", "雪", "场"]),
        ("mask_values 滑", ["mask_values", "滑"]),
        ("`ski滑雪`、train", ["ski", "滑雪", "滑", "雪", "train"]),
    ],
)
def test_search_finds_chinese_text_by_pairs_of_characters(
    text: str, terms: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert module("bigrams", monkeypatch).SearchBigrams({}).split(text) == terms


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("读取\n图片，\n`add`\n检查", "读取图片，`add`\n检查"),
        ("- 一行\n  继续\n- 下一项", "- 一行继续\n- 下一项"),
        (
            "# 标题\n\n文字：\n\n```\n代码\n代码\n```\n",
            "# 标题\n\n文字：\n\n```\n代码\n代码\n```\n",
        ),
        ("文字：\n- 一\n| 列 |\n| 值 |", "文字：\n- 一\n| 列 |\n| 值 |"),
    ],
)
def test_lines_of_chinese_paragraphs_are_joined(
    text: str, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert module("sources", monkeypatch).with_joined_lines(text) == shown


def test_links_of_a_page_lead_to_pages_of_the_site(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = module("sources", monkeypatch)
    sources.write_sources("en", tmp_path)
    assert "](cli.md#completion)" in (tmp_path / "getting-started.md").read_text("utf-8")
    assert "](security.md)" in (tmp_path / "remotes.md").read_text("utf-8")
    assert "](adr/index.md)" in (tmp_path / "index.md").read_text("utf-8")
    assert "](adr/0012-rooms-and-floors.md)" in (tmp_path / "changelog.md").read_text("utf-8")
    assert "src/sceneset/cli/templates" not in (tmp_path / "ci.md").read_text("utf-8")


def test_pictures_of_a_page_are_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sources = module("sources", monkeypatch)
    page = tmp_path / "docs/index.md"
    (tmp_path / "docs/pictures").mkdir(parents=True)
    (tmp_path / "docs/pictures/a.png").write_bytes(b"png")
    (tmp_path / "site").mkdir()
    page.write_text("![A](pictures/a.png) ![B](https://example.com/b.png)\n")
    monkeypatch.setattr(sources, "pages", lambda: {"index": sources.Page(page, page)})
    sources.write_sources("en", tmp_path / "site")
    text = (tmp_path / "site/index.md").read_text("utf-8")
    assert text.startswith("![A](a.png) ![B](https://example.com/b.png)\n")
    assert (tmp_path / "site/a.png").read_bytes() == b"png"


def test_links_to_headings_follow_the_language_of_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = module("sources", monkeypatch)
    english, chinese = tmp_path / "a.md", tmp_path / "zh/a.md"
    english.write_text("# A\n\n## One\n\n## Two words\n\n## One\n")
    page = sources.Page(english, chinese)
    assert sources.headings(english.read_text("utf-8")) == ["a", "one", "two-words", "one-1"]
    assert sources.anchor_in("#two-words", page, "zh") == "#two-words"
    assert sources.anchor_in("#两个词", page, "zh") == "", "the page is shown in English"
    chinese.parent.mkdir()
    chinese.write_text("# 甲\n\n## 一\n\n## 两个词\n\n## 一\n")
    assert sources.anchor_in("#two-words", page, "zh") == "#两个词"
    assert sources.anchor_in("#two-words", page, "en") == "#two-words"
