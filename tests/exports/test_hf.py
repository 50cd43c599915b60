"""Hugging Face: image folders with metadata.jsonl, Parquet files, and the card."""

import io
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml
from PIL import Image

from sceneset.exports.hf_card import _size_category
from support.build import Run, snapshot
from support.exports import FIRST, SECOND, Exports

Found = dict[tuple[str, str, str], tuple[bytes, np.ndarray, dict]]


def head(folder: Path) -> dict:
    _, text, _ = (folder / "README.md").read_text("utf-8").split("---\n", 2)
    return yaml.safe_load(text)


def read_folders(folder: Path) -> Found:
    found = {}
    for path in sorted(folder.glob("*/metadata.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            row = json.loads(line)
            key = row["subset"], row["phase"], row["stem"]
            assert path.parent.name == row["phase"]
            image = (path.parent / row["file_name"]).read_bytes()
            found[key] = image, np.asarray(Image.open(path.parent / row["mask_file_name"])), row
    return found


def read_parquet(folder: Path) -> Found:
    found = {}
    for path in sorted((folder / "data").glob("*.parquet")):
        table = pq.read_table(path)
        features = json.loads(table.schema.metadata[b"huggingface"])["info"]["features"]
        assert set(features) == set(table.column_names)
        assert features["image"] == features["mask"] == {"_type": "Image"}
        for row in table.to_pylist():
            key = row["subset"], row["phase"], row["stem"]
            assert path.name.startswith(row["phase"] + "-")
            assert key not in found
            mask = np.asarray(Image.open(io.BytesIO(row["mask"]["bytes"])))
            found[key] = row["image"]["bytes"], mask, row
    return found


@pytest.mark.parametrize("form", ["folder", "parquet"])
def test_hf_holds_every_byte(form: str, exports: Exports, tmp_path: Path, sceneset: Run) -> None:
    to = tmp_path / "out"
    words = ("--parquet",) if form == "parquet" else ()
    outcome = sceneset("export", "hf", *words, "--to", to, "--json", cwd=exports.root)
    assert outcome.code == 0, outcome.err
    assert not (to / "left_out.csv").exists()
    found = (read_parquet if words else read_folders)(to)
    assert found.keys() == exports.truth.keys()
    for key, (image, mask, row) in found.items():
        assert image == exports.images[key]
        np.testing.assert_array_equal(mask, exports.truth[key])
        assert row["person_pixels"] == (mask == 1).sum()
        assert (row["height"], row["width"]) == mask.shape
    scenes = found[FIRST, "train", "b"][2]["scenes"]
    assert sorted(scenes if words else scenes.split(";")) == ["city", "ski"]
    assert found[SECOND, "train", "a"][2]["scenes"] == ([] if words else "")
    [config] = head(to)["configs"]
    for entry, phase in zip(config["data_files"], ("train", "val"), strict=True):
        assert entry["split"] == ("validation" if phase == "val" else phase)
        assert {key[1] for key in found if list(to.glob(entry["path"]))} >= {phase}


def test_hf_metadata_has_the_same_types_in_each_phase(
    exports: Exports, tmp_path: Path, sceneset: Run
) -> None:
    to = tmp_path / "out"
    assert sceneset("export", "hf", "--to", to, cwd=exports.root).code == 0
    types = {
        tuple((name, type(value)) for name, value in row.items())
        for _, _, row in read_folders(to).values()
    }
    assert len(types) == 1
    assert not {kind for _, kind in types.pop()} - {str, int}


def test_hf_parquet_is_cut_kept_and_written_again(
    exports: Exports, tmp_path: Path, sceneset: Run
) -> None:
    to = tmp_path / "out"
    words = ("export", "hf", "--parquet", "--shard-bytes", 5_000, "--to", to)
    assert sceneset(*words, cwd=exports.root).code == 0
    shards = sorted((to / "data").glob("train-*.parquet"))
    assert len(shards) > 2
    assert shards[-1].name == f"train-{len(shards) - 1:05}-of-{len(shards):05}.parquet"
    assert read_parquet(to).keys() == exports.truth.keys()
    whole = snapshot(to)
    times = {path: path.stat().st_mtime_ns for path in shards}
    table = pq.read_table(shards[0])
    bad = table.slice(0, 1).to_pylist()
    bad[0]["image"]["bytes"] = b"another image"
    rows = bad + table.slice(1).to_pylist()
    pq.write_table(type(table).from_pylist(rows, table.schema), shards[0])
    shards[1].write_bytes(shards[1].read_bytes()[:-9])
    assert sceneset(*words, cwd=exports.root).code == 0
    assert snapshot(to) == whole
    kept = {path for path, time in times.items() if path.stat().st_mtime_ns == time}
    assert kept == set(shards[2:])


def test_hf_resumes_parquet_without_a_sample_that_was_broken(
    exports: Exports, tmp_path: Path, sceneset: Run
) -> None:
    to, store = tmp_path / "out", exports.root.parent / "store"
    words = ("export", "hf", "--parquet", "--to", to, "--json")
    moved = store.with_name("moved")
    blobs = {p: p.read_bytes() for p in store.rglob("*") if p.is_file()}
    [image] = [p for p, data in blobs.items() if data == exports.images[FIRST, "train", "b"]]
    image.rename(moved)
    outcome = sceneset(*words, cwd=exports.root)
    assert outcome.code == 1
    assert read_parquet(to).keys() == exports.truth.keys() - {(FIRST, "train", "b")}
    moved.rename(image)
    assert sceneset(*words, cwd=exports.root).code == 0
    assert read_parquet(to).keys() == exports.truth.keys()


def test_hf_refuses_a_shard_size_without_shards(
    exports: Exports, tmp_path: Path, sceneset: Run
) -> None:
    words = ("export", "hf", "--shard-bytes", 5_000, "--to", tmp_path / "out")
    outcome = sceneset(*words, cwd=exports.root)
    assert outcome.code == 2
    assert "add --parquet" in outcome.err
    assert not (tmp_path / "out").exists()


def test_hf_card_names_the_size() -> None:
    counts = {0: "n<1K", 999: "n<1K", 1000: "1K<n<10K", 999_999: "100K<n<1M", 10**8: "n>100M"}
    assert {n: _size_category(n) for n in counts} == counts
