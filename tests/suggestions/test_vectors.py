"""Vectors are read, checked, and compared exactly; what can't be used is counted."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sceneset.errors import UsageError
from sceneset.exports.types import ExportSample
from sceneset.suggestions import neighbours, vector_file, vector_hints
from sceneset.suggestions.neighbours import nearest
from sceneset.suggestions.vector_file import Problem, read_vectors
from support.vectors import write_vectors

KEYS = [("one", "train", stem) for stem in "abcd"] + [("two", "val", "a")]
FULL = {"subset": [k[0] for k in KEYS], "phase": [k[1] for k in KEYS], "stem": [k[2] for k in KEYS]}
ROWS = [[1, 0], [0, 2], [3, 3], [-1, 0], [1, 0.1]]


def sample(
    key: tuple[str, str, str], scenes: tuple[str, ...] = (), source: str = ""
) -> ExportSample:
    subset, phase, stem = key
    facts: dict[str, Any] = dict.fromkeys(
        ("image_bytes", "mask_bytes", "width", "height", "person", "ignore"), 1
    )
    return ExportSample(
        subset=subset,
        phase=phase,
        stem=stem,
        image=f"{stem}.jpg",
        image_md5="",
        mask_md5="",
        orientation=1,
        scenes=scenes,
        persons=None,
        boxes=None,
        source=source,
        **facts,
    )


@pytest.mark.parametrize(
    "kind",
    [
        pa.list_(pa.float16()),
        pa.list_(pa.float32()),
        pa.large_list(pa.float64()),
        pa.list_(pa.float32(), 2),
    ],
)
def test_read_vectors_takes_every_kind_of_list(tmp_path: Path, kind: Any):
    rows = [np.array(row, np.float16) for row in ROWS] if "half" in str(kind) else ROWS
    found = read_vectors(write_vectors(tmp_path / "v.parquet", FULL, rows, kind=kind), KEYS)
    assert found.problems == {}
    assert found.matrix.dtype == (np.float16 if "half" in str(kind) else np.float32)
    assert np.allclose(np.linalg.norm(np.asarray(found.matrix, np.float32), axis=1), 1, atol=1e-3)
    near = nearest(found, np.array([0]), 4)
    assert near.samples.tolist() == [[4, 2, 1, 3]]
    assert np.allclose(near.similarities, [[0.995, 0.7071, 0, -1]], atol=2e-4)


def test_read_vectors_counts_all_that_it_leaves_out(tmp_path: Path, monkeypatch):
    monkeypatch.setattr(vector_file, "_BATCH", 3)  # duplicates in other batches
    names = {
        "subset": ["one", "one", "one", "one", "one", "none", "one", "two", "one"],
        "name": ["a", "b", "b", "c", "d", "x", "a", "a", "y"],
    }
    rows: list[Any] = [[1, 0], [0, 1], [5, 5], [1, 2, 3], [0, 0], [1, 1], [2, 2], [None, 1], None]
    path = write_vectors(tmp_path / "v.parquet", names, rows, row_group_size=4)
    found = read_vectors(path, [*KEYS, ("two", "val", "b"), ("two", "train", "b")])
    assert found.samples.tolist() == [0, 1]
    assert found.problems == {
        "unknown": Problem(1, ("none/x",)),
        "duplicate": Problem(2, ("one/b", "one/a")),
        "length": Problem(2, ("one/c", "one/y")),
        "not-a-number": Problem(1, ("two/a",)),
        "zero": Problem(1, ("one/d",)),
        "missing": Problem(
            5, ("one/train/c", "one/train/d", "two/val/a", "two/val/b", "two/train/b")
        ),
    }


def test_read_vectors_counts_stems_that_several_samples_have(tmp_path: Path):
    path = write_vectors(tmp_path / "v.parquet", {"stem": ["a", "b"]}, [[1, 0], [0, 1]])
    found = read_vectors(path, KEYS)
    assert found.problems["ambiguous"] == Problem(1, ("a",))
    assert found.samples.tolist() == [1]


def test_read_vectors_takes_names_of_files_and_however_unicode_writes_them(tmp_path: Path):
    keys = [("one", "val", "caf\u00e9"), ("one", "val", "d.jpg"), ("one", "val", "e\u0301")]
    names = ["cafe\u0301.JPG", "d.jpg", "\u00e9"]
    rows = [[1, 0], [0, 1], [1, 1]]
    found = read_vectors(write_vectors(tmp_path / "v.parquet", {"name": names}, rows), keys)
    assert found.samples.tolist() == [0, 1, 2]
    assert not found.problems


def test_read_vectors_takes_infinite_and_very_large_numbers_for_what_they_are(tmp_path: Path):
    rows = [[np.inf, 0], [3e38, 3e38], [1e-42, 0], [-np.inf, 1], [1, 0]]
    found = read_vectors(write_vectors(tmp_path / "v.parquet", FULL, rows), KEYS)
    assert found.problems["not-a-number"].number == 2
    assert np.isfinite(found.matrix).all()
    assert nearest(found, np.array([2]), 1).samples.tolist() == [[4]]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"v": pa.array([[1.0]])}, "has no column stem or name; its columns: v"),
        ({"stem": ["a"]}, "has 0 columns with lists of fractions"),
        ({"stem": ["a"], "v": [[1]]}, "has 0 columns with lists of fractions"),
        ({"stem": ["a"], "v": [[1.0]], "w": [[1.0]]}, "has 2 columns with lists of fractions"),
        ({"stem": ["z"], "v": [[1.0]]}, r"no usable vector of a sample \(missing: 5, unknown: 1\)"),
        ({"stem": [1, 2], "v": [[1.0], [2.0]]}, "unknown: 2"),
        ({"stem": ["val/b"], "v": [[1.0]]}, "a row is called val/b, a sample a"),
        ({"stem": pa.array([], pa.string()), "v": pa.array([], pa.list_(pa.float32()))}, "missing"),
    ],
)
def test_read_vectors_refuses_other_files(tmp_path: Path, columns: Any, message: str):
    pq.write_table(pa.table(columns), tmp_path / "v.parquet")
    with pytest.raises(UsageError, match=message):
        read_vectors(tmp_path / "v.parquet", KEYS)


def test_read_vectors_refuses_what_is_no_parquet(tmp_path: Path):
    path = write_vectors(tmp_path / "v.parquet", FULL, ROWS)
    data = path.read_bytes()
    for content in (b"", b"PAR1", data[:-9], data[:40] + b"\xff" * 40 + data[80:]):
        path.write_bytes(content)
        with pytest.raises(UsageError, match=r"v\.parquet"):
            read_vectors(path, KEYS)
    with pytest.raises(UsageError, match="there is no such file"):
        read_vectors(tmp_path / "none.parquet", KEYS)


@pytest.mark.parametrize(("queries", "rows"), [(7, 11), (1000, 1000)])
def test_nearest_equals_sorting_all_pairs_whatever_the_blocks(
    tmp_path: Path, monkeypatch, queries: int, rows: int
):
    monkeypatch.setattr(neighbours, "_QUERIES", queries)
    monkeypatch.setattr(neighbours, "_ROWS", rows)
    rng = np.random.default_rng(5)
    count = 60
    keys = [("one", "train", f"{number:03}") for number in range(count)]
    values = rng.normal(size=(count, 8)).astype(np.float32)
    values[20] = values[40] = values[3]  # ties
    order = rng.permutation(count)
    names = {"stem": [keys[number][2] for number in order]}
    path = write_vectors(tmp_path / "v.parquet", names, values[order])
    groups = np.array([number // 3 if number < 30 else -1 for number in range(count)])
    among = rng.random(count) < 0.7
    found = nearest(read_vectors(path, keys), np.arange(count), 6, groups=groups, among=among)
    unit = values / np.linalg.norm(values, axis=1, keepdims=True)
    for one in range(count):
        similarity = np.round(unit @ unit[one], 4)
        allowed = [
            other
            for other in range(count)
            if other != one and among[other] and (groups[other] != groups[one] or groups[one] < 0)
        ]
        expected = sorted(allowed, key=lambda other: (-similarity[other], other))[:6]
        assert np.allclose(found.similarities[one], similarity[expected], atol=1e-3)
        assert {20, 40, 3}.isdisjoint(expected) is {20, 40, 3}.isdisjoint(found.samples[one])


def test_nearest_gives_no_sample_when_there_are_fewer(tmp_path: Path):
    found = read_vectors(write_vectors(tmp_path / "v.parquet", FULL, ROWS), KEYS)
    near = nearest(found, np.array([0]), 6, among=np.array([True, False, False, False, True]))
    assert near.samples.tolist() == [[4, -1, -1, -1, -1, -1]]
    assert near.similarities[0, 1:].tolist() == [0] * 5


def circle(path: Path, angles: list[float]) -> tuple[Path, list[tuple[str, str, str]]]:
    """Write vectors of two numbers; return the keys of training samples for all."""
    keys = [("one", "train", f"{number:03}") for number in range(len(angles))]
    radians = np.radians(angles)
    rows = np.stack([np.cos(radians), np.sin(radians)], axis=1)
    return write_vectors(path, {"stem": [key[2] for key in keys]}, rows), keys


def test_vector_hints_find_held_out_samples_far_from_training(tmp_path: Path):
    angles = [*range(0, 80, 2), 41, 130, 90]
    path, keys = circle(tmp_path / "v.parquet", angles)
    keys[40:] = [("one", "val", key[2]) for key in keys[40:]]
    samples = [sample(key, ("sea",) if key[2] > "040" else ("ski",)) for key in keys]
    found = vector_hints.vector_hints(read_vectors(path, keys), samples, np.arange(len(keys)))
    assert [(one.sample, one.nearest) for one in found.holes] == [(41, 39), (42, 39)]
    assert found.limit == pytest.approx(np.cos(np.radians(2)), abs=1e-3)
    [sea] = found.scenes
    assert (sea.scene, sea.held_out, sea.far) == ("sea", 2, 2)


def test_vector_hints_say_nothing_on_coverage_without_training(tmp_path: Path):
    path, keys = circle(tmp_path / "v.parquet", [0, 1, 2])
    samples = [sample(("one", "val", key[2])) for key in keys]
    found = vector_hints.vector_hints(read_vectors(path, keys), samples, np.arange(3))
    assert (found.holes, found.scenes, found.suggested) == ([], [], [])
    assert np.isnan(found.limit)


def test_vector_hints_suggest_the_scene_of_neighbours_from_other_sources(tmp_path: Path):
    path, keys = circle(tmp_path / "v.parquet", [*range(12), *range(90, 102)])
    scenes: list[tuple[str, ...]] = [("ski",)] * 12 + [("sea", "beach")] * 12
    scenes[5] = ()
    scenes[20] = ("beach",)
    samples = [sample(key, scenes[number]) for number, key in enumerate(keys)]
    vectors = read_vectors(path, keys)
    found = vector_hints.vector_hints(vectors, samples, np.arange(len(keys))).suggested
    assert [(one.sample, one.scene, one.votes) for one in found] == [
        (5, "ski", 10),
        (20, "sea", 10),
    ]
    # Frames of one video agree with each other, which is no evidence.
    samples = [sample(key, scenes[number], "clip") for number, key in enumerate(keys)]
    found = vector_hints.vector_hints(vectors, samples, np.arange(len(keys))).suggested
    assert found == []


def test_read_vectors_names_the_folder_that_has_no_room(tmp_path: Path, monkeypatch):
    class Full:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            return None

        def write(self, _):
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(vector_file.tempfile, "TemporaryFile", lambda **_: Full())
    with pytest.raises(UsageError, match=r"no room for the vectors .No space left.*TMPDIR"):
        read_vectors(write_vectors(tmp_path / "v.parquet", FULL, ROWS), KEYS)
