"""WebDataset tar shards as a delivery."""

import io
import json
import tarfile

import numpy as np
import pytest
from PIL import Image

from sceneset.errors import FindingsError
from sceneset.formats.archives import open_archives
from sceneset.formats.convert import convert
from sceneset.formats.registry import choose_format, find_format
from sceneset.formats.types import Options
from sceneset.progress import no_progress
from sceneset.schemas.params import Limits
from support.build import NAME


def encoded(kind, array):
    out = io.BytesIO()
    Image.fromarray(np.asarray(array, np.uint8)).save(out, kind)
    return out.getvalue()


def image(red=40):
    return encoded("JPEG", np.full((10, 20, 3), red))


def mask(x, y, r, b):
    array = np.zeros((10, 20), np.uint8)
    array[y:b, x:r] = 1
    return encoded("PNG", array)


def shard(path, members):
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as opened:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            opened.addfile(info, io.BytesIO(data))
    return path


def read(delivery, tmp_path):
    """Return what was converted, and the masks by phase/stem."""
    tree = open_archives(delivery, tmp_path / "work/archives").tree(tmp_path / "work/files")
    done = convert(
        find_format("webdataset"),
        tree,
        Options(),
        tmp_path / "work",
        limits=Limits(min_side=1),
        progress=no_progress,
    )
    masks = {
        f"{phase}/{stem}": np.asarray(Image.open(path))
        for (phase, stem), path in done.layout.masks.items()
    }
    return done, masks


def codes(done):
    return sorted(p.code for p in done.layout.findings)


def test_shards_become_samples(tmp_path):
    about = {"scenes": ["ski"], "source": "clip 9", "caption": "a man", "split": "val"}
    folder = tmp_path / "d"
    shard(
        folder / "train-000000.tar",
        [
            ("c1/0001.jpg", image(1)),
            ("c1/0001.png", mask(0, 0, 5, 5)),
            ("c2/0001.jpg", image(2)),
            ("c2/0001.png", mask(0, 0, 6, 6)),
        ],
    )
    shard(
        folder / "train-000001.tar",
        [
            ("x.JPG", image(3)),
            ("x.seg.png", mask(0, 0, 7, 7)),
            ("x.json", json.dumps(about).encode()),
        ],
    )
    tree = open_archives(folder, tmp_path / "first").tree(tmp_path / "f")
    form, reason = choose_format(tree)
    assert form.name == "webdataset"
    assert reason.startswith("2 tar archives in which samples have files of one key")
    done, masks = read(folder, tmp_path)
    assert codes(done) == []
    assert {key: int(m.sum()) for key, m in masks.items()} == {
        "train/c1_0001": 25,
        "train/c2_0001": 36,
        "val/x": 49,
    }
    assert done.layout.images["train", "c2_0001"].read_bytes() == image(2)
    assert done.scene_words == {("val", "x"): ("ski",)}
    assert {t.stem: t.source for t in done.tags} == {
        "c1_0001": "c1",
        "c2_0001": "c2",
        "x": "clip 9",
    }


def test_one_shard_is_a_delivery(tmp_path):
    path = shard(
        tmp_path / "d/val.tar",
        [
            ("a.png", encoded("PNG", np.full((10, 20, 3), 7))),
            ("a.mask.png", mask(0, 0, 5, 5)),
        ],
    )
    tree = open_archives(path, tmp_path / "first").tree(tmp_path / "f")
    assert choose_format(tree)[0].name == "webdataset"
    done, masks = read(path, tmp_path)
    assert codes(done) == []
    assert {key: int(m.sum()) for key, m in masks.items()} == {"val/a": 25}


def test_keys_in_two_shards_and_lone_files_are_reported(tmp_path):
    pair = [("a.jpg", image()), ("a.png", mask(0, 0, 5, 5))]
    folder = tmp_path / "d"
    shard(folder / "0.tar", [*pair, ("b.jpg", image()), ("c.mask.png", mask(0, 0, 1, 1))])
    shard(folder / "1.tar", pair)
    done, masks = read(folder, tmp_path)
    assert codes(done) == ["annotation-broken", "image-missing", "mask-missing"]
    assert "the key a is in 0/a.jpg too" in "\n".join(map(str, done.layout.findings))
    assert sorted(masks) == ["train/a"]


def test_two_files_of_one_key_and_a_broken_json_are_reported(tmp_path):
    members = [
        ("a.jpg", image()),
        ("a.JPG", image()),
        ("a.png", mask(0, 0, 5, 5)),
        ("a.json", b"{"),
    ]
    done, masks = read(shard(tmp_path / "d/0.tar", members), tmp_path)
    assert codes(done) == ["annotation-broken"] * 2
    assert len(masks) == 1


def test_shards_without_masks_are_refused(tmp_path):
    path = shard(tmp_path / "d/0.tar", [("a.jpg", image()), ("a.cls", b"1")])
    with pytest.raises(FindingsError, match="no image has a mask with the same key"):
        read(path, tmp_path)
    tree = open_archives(path, tmp_path / "first").tree(tmp_path / "f")
    with pytest.raises(FindingsError, match="is in no format that is known"):
        choose_format(tree)


def test_shards_are_added_by_one_command(registry, sceneset, tmp_path):
    noise = np.random.default_rng(2).integers(0, 256, (48, 64, 3), np.uint8)
    array = np.zeros((48, 64), np.uint8)
    array[10:40, 20:44] = 1
    members = [("a.jpg", encoded("JPEG", noise)), ("a.png", encoded("PNG", array))]
    path = shard(tmp_path / "d/train-0.tar", members)
    done = sceneset("add", path.parent, "--name", NAME, cwd=registry)
    assert done.code == 0, done.err
    assert "looks like WebDataset tar shards" in done.err
    assert list(path.parent.iterdir()) == [path]
