"""`sceneset card`: which files it writes, in which language, and what it refuses to replace."""

import shutil
from pathlib import Path

import pytest

from sceneset.cli.main import parser_of
from support.build import NAME, Run, git, snapshot
from support.policy import PROVENANCE, set_provenance

CARDS = {"card.en.md", "card.en.html", "card.zh.md", "card.zh.html"}


def test_card_folder_has_both_formats_in_both_languages(
    released: Path, tmp_path: Path, sceneset: Run
) -> None:
    # Neither the working tree's blobs nor a cache is needed.
    shutil.rmtree(released / "Insta360SemanticSeg" / NAME / "img_dir")
    shutil.rmtree(released / ".dvc/cache")
    before = snapshot(released)
    to = tmp_path / "cards-1.0.0"
    outcome = sceneset("card", "--rev", "latest", "--to", to, "--json", cwd=released)
    assert outcome.code == 0, outcome.err
    assert outcome.json == {
        "files": [str(to / name) for name in ("card.en.md", "card.en.html", "card.zh.md",
                                              "card.zh.html")],
        "version": "1.0.0", "commit": git(released, "rev-parse", "HEAD").strip(),
        "subsets": 1, "samples": 4, "restricted": 0, "withdrawn": 0,
    }  # fmt: skip
    written = snapshot(to)
    assert written.keys() == CARDS
    assert b'<html lang="zh-CN">' in written["card.zh.html"]
    assert sceneset("card", "--rev", "1.0.0", "--to", to, cwd=released).code == 0
    assert snapshot(to) == written, "cards are replaced by equal ones"
    assert snapshot(released) == before
    only = tmp_path / "chinese"
    assert sceneset("card", "--language", "zh", "--to", only, cwd=released).code == 0
    assert snapshot(only).keys() == {"card.zh.md", "card.zh.html"}


@pytest.mark.parametrize(
    ("locale", "words", "expected"),
    [
        ("C.UTF-8", (), "## Known limits"),
        ("zh_CN.UTF-8", (), "## 已知局限"),
        ("zh_CN.UTF-8", ("--language", "en"), "## Known limits"),
        ("C.UTF-8", ("--language", "zh"), "## 已知局限"),
    ],
)
def test_file_has_the_language_of_the_locale_or_the_one_that_is_named(
    locale: str,
    words: tuple[str, ...],
    expected: str,
    added: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    sceneset: Run,
) -> None:
    monkeypatch.setenv("LC_ALL", locale)
    outcome = sceneset("card", *words, "--to", tmp_path / "card.md", cwd=added)
    assert outcome.code == 0, outcome.err
    assert f"{expected}\n" in (tmp_path / "card.md").read_text("utf-8")


def test_meanings_of_rules_are_in_the_language_of_the_card(
    added: Path, tmp_path: Path, sceneset: Run
) -> None:
    params = added / "params.yaml"
    text = params.read_text("utf-8")
    params.write_text(text.replace("min_person: 0.02", "min_person: 0.9"), "utf-8")
    for language in ("en", "zh"):
        path = tmp_path / f"{language}.md"
        words = ("card", "--language", language, "--to", path)
        assert sceneset(*words, cwd=added).code == 0
        [row] = [
            x for x in path.read_text("utf-8").splitlines() if x.startswith("| `person-small`")
        ]
        assert row.isascii() == (language == "en")


def test_card_of_a_foreign_registry_leaves_internal_samples_out(
    released: Path, tmp_path: Path, sceneset: Run
) -> None:
    some = {"samples": ["a"], "restrictions": ["internal"]}
    set_provenance(released, PROVENANCE | {"exceptions": [some]})
    git(released, "commit", "--quiet", "--all", "--message", "Restrict")
    path = tmp_path / "card.md"
    words = ("card", "--repo", f"file://{released}", "--to", path)
    outcome = sceneset(*words, cwd=tmp_path)
    assert outcome.code == 0, outcome.err
    assert "1 sample for internal use was left out; --internal includes" in outcome.err
    assert "- samples: 3 (train 3)\n" in path.read_text("utf-8")
    assert str(released) not in path.read_text("utf-8")
    assert sceneset(*words, "--internal", "--json", cwd=tmp_path).json["restricted"] == 0
    assert "- samples: 4 (train 4)\n" in path.read_text("utf-8")
    # A folder is the reader's own registry.
    own = sceneset("card", "--repo", released, "--to", path, "--json", cwd=tmp_path)
    assert own.json["samples"] == 4


@pytest.mark.parametrize(
    ("to", "message"),
    [
        ("notes.md", "exists and was not written by"),
        ("notes.html", "exists and was not written by"),
        ("card.pdf", "end the name of a file with .md or .html"),
        ("notes", "end the name of a file with .md or .html"),
        ("registry/card.md", "is inside"),
        ("Insta360SemanticSeg/card", "is inside"),
        ("folder", "card.zh.html exists and was not written by"),
    ],
)
def test_wrong_use_is_refused_and_changes_no_file(
    to: str, message: str, added: Path, sceneset: Run
) -> None:
    mine = "A text about `sceneset card`\n<!-- Written by `sceneset card` -->\n"
    for name in ("notes.md", "notes.html", "notes", "folder/card.zh.html"):
        (added / name).parent.mkdir(exist_ok=True)
        (added / name).write_text(mine)
    before = snapshot(added)
    outcome = sceneset("card", "--to", to, cwd=added)
    assert outcome.code == 2
    assert message in outcome.err
    assert snapshot(added) == before


def test_state_that_can_not_be_read_gives_findings_and_no_file(
    added: Path, tmp_path: Path, sceneset: Run
) -> None:
    (added / f"registry/tags/{NAME}.csv").write_text("phase,stem\n")
    path = tmp_path / "card.md"
    outcome = sceneset("card", "--to", path, cwd=added)
    assert outcome.code == 1
    assert "the scan and the tags have different samples" in outcome.err
    assert not path.exists()


def test_help_names_every_file_of_a_folder() -> None:
    text = " ".join(parser_of("card")[0].format_help().split())
    assert all(name in text for name in CARDS)
