"""What a training reads: samples of a selection, packed, by hash or from a pulled folder."""

import json
import pickle
import subprocess
import sys

import pytest

from sceneset import Registry
from sceneset.errors import BlobError, BlobMissingError, NothingFoundError, UsageError
from sceneset.torch import from_folder, from_registry
from sceneset.torch.samples import Sample, Samples
from support.exports import FIRST, SECOND


def keys(source) -> set[tuple[str, str, str]]:
    return {(s.subset, s.phase, s.stem) for s in source.samples}


def test_packed_samples_equal_those_put_in():
    some = [
        Sample(
            "S", "train", "人 1", "人 1.jpg", ("ski", "city"), "mixed", "0f" * 16, "a0" * 16, 2.5
        ),
        Sample("S", "val", "b", "b.png"),
    ]
    packed = Samples(some)
    assert packed[0] == some[0]
    assert packed[-1].key == "S/val/b"
    assert (packed[1].scenes, packed[1].persons, packed[1].weight) == ((), "", 1.0)
    assert packed[:1] == some[:1]
    assert [s.key for s in packed] == ["S/train/人 1", "S/val/b"]
    assert pickle.loads(pickle.dumps(packed))[0] == some[0]
    assert len(Samples([])) == 0
    with pytest.raises(IndexError):
        packed[2]


def test_registry_source_reads_the_files_of_a_selection(exports, tmp_path):
    path = exports.root / "params.yaml"
    text = "\nselections:\n  a: {scenes: [ski], phase: train, weight: 2}\n  b: {weight: 1.5}\n"
    path.write_text(path.read_text("utf-8").replace("selections: {}\n", "") + text, "utf-8")
    registry = Registry.open(exports.root)
    source = from_registry(registry, "a", "b", cache=tmp_path / "cache")
    assert keys(source) == set(exports.truth)
    weights = {s.key: s.weight for s in source.samples}
    assert weights[f"{FIRST}/train/a"] == 2
    assert weights[f"{SECOND}/val/w"] == 1.5
    assert from_registry(registry, "ski").samples.weights.tolist() == [1] * 4
    again = pickle.loads(pickle.dumps(source))
    for sample in again.samples:
        image, mask = again.read(sample)
        assert image == exports.images[sample.subset, sample.phase, sample.stem]
        assert mask.startswith(b"\x89PNG")
    cached = set((tmp_path / "cache").glob("??/*"))
    assert len(cached) == len({h for s in source.samples for h in (s.image_md5, s.mask_md5)})
    assert not list((exports.root / ".dvc").glob("cache/files/md5/*/*")), "it has no bound"
    (exports.root.parent / "store").rename(tmp_path / "away")
    assert source.read(source.samples[0])[0], "from the cache"
    (tmp_path / "away").rename(exports.root.parent / "store")


def test_registry_source_says_which_file_the_remote_lacks(exports, tmp_path):
    registry = Registry.open(exports.root)
    source = from_registry(registry, cache=tmp_path, cache_bytes=0)
    sample = source.samples[0]
    [blob] = (exports.root.parent / "store").rglob(sample.mask_md5[2:])
    blob.unlink()
    with pytest.raises(BlobMissingError, match=f"{sample.mask_path}: the remote has no blob"):
        source.read(sample)


def test_registry_source_needs_samples(exports):
    with pytest.raises(NothingFoundError):
        from_registry(Registry.open(exports.root), "ski", phases=["test"])


def test_folder_source_reads_a_pull(exports, tmp_path):
    Registry.open(exports.root).pull("ski", to=tmp_path / "out")
    source = from_folder(tmp_path / "out")
    expected = {(FIRST, "train", "a"), (FIRST, "train", "b"), (FIRST, "val", "a")}
    assert keys(source) == {*expected, (SECOND, "train", "B")}
    assert keys(from_folder(tmp_path / "out", phases=["val"])) == {(FIRST, "val", "a")}
    assert keys(from_folder(tmp_path / "out", split="ski_val.txt", phases=["val"])) == {
        (FIRST, "val", "a")
    }
    sample = source.samples[0]
    assert source.read(sample)[0] == exports.images[sample.subset, sample.phase, sample.stem]
    (tmp_path / "out" / sample.mask_path).unlink()
    with pytest.raises(BlobError, match=r"No such file"):
        source.read(sample)
    with pytest.raises(NothingFoundError):
        from_folder(tmp_path / "out", phases=["test"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (None, "holds no pull"),
        ({"export": {}}, "holds no pull"),
        ({"complete": False}, "was interrupted"),
        ({"pull": {"folders": ["ann_dir"]}}, "has no images"),
        ({"pull": []}, "holds no pull"),
    ],
)
def test_folder_source_refuses_other_folders(change, message, exports, tmp_path):
    Registry.open(exports.root).pull("ski", to=tmp_path / "out")
    path = tmp_path / "out/sceneset.json"
    record = json.loads(path.read_text("utf-8"))
    path.write_text("[]" if change is None else json.dumps(record | change), "utf-8")
    with pytest.raises(UsageError, match=message):
        from_folder(tmp_path / "out")


def test_package_says_how_to_install_pytorch_and_does_not_import_it():
    program = (
        "import sys; sys.modules['torch'] = None\n"
        "import sceneset, sceneset.torch, sceneset.torch.open\n"
        "try:\n    sceneset.torch.collate\n"
        "except ModuleNotFoundError as error:\n    print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert "pip install 'sceneset[torch]'" in done.stdout
    with pytest.raises(AttributeError):
        sys.modules["sceneset.torch"].nothing  # noqa: B018
