"""WebDataset: keys without dots, adjacent members, shards that are kept or written again."""

import io
import json
import os
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sceneset.exports import webdataset
from sceneset.exports.types import ExportSample
from support.build import Run, snapshot
from support.exports import FIRST, Exports

BLOCK = 512


def members(path: Path) -> list[tuple[str, bytes]]:
    """Return names and bytes in a tar archive, taken from its blocks by offset."""
    data = path.read_bytes()
    found, at = [], 0
    while data[at : at + BLOCK].strip(b"\0"):
        head = data[at : at + BLOCK]
        assert head[257:265] == b"ustar\x0000"
        assert head[156:157] == b"0"  # a regular file, no extension
        assert int(head[136:147], 8) == 0  # mtime
        prefix, name = (head[a:b].rstrip(b"\0").decode() for a, b in ((345, 500), (0, 100)))
        size = int(head[124:135], 8)
        found.append((f"{prefix}/{name}" if prefix else name, data[at + BLOCK :][:size]))
        at += BLOCK + -(-size // BLOCK) * BLOCK
    return found


def read(folder: Path) -> dict[tuple[str, str, str], tuple[bytes, np.ndarray, str]]:
    samples = {}
    for path in sorted(folder.glob("*.tar")):
        found = members(path)
        assert len(found) % 3 == 0
        for (image, data), (mask, pixels), (facts, text) in zip(
            found[::3], found[1::3], found[2::3], strict=True
        ):
            key = facts.removesuffix(".json")
            assert "." not in key
            assert mask == f"{key}.png"
            assert image in {f"{key}.jpg", f"{key}.image.png"}
            entry = json.loads(text)
            assert path.name.startswith(entry["phase"] + "-")
            array = np.asarray(Image.open(io.BytesIO(pixels)))
            assert entry["person_pixels"] == (array == 1).sum()
            sample = entry["subset"], entry["phase"], entry["stem"]
            assert sample not in samples
            samples[sample] = data, array, key
    return samples


def test_webdataset_holds_every_byte(exports: Exports, tmp_path: Path, sceneset: Run) -> None:
    to = tmp_path / "out"
    outcome = sceneset("export", "webdataset", "--to", to, "--json", cwd=exports.root)
    assert outcome.code == 0, outcome.err
    assert sorted(path.name for path in to.glob("*.tar")) == ["train-000000.tar", "val-000000.tar"]
    assert not (to / "left_out.csv").exists()
    found = read(to)
    assert found.keys() == exports.truth.keys()
    for key, (image, mask, _) in found.items():
        assert image == exports.images[key]
        np.testing.assert_array_equal(mask, exports.truth[key])
    assert found[FIRST, "val", "v.1"][2] == f"val/{FIRST}/v_1"
    entry = json.loads(dict(members(to / "train-000000.tar"))[f"train/{FIRST}/b.json"])
    assert entry["scenes"] == ["ski", "city"] or entry["scenes"] == ["city", "ski"]


def test_webdataset_starts_another_shard_at_the_size(
    exports: Exports, tmp_path: Path, sceneset: Run
) -> None:
    limit = 12_000
    to = tmp_path / "out"
    words = ("export", "webdataset", "--shard-bytes", limit, "--to", to)
    assert sceneset(*words, cwd=exports.root).code == 0
    shards = sorted(to.glob("train-*.tar"))
    assert len(shards) > 1
    for path in shards:
        with tarfile.open(path) as tar:
            used = sum(BLOCK + -(-m.size // BLOCK) * BLOCK for m in tar)
            assert used <= limit or len(tar.getnames()) == 3
    assert read(to).keys() == exports.truth.keys()
    once = tmp_path / "once"
    assert sceneset("export", "webdataset", "--to", once, cwd=exports.root).code == 0
    assert read(once).keys() == exports.truth.keys()


@pytest.mark.parametrize("damage", ["none", "member", "truncated", "byte"])
def test_webdataset_keeps_complete_shards_and_writes_others_again(
    damage: str, exports: Exports, tmp_path: Path, sceneset: Run
) -> None:
    to = tmp_path / "out"
    words = ("export", "webdataset", "--shard-bytes", 12_000, "--to", to)
    assert sceneset(*words, cwd=exports.root).code == 0
    whole = snapshot(to)
    times = {path: path.stat().st_mtime_ns for path in to.glob("*.tar")}
    path = to / "train-000001.tar"
    data = path.read_bytes()
    stat = path.stat()
    if damage == "member":
        tarfile.open(path, "w").close()
    elif damage == "truncated":
        path.write_bytes(data[:700])
    elif damage == "byte":
        path.write_bytes(data[:600] + bytes([data[600] ^ 1]) + data[601:])
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert sceneset(*words, cwd=exports.root).code == 0
    assert snapshot(to) == whole
    changed = {p.name for p, time in times.items() if p.stat().st_mtime_ns != time}
    assert changed == (set() if damage == "none" else {path.name})


def test_webdataset_keys_differ_when_stems_differ_by_dots_or_are_long() -> None:
    stems = ["a.b", "a_b", "A.B", "c.d", "人" * 60, "人" * 59 + "x.y"]
    samples = [ExportSample(
        subset="S", phase="train", stem=stem, image=f"{stem}.png", image_md5="", image_bytes=1,
        mask_md5="", mask_bytes=1, width=1, height=1, person=0, ignore=0, orientation=1,
        scenes=(), persons=None, boxes=None, source="",
    ) for stem in stems]  # fmt: skip
    keys = webdataset._keys(samples)
    assert len({key.casefold() for key in keys.values()}) == len(stems)
    assert keys["S", "train", "a_b"] == "train/S/a_b"
    assert keys["S", "train", "c.d"] == "train/S/c_d"
    assert keys["S", "train", "a.b"].startswith("train/S/a_b-")
    for key in keys.values():
        assert "." not in key
        tarfile.TarInfo(f"{key}.image.png").tobuf(tarfile.USTAR_FORMAT, "utf-8")
    # A key depends on the stems that it competes with, and on nothing else.
    other = webdataset._keys([replace(samples[4], phase="val")])
    assert other["S", "val", stems[4]][3:] == keys["S", "train", stems[4]][5:]
    long = "S" * 200
    [key] = webdataset._keys([replace(samples[4], subset=long)]).values()
    tarfile.TarInfo(f"{key}.image.png").tobuf(tarfile.USTAR_FORMAT, "utf-8")
