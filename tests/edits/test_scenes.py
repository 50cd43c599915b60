"""Scenes are added, renamed and merged in all files that use them, and found by their old names."""

from pathlib import Path

import pytest

from sceneset.catalog.reader import Catalog
from support.build import NAME, Run, dvc, git

SCENES = "registry/scenes.yaml"
SPLITS = f"Insta360SemanticSeg/{NAME}/split_dir"


def lines_changed(root: Path, name: str) -> tuple[int, int]:
    added, removed, _ = git(root, "diff", "--numstat", "--", name).split("\t")
    return int(added), int(removed)


def test_a_scene_is_added_on_one_line(added: Path, sceneset: Run) -> None:
    words = ("scene", "add", "snow_park", "--en", "snow park", "--zh", "雪地公园")
    assert sceneset(*words, "--dry-run", cwd=added).code == 0
    assert git(added, "status", "--porcelain") == ""
    outcome = sceneset(*words, cwd=added)
    assert outcome.code == 0, outcome.err
    assert lines_changed(added, SCENES) == (1, 0)
    assert Catalog(added).vocabulary.find("雪地公园") == "snow_park"
    assert dvc(added, "status", "--quiet", check=False).code == 0
    outcome = sceneset("scene", "add", "snow2", "--en", "Snow-Park", cwd=added)
    assert outcome.code == 1
    assert "names both" in outcome.err


def test_a_renamed_scene_keeps_its_split_files_and_its_old_name(added: Path, sceneset: Run) -> None:
    params = added / "params.yaml"
    params.write_text(
        params.read_text().replace("selections: {}", "selections:\n  cold: {scenes: [ski]}")
    )
    before = sorted(path.name for path in (added / SPLITS).iterdir())
    outcome = sceneset("scene", "rename", "滑雪", "alpine", cwd=added)
    assert outcome.code == 0, outcome.err
    assert "in the tags of 4 samples" in outcome.err
    assert lines_changed(added, SCENES) == (1, 1)
    assert "scenes: [alpine]" in params.read_text()
    assert sorted(path.name for path in (added / SPLITS).iterdir()) == before
    assert {row.scene for row in Catalog(added).entry(NAME).splits} == {"total", "alpine"}
    for name in ("ski", "alpine", "滑雪", "skiing"):
        assert len(sceneset("lookup", name, "--json", cwd=added).json) == 2
    assert sceneset("check", cwd=added).code == 0


def test_merged_scenes_are_one_scene_with_all_names(added: Path, sceneset: Run) -> None:
    assert sceneset("tag", "ski", "--match", "[ab]", "--add", "surfing:multi", cwd=added).code == 0
    outcome = sceneset("scene", "merge", "ski", "--into", "surfing", cwd=added)
    assert outcome.code == 0, outcome.err
    catalog = Catalog(added)
    assert "ski" not in catalog.vocabulary.by_key
    assert catalog.vocabulary.find("滑雪") == "surfing"
    tags = {tag.stem: [":".join(filter(None, m)) for m in tag.scenes] for tag in catalog.tags(NAME)}
    assert tags == {
        "a": ["surfing", "surfing:multi"],
        "b": ["surfing", "surfing:multi"],
        "c": ["surfing"],
        "d": ["surfing"],
    }
    rows = {(row.scene, row.persons, row.file) for row in catalog.entry(NAME).splits}
    assert rows == {
        ("total", None, "total.txt"),
        ("surfing", "single", "ski.txt"),
        ("surfing", "multi", "surfing_muiltiperson.txt"),
    }
    assert (added / SPLITS / "surfing_muiltiperson.txt").read_text() == "a\nb\nc\nd\n"
    assert dvc(added, "status", "--quiet", check=False).code == 0


def test_an_alias_is_found_and_may_not_belong_to_another_scene(added: Path, sceneset: Run) -> None:
    outcome = sceneset("scene", "alias", "ski", "downhill", "高山滑雪", cwd=added)
    assert outcome.code == 0, outcome.err
    assert lines_changed(added, SCENES) == (1, 1)
    assert Catalog(added).vocabulary.find("高山滑雪") == "ski"
    outcome = sceneset("scene", "alias", "ski", "surf", cwd=added)
    assert outcome.code == 1
    assert "names both" in outcome.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("add", "x"), "--en, --zh or both"),
        (("rename", "ski"), "sceneset scene rename OLD NEW"),
        (("merge", "ski"), "needs --into"),
        (("merge", "ski", "--into", "滑雪"), "name other scenes"),
        (("rename", "skii", "y"), "Nearest: ski"),
        (("rename", "total", "y"), "is no scene of the vocabulary"),
    ],
)
def test_wrong_use_says_what_to_write(
    added: Path, sceneset: Run, words: tuple[str, ...], message: str
) -> None:
    outcome = sceneset("scene", *words, cwd=added)
    assert outcome.code == 2
    assert message in outcome.err
