"""Tests of `sceneset suggest --vectors`."""

from pathlib import Path

import pytest

from support.build import NAME, Run
from support.vectors import write_vectors


@pytest.fixture
def vectors(added: Path) -> Path:
    """../v.parquet with a vector for each of a, b, c and d, and of a sample that is not there."""
    rows = [[1, 0], [1, 0.2], [0, 1], [0.2, 1], [1, 1]]
    return write_vectors(added.parent / "v.parquet", {"stem": list("abcdx")}, rows)


WORDS = ("suggest", "--vectors", "../v.parquet")


def test_suggest_like_lists_similar_samples(added: Path, vectors: Path, sceneset: Run):
    done = sceneset(*WORDS, "--like", "web/train/a", cwd=added)
    assert done.code == 0, done.err
    header, *lines = done.out.splitlines()
    assert header.split() == ["sample", "similarity", "scenes", "persons"]
    assert [line.split()[:2] for line in lines] == [
        [f"{NAME}/train/b", "0.9806"],
        [f"{NAME}/train/d", "0.1961"],
        [f"{NAME}/train/c", "0.0000"],
    ]
    assert "4 vectors of 2 numbers" in done.err
    assert "unknown: 1 row left out: x" in done.err


def test_suggest_like_writes_json_lists_and_pictures(
    added: Path, vectors: Path, tmp_path: Path, sceneset: Run
):
    page, stems = tmp_path / "like.html", tmp_path / "like.txt"
    words = ("--like", "web/train/a", "--limit", "1", "--json", "--view", page, "--to", stems)
    done = sceneset(*WORDS, *words, cwd=added)
    assert done.code == 0, done.err
    assert done.json["similar"] == [
        {"sample": f"{NAME}/train/b", "similarity": 0.9806, "scenes": ["ski"]}
    ]
    assert done.json["problems"] == {"unknown": {"number": 1, "first": ["x"]}}
    assert stems.read_text() == f"{NAME}/train/b\n"
    text = page.read_text()
    assert text.index("train/a") < text.index("train/b")
    assert "similarity 0.9806" in text
    assert "train/c" not in text


def test_suggest_like_compares_with_selected_samples_only(
    added: Path, vectors: Path, sceneset: Run
):
    found = sceneset(
        *WORDS, "--like", "web/train/a", "--persons", "multi", "--json", cwd=added
    ).json
    assert [one["sample"].rpartition("/")[2] for one in found["similar"]] == ["d", "c"]


def test_suggest_vectors_prints_coverage_and_scenes(added: Path, sceneset: Run):
    """b moves to val and is far from training; nobody has ten neighbours."""
    rows = [[1, 0], [-1, -1], [1, 0.1], [1, 0.2]]
    write_vectors(added.parent / "v.parquet", {"stem": list("abcd")}, rows)
    words = ("move", "--match", "b", "--phase", "val", "--subset", "web")
    assert sceneset(*words, cwd=added).code == 0
    found = sceneset(*WORDS, "--json", cwd=added)
    assert found.code == 0, found.err
    [far] = found.json["far"]
    assert far["sample"] == f"{NAME}/val/b"
    assert found.json["scenes"] == [
        {"scene": "ski", "held_out": 1, "far": 1, "median": pytest.approx(-0.7071, abs=1e-3)}
    ]
    assert found.json["suggested"] == []
    done = sceneset(*WORDS, cwd=added)
    assert done.out.splitlines()[0].split() == [
        "scene",
        "held",
        "out",
        "far",
        "median",
        "similarity",
    ]
    assert "1 held-out sample is farther from training than 95 %" in done.err
    assert "these are hints and no findings" in done.err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--like", "a"), "--like a: write SUBSET/PHASE/STEM"),
        (("--like", "web/train/aa"), "has no sample 'train/aa' to show. Nearest: train/a"),
        (("--like", "none/train/a"), "no subset"),
        (("--output", "logit"), "--output is about a model"),
        (("--sort", "unmarked"), "--sort is about a model"),
        (("--model-license", "MIT"), "--model-license is about a model"),
        (("--phase", "val"), "no sample matches"),
    ],
)
def test_suggest_vectors_refuses_wrong_use(
    added: Path, vectors: Path, sceneset: Run, words, message
):
    done = sceneset(*WORDS, *words, cwd=added)
    assert (done.code, done.out) == (2, "")
    assert message in done.err


def test_suggest_like_refuses_a_sample_without_a_vector(added: Path, sceneset: Run):
    write_vectors(added.parent / "v.parquet", {"stem": list("bcd")}, [[1, 0]] * 3)
    done = sceneset(*WORDS, "--like", "web/train/a", cwd=added)
    assert done.code == 2
    assert "v.parquet has no usable vector of web/train/a" in done.err
