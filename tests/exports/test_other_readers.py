"""Datumaro, CVAT, Croissant and Embedding Atlas, read without the code that writes them."""

import hashlib
import io
import json
import xml.etree.ElementTree as ET
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from sceneset.exports import cvat
from sceneset.exports.types import ExportOptions, ExportSample
from support.build import Run
from support.exports import FIRST, IGNORE, PERSON, SECOND, Exports, left_out

Masks = dict[tuple[str, str, str], np.ndarray]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def samples_csv(folder: Path) -> dict[str, tuple[str, str, str]]:
    lines = (folder / "samples.csv").read_text("utf-8").splitlines()[1:]
    rows = [line.split(",") for line in lines]
    return {row[0]: (row[1], row[2], row[3]) for row in rows}


def assert_equal(found: Masks, truth: Masks) -> None:
    assert found.keys() == truth.keys()
    for key, mask in truth.items():
        np.testing.assert_array_equal(found[key], mask, err_msg=str(key))


def test_datumaro_has_one_label_for_each_value(exports: Exports, out: Path, sceneset: Run) -> None:
    assert sceneset("export", "datumaro", "--to", out, cwd=exports.root).code == 0
    found = {}
    for image, key in samples_csv(out).items():
        assert (out / image).read_bytes() == exports.images[key]
        phase, kind, name = image.split("/")
        assert (phase, kind) == (key[1], "images")
        mask = Image.open(out / phase / "masks" / f"{Path(name).stem}.png")
        assert mask.mode == "L"
        values = np.asarray(mask)
        meta = json.loads((out / phase / "dataset_meta.json").read_text())
        assert set(np.unique(values).tolist()) <= set(range(len(meta["labels"])))
        assert meta["labels"][2] == "ignored"
        found[key] = np.choose(values, [0, PERSON, IGNORE]).astype(np.uint8)
    assert_equal(found, dict(exports.truth))
    assert not (out / "test").exists()


def read_cvat(folder: Path, person: tuple[str, ...] = ("person",)) -> tuple[Masks, dict]:
    masks, elements = {}, {}
    for path in sorted(folder.glob("*.xml")):
        root = ET.parse(path).getroot()
        labels = {label.findtext("name") for label in root.iter("label")}
        for image in root.iter("image"):
            phase, subset, name = image.attrib["name"].split("/")
            assert path.stem == phase == image.attrib["subset"]
            assert (folder / "images" / image.attrib["name"]).is_file()
            mask = np.zeros((int(image.attrib["height"]), int(image.attrib["width"])), np.uint8)
            for shape in image.iter("mask"):
                assert shape.attrib["label"] in labels
                x, y, w, h = (int(shape.attrib[n]) for n in ("left", "top", "width", "height"))
                flat: list[int] = []
                for index, run in enumerate(shape.attrib["rle"].split(",")):
                    flat += [index % 2] * int(run)
                box = np.array(flat).reshape(h, w)
                assert box[0].any()
                assert box[-1].any()
                assert box[:, 0].any()
                assert box[:, -1].any()
                is_person = shape.attrib["label"] in person
                mask[y : y + h, x : x + w][box == 1] = PERSON if is_person else IGNORE
            key = subset, phase, name.rpartition(".")[0]
            masks[key], elements[key] = mask, image
    return masks, elements


def test_cvat_holds_every_pixel_and_scenes_as_tags(
    exports: Exports, out: Path, sceneset: Run
) -> None:
    assert sceneset("export", "cvat", "--to", out, cwd=exports.root).code == 0
    masks, elements = read_cvat(out)
    assert_equal(masks, dict(exports.truth))
    tags = {tag.attrib["label"] for tag in elements[FIRST, "train", "b"].iter("tag")}
    assert tags == {"ski", "city"}
    assert not left_out(out)


def test_cvat_holds_scenes_as_classes(exports: Exports, out: Path, sceneset: Run) -> None:
    words = ("export", "cvat", "--scene-as", "class", "--to", out)
    assert sceneset(*words, cwd=exports.root).code == 0
    masks, elements = read_cvat(out, person=("person", "ski", "city"))
    assert_equal(masks, dict(exports.truth))
    [shape] = elements[SECOND, "train", "B"].iter("mask")
    assert shape.attrib["label"] == "ski"
    assert [(row["stem"], row["what"]) for row in left_out(out)] == [("b", "scenes")]


def test_cvat_escapes_names(tmp_path: Path) -> None:
    """Stems may hold what XML reserves."""
    stem = "a&b<c>\"d'"
    sample = ExportSample(
        "S", "train", stem, f"{stem}.jpg", "", 1, "", 1, 2, 2, 0, 0, 1, (), None, None, ""
    )
    text = cvat._image(sample, 0, ("", ""), ExportOptions())
    assert ET.fromstring(text).attrib["name"] == f"train/S/{stem}.jpg"
    (tmp_path / "train.xml").write_text(f"<annotations>\n{text}</annotations>\n", "utf-8")
    listed = cvat._listed_images(SimpleNamespace(to=tmp_path), "train")
    assert list(listed) == [f"train/S/{stem}.jpg"]


def test_croissant_names_every_file_with_its_hash(
    exports: Exports, out: Path, sceneset: Run
) -> None:
    words = ("export", "croissant", "--shard-bytes", 9_000, "--to", out)
    assert sceneset(*words, cwd=exports.root).code == 0
    content = json.loads((out / "croissant.json").read_text("utf-8"))
    files = [entry for entry in content["distribution"] if entry["@type"] == "cr:FileObject"]
    assert len(files) > 2
    found, sets = {}, {entry["@id"]: entry for entry in content["recordSet"]}
    for entry in files:
        data = (out / entry["contentUrl"]).read_bytes()
        assert entry["sha256"] == hashlib.sha256(data).hexdigest()
        assert entry["contentSize"] == f"{len(data)} B"
        table = pq.read_table(io.BytesIO(data))
        columns = {field["source"]["extract"]["column"] for field in sets["samples"]["field"]}
        assert columns == set(table.column_names)
        for row in table.to_pylist():
            mask = np.asarray(Image.open(io.BytesIO(row["mask"]["bytes"])))
            found[row["subset"], row["phase"], row["stem"]] = mask
    assert_equal(found, dict(exports.truth))
    assert [row["splits/name"] for row in sets["splits"]["data"]] == ["train", "val"]
    assert {row["scenes/key"] for row in sets["scenes"]["data"]} == {"ski", "city"}
    on_disk = {f"data/{path.name}" for path in (out / "data").iterdir()}
    assert on_disk == {entry["contentUrl"] for entry in files}


def test_embedding_atlas_has_a_thumbnail_and_the_tags_of_each_sample(
    exports: Exports, out: Path, sceneset: Run
) -> None:
    assert sceneset("export", "embedding-atlas", "--to", out, cwd=exports.root).code == 0
    rows = pq.read_table(out / "samples.parquet").to_pylist()
    assert {tuple(row["id"].split("/")) for row in rows} == exports.truth.keys()
    for row in rows:
        key = row["subset"], row["phase"], row["stem"]
        mask = exports.truth[key]
        small = Image.open(io.BytesIO(row["image"]["bytes"]))
        assert (small.format, small.size) == ("JPEG", (61, 43))
        whole = Image.open(io.BytesIO(exports.images[key])).convert("RGB")
        difference = np.asarray(small.convert("RGB"), float) - np.asarray(whole, float)
        assert np.abs(difference.mean()) < 3, "it shows another image"
        assert row["person_share"] == pytest.approx((mask == PERSON).mean())
        assert row["ignore_share"] == pytest.approx((mask == IGNORE).mean())
    scenes = {row["id"]: row["scenes"] for row in rows}
    assert set(scenes[f"{FIRST}/train/b"].split(", ")) == {"ski", "city"}
    assert scenes[f"{SECOND}/train/a"] == ""


def test_embedding_atlas_names_an_image_that_cannot_be_decoded(
    exports: Exports, out: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from sceneset.errors import UndecodableError
    from sceneset.imaging import decode

    whole = decode.decode_image

    def broken(data: bytes, *words: object) -> decode.Decoded:
        if data == exports.images[FIRST, "train", "b"]:
            raise UndecodableError("image-broken", "is truncated")
        return whole(data, *words)

    monkeypatch.setattr(decode, "decode_image", broken)
    outcome = sceneset("export", "embedding-atlas", "--to", out, "--json", cwd=exports.root)
    assert outcome.code == 1
    assert outcome.json["bad"].keys() == {f"{FIRST}/img_dir/train/b.jpg"}
    ids = pq.read_table(out / "samples.parquet")["id"].to_pylist()
    assert len(ids) == len(exports.truth) - 1


def test_fiftyone_pairs_images_and_masks_by_path(
    exports: Exports, out: Path, sceneset: Run
) -> None:
    assert sceneset("export", "fiftyone", "--to", out, cwd=exports.root).code == 0
    entries = json.loads((out / "samples.json").read_text("utf-8"))["samples"]
    found = {}
    for entry in entries:
        key = entry["subset"], entry["phase"], entry["stem"]
        image, mask = entry["image"], entry["mask"]
        assert image.rpartition(".")[0].replace("/data/", "/labels/") == mask.rpartition(".")[0]
        assert (out / image).read_bytes() == exports.images[key]
        found[key] = np.asarray(Image.open(out / mask))
    assert_equal(found, dict(exports.truth))
    compile((out / "load_fiftyone.py").read_text("utf-8"), "load_fiftyone.py", "exec")
