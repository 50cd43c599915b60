"""`sceneset lookup` finds rows and samples by any name of a scene, and needs no image."""

import hashlib
import shutil

import pytest

from support.build import NAME

DATA = f"Insta360SemanticSeg/{NAME}"
ROWS = {
    "total.txt": ("total", None, 4),
    "ski.txt": ("ski", "single", 2),
    "ski_muiltiperson.txt": ("ski", "multi", 2),
}


@pytest.mark.parametrize(
    ("words", "files"),
    [
        pytest.param((), list(ROWS), id="all"),
        pytest.param(("ski",), ["ski.txt", "ski_muiltiperson.txt"], id="key"),
        pytest.param(("滑雪",), ["ski.txt", "ski_muiltiperson.txt"], id="Chinese"),
        pytest.param(("SKIING",), ["ski.txt", "ski_muiltiperson.txt"], id="alias"),
        pytest.param(("total",), ["total.txt"], id="total"),
        pytest.param(("ski", "--persons", "multi"), ["ski_muiltiperson.txt"], id="multi"),
        pytest.param(("high jump", "ski", "--persons", "single"), ["ski.txt"], id="two scenes"),
        pytest.param(("ski", "--phase", "val"), [], id="other phase"),
        pytest.param(("--subset", "web", "ski", "--persons", "single"), ["ski.txt"], id="subset"),
    ],
)
def test_lookup_lists_the_rows_that_match(words, files, added, sceneset):
    found = sceneset("lookup", *words, "--json", cwd=added).json
    assert [row["split_file"] for row in found] == files
    for row in found:
        assert row["subset"] == NAME
        assert (row["scene"], row["persons"], row["images"]) == ROWS[row["split_file"]]
        assert row["phase"] == "train"
        assert len((added / row["path"]).read_text().split()) == row["images"]
        assert set(row["description"]) == {"en", "zh"}
    plain = sceneset("lookup", *words, cwd=added)
    assert plain.code == 0
    assert [line.split()[0] for line in plain.out.splitlines()[1:]] == [NAME] * len(files)


def test_lookup_lists_samples_with_their_content_hashes(added, sceneset):
    found = sceneset("lookup", "ski", "--samples", "--json", cwd=added).json
    assert [(s["stem"], s["persons"]) for s in found] == [
        ("a", "single"), ("b", "single"), ("c", "multi"), ("d", "multi"),
    ]  # fmt: skip
    for sample in found:
        assert (sample["subset"], sample["phase"], sample["scenes"]) == (NAME, "train", ["ski"])
        assert sample["image"] == f"{DATA}/img_dir/train/{sample['stem']}.jpg"
        assert sample["mask"] == f"{DATA}/ann_dir/train/{sample['stem']}.png"
        for what in ("image", "mask"):
            data = (added / sample[what]).read_bytes()
            assert sample[f"{what}_md5"] == hashlib.md5(data).hexdigest()
    plain = sceneset("lookup", "ski", "--samples", cwd=added)
    assert [line.split()[2] for line in plain.out.splitlines()[1:]] == list("abcd")


@pytest.mark.parametrize(
    ("option", "line"),
    [
        ("--stems", "{}"),
        ("--paths", DATA + "/img_dir/train/{}.jpg"),
        ("--mask-paths", DATA + "/ann_dir/train/{}.png"),
    ],
)
def test_lookup_prints_one_line_per_sample(option, line, added, sceneset):
    outcome = sceneset("lookup", "ski", "--persons", "multi", option, cwd=added)
    assert outcome.out == "".join(line.format(stem) + "\n" for stem in "cd")
    assert outcome.err == ""


@pytest.mark.parametrize(
    ("typed", "near"), [("skii", "ski"), ("滑雪场", "滑雪"), ("hi jump", "high_jump")]
)
def test_lookup_lists_the_nearest_names_when_the_scene_is_unknown(typed, near, added, sceneset):
    outcome = sceneset("lookup", typed, cwd=added)
    assert (outcome.code, outcome.out) == (2, "")
    assert f"Nearest: {near}" in outcome.err
    assert typed in outcome.err


def test_lookup_says_so_when_nothing_matches(added, sceneset):
    for words in (("sea",), ("sea", "--samples")):
        outcome = sceneset("lookup", *words, cwd=added)
        assert outcome.code == 0
        assert " matches" in outcome.err
        assert sceneset("lookup", *words, "--json", cwd=added).json == []


def test_lookup_works_when_images_and_cache_are_missing(added, sceneset):
    words = ("lookup", "--samples", "--json")
    before = sceneset(*words, cwd=added).json
    for folder in (f"{DATA}/img_dir", f"{DATA}/ann_dir", ".dvc/cache"):
        shutil.rmtree(added / folder)
    assert sceneset(*words, cwd=added).json == before
    assert sceneset("lookup", "滑雪", cwd=added).code == 0
    assert sceneset("show", "web", cwd=added).code == 0


def test_lookup_reports_all_errors_when_tags_are_broken(added, sceneset):
    (added / f"registry/tags/{NAME}.csv").write_text("phase,stem\nTrain,a\nval,\n")
    outcome = sceneset("lookup", cwd=added)
    assert (outcome.code, outcome.out) == (1, "")
    assert f"registry/tags/{NAME}.csv:2" in outcome.err
    assert f"registry/tags/{NAME}.csv:3" in outcome.err
