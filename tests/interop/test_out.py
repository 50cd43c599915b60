"""Exports, read back by the libraries that they are for: counts, pairs, and each pixel."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import binary_fill_holes

from support.build import Run, dvc, make_delivery
from support.exports import FIRST, IGNORE, PERSON, SECOND, Exports, left_out
from support.interop import Programs, assert_masks, by_sample, pixels_of

Export = Callable[..., Path]
SCENES = {
    (FIRST, "train", "a"): ["ski"],
    (FIRST, "train", "b"): ["city", "ski"],
    (SECOND, "train", "a"): [],
}


@pytest.fixture
def export(exports: Exports, sceneset: Run, tmp_path: Path) -> Export:
    """Export in a format; return the folder."""

    def run(*words: object) -> Path:
        to = tmp_path / "exported folder"
        outcome = sceneset("export", *words, "--to", to, cwd=exports.root)
        assert outcome.code == 0, outcome.err
        return to

    return run


def filled(mask: np.ndarray) -> np.ndarray:
    """Return a mask as polygons hold it: without holes, ignored pixels as they are."""
    inside = np.where(binary_fill_holes(mask == PERSON), PERSON, 0)
    inside[mask == IGNORE] = IGNORE
    return inside


def without_ignore(mask: np.ndarray) -> np.ndarray:
    """Return a mask with background where it says ignore."""
    return np.where(mask == IGNORE, 0, mask)


def as_yolo(mask: np.ndarray) -> np.ndarray:
    """Return what is left of a mask in YOLO labels."""
    return binary_fill_holes(mask == PERSON).astype(np.uint8)


@pytest.mark.parametrize("library", ["pycocotools.coco", "hotcoco"])
def test_coco_apis_read_every_pixel(
    export: Export, exports: Exports, programs: Programs, library: str
) -> None:
    folder = export("coco")
    found = programs.run("readers/read_coco_api.py", library, folder)
    rows = assert_masks(found["rows"], exports)
    assert found["classes"] == ["person"]
    for row in rows.values():
        assert sum(row["areas"]) == row["person"] + row["ignore"]


@pytest.mark.parametrize("library", ["pycocotools.coco", "hotcoco"])
def test_coco_apis_read_polygons_with_the_stated_loss(
    export: Export, exports: Exports, programs: Programs, library: str
) -> None:
    folder = export("coco", "--polygons")
    found = programs.run("readers/read_coco_api.py", library, folder)
    assert_masks(found["rows"], exports, expected=filled)


def test_coco_apis_read_scenes_as_classes(
    export: Export, exports: Exports, programs: Programs
) -> None:
    folder = export("coco", "--scene-as", "class")
    found = programs.run("readers/read_coco_api.py", "pycocotools.coco", folder)
    rows = assert_masks(found["rows"], exports)
    assert set(found["classes"]) == {"person", "ski", "city"}
    assert rows[SECOND, "train", "B"]["classes"] == ["ski"]
    assert rows[SECOND, "train", "a"]["classes"] == ["person"]


def test_torchvision_reads_coco_as_mask_tensors(
    export: Export, exports: Exports, programs: Programs
) -> None:
    found = programs.run("readers/read_torchvision.py", "coco", export("coco"))
    assert_masks(found["rows"], exports)


def test_supervision_reads_coco(export: Export, exports: Exports, programs: Programs) -> None:
    folder = export("coco")
    for phase in ("train", "val"):
        paths = folder / "images" / phase, folder / f"annotations/instances_{phase}.json"
        found = programs.run("readers/read_supervision.py", "coco", *paths)
        assert_masks(found["rows"], exports, [phase])
        assert found["classes"] == ["person"]


def test_datumaro_reads_coco(export: Export, exports: Exports, programs: Programs) -> None:
    found = programs.run("readers/read_datumaro.py", "coco_instances", export("coco"))
    assert_masks(found["rows"], exports)


@pytest.mark.parametrize("merged", [(), ("--merged",)])
@pytest.mark.parametrize("version", ["1.2.2", "0.30.0"])
def test_mmsegmentation_reads_its_config(
    export: Export, exports: Exports, programs: Programs, version: str, merged: tuple[str, ...]
) -> None:
    folder = export("mmseg", *merged)
    is_old = version.startswith("0")
    config = folder / ("mmseg_0x.py" if is_old else "mmseg_1x.py")
    found = programs.run("readers/read_mmseg.py", config, extra="mmseg0" if is_old else "")
    assert found["version"] == version
    assert found["classes"] == ["background", "person"]
    # There is no test sample: the config tests on val.
    images = {
        phase: [row["image"] for row in found["rows"] if row["phase"] == phase]
        for phase in ("val", "test")
    }
    assert images["test"] == images["val"]
    assert_masks([row for row in found["rows"] if row["phase"] != "test"], exports)
    pixels = pixels_of(exports)
    np.testing.assert_allclose(found["mean"], pixels.mean(axis=0), atol=1e-3)
    np.testing.assert_allclose(found["std"], pixels.std(axis=0), atol=1e-3)


@pytest.mark.parametrize("version", ["1.2.2", "0.30.0"])
def test_mmsegmentation_reads_turned_images_as_stored(
    exports: Exports, sceneset: Run, programs: Programs, tmp_path: Path, version: str
) -> None:
    delivery = make_delivery(
        tmp_path / "delivery", splits={"ski.txt": ["turned"]}, train=("turned", "plain")
    )
    path = delivery / "img_dir/train/turned.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees: its width is shown as height
    image = Image.open(path)
    image.save(path, quality=90, exif=exif)
    name = "CustomSeg_Person_20240301_turned"
    assert sceneset("add", delivery, "--name", name, cwd=exports.root).code == 0
    dvc(exports.root, "repro")
    to = tmp_path / "exported"
    outcome = sceneset("export", "mmseg", "--subset", name, "--to", to, cwd=exports.root)
    assert outcome.code == 0, outcome.err
    is_old = version.startswith("0")
    config = to / ("mmseg_0x.py" if is_old else "mmseg_1x.py")
    found = programs.run("readers/read_mmseg.py", config, extra="mmseg0" if is_old else "")
    # The reader asserts that image and mask have one size.
    assert {row["name"]: (row["width"], row["height"]) for row in found["rows"]} == {
        "turned": image.size,
        "plain": image.size,
    }


def test_ultralytics_reads_polygons_with_the_stated_loss(
    export: Export, exports: Exports, programs: Programs
) -> None:
    folder = export("yolo-seg")
    found = programs.run("readers/read_ultralytics.py", "segment", folder / "data.yaml")
    assert_masks(found["rows"], exports, expected=as_yolo)
    assert found["classes"] == ["person"]
    lost = {row["what"] for row in left_out(folder)}
    assert lost == {"holes", "ignore"}


def test_supervision_reads_yolo(export: Export, exports: Exports, programs: Programs) -> None:
    folder = export("yolo-seg")
    for phase in ("train", "val"):
        for subset in (FIRST, SECOND):  # it looks into one folder
            paths = [folder / kind / phase / subset for kind in ("images", "labels")]
            found = programs.run(
                "readers/read_supervision.py", "yolo", *paths, folder / "data.yaml"
            )
            assert_masks(found["rows"], exports, [phase], subset=subset, expected=as_yolo)


def test_ultralytics_reads_semantic_masks(
    export: Export, exports: Exports, programs: Programs
) -> None:
    folder = export("ultralytics-semantic")
    found = programs.run("readers/read_ultralytics.py", "semantic", folder / "data.yaml")
    assert_masks(found["rows"], exports)
    assert found["classes"] == ["background", "person"]


def test_torchvision_reads_voc(export: Export, exports: Exports, programs: Programs) -> None:
    folder = export("voc", "--subset", FIRST)  # it looks for .jpg
    found = programs.run("readers/read_torchvision.py", "voc", folder)
    assert_masks(found["rows"], exports, subset=FIRST)


def test_datumaro_reads_voc(export: Export, exports: Exports, programs: Programs) -> None:
    folder = export("voc")
    found = programs.run(
        "readers/read_datumaro.py", "voc_segmentation", folder / "VOCdevkit/VOC2012"
    )
    assert_masks(found["rows"], exports)


def test_labelme_reads_mask_shapes(export: Export, exports: Exports, programs: Programs) -> None:
    found = programs.run("readers/read_labelme.py", export("labelme"))
    rows = assert_masks(found["rows"], exports)
    assert sorted(rows[FIRST, "train", "b"]["flags"]) == ["city", "ski"]


def test_labelme_draws_polygons_as_stated(
    export: Export, exports: Exports, programs: Programs
) -> None:
    folder = export("labelme", "--polygons")
    rows = by_sample(programs.run("readers/read_labelme.py", folder)["rows"], exports)
    assert rows.keys() == exports.truth.keys()
    differ = {(row["subset"], row["phase"], row["stem"]) for row in left_out(folder)}
    same = {key: row for key, row in rows.items() if key not in differ}
    truth = exports._replace(
        truth={key: mask for key, mask in exports.truth.items() if key in same}
    )
    assert_masks(same.values(), truth)


def test_webdataset_reads_shards(export: Export, exports: Exports, programs: Programs) -> None:
    found = programs.run("readers/read_webdataset.py", export("webdataset"))
    rows = assert_masks(found["rows"], exports)
    for (subset, phase, stem), row in rows.items():
        fields = row["json"]
        assert (fields["subset"], fields["phase"], fields["stem"]) == (subset, phase, stem)
        assert "." not in row["name"]
        assert row["shard"].startswith(phase)
    for key, scenes in SCENES.items():
        assert sorted(rows[key]["json"]["scenes"]) == scenes


@pytest.mark.parametrize("words", [(), ("--parquet",)])
def test_datasets_reads_hf(
    export: Export, exports: Exports, programs: Programs, words: tuple[str, ...]
) -> None:
    found = programs.run("readers/read_datasets.py", export("hf", *words))
    rows = assert_masks(found["rows"], exports)
    for key, scenes in SCENES.items():
        found_scenes = rows[key]["fields"]["scenes"]
        if not words:  # metadata.jsonl has no lists
            found_scenes = found_scenes.split(";") if found_scenes else []
        assert sorted(found_scenes) == scenes
    for (subset, _, stem), row in rows.items():
        assert (row["fields"]["subset"], row["fields"]["stem"]) == (subset, stem)


def test_datumaro_reads_its_semantic_masks(
    export: Export, exports: Exports, programs: Programs
) -> None:
    folder = export("datumaro")
    form = "common_semantic_segmentation_with_subset_dirs"
    found = programs.run("readers/read_datumaro.py", form, folder)
    assert_masks(found["rows"], exports)


def test_datumaro_reads_cvat(export: Export, exports: Exports, programs: Programs) -> None:
    folder = export("cvat")
    found = programs.run("readers/read_datumaro.py", "cvat", folder)
    assert_masks(found["rows"], exports)


def test_mlcroissant_validates_and_reads_croissant(
    export: Export, exports: Exports, programs: Programs
) -> None:
    [path] = export("croissant").glob("*croissant*.json*")
    found = programs.run("readers/read_mlcroissant.py", path)
    assert not found["errors"]
    assert_masks(found["rows"], exports)


@pytest.mark.parametrize("form", ["folders", "program"])
def test_fiftyone_reads_folders_and_makes_a_dataset(
    export: Export, exports: Exports, programs: Programs, form: str
) -> None:
    folder = export("fiftyone")
    found = programs.run("readers/read_fiftyone.py", form, folder, extra="fiftyone")
    rows = assert_masks(found["rows"], exports)
    for row in rows.values():
        assert row["size"] == [row["width"], row["height"]]
    if form == "program":
        assert found["targets"] == {"1": "person", "255": "ignore"}
        assert found["count"] == len(exports.truth)
        for (subset, phase, stem), row in rows.items():
            fields = row["fields"]
            assert (fields["subset"], fields["phase"], fields["stem"]) == (subset, phase, stem)
            assert (fields["person_pixels"], fields["ignore_pixels"]) == (
                row["person"],
                row["ignore"],
            )
        for key, scenes in SCENES.items():
            assert sorted(rows[key]["fields"]["scenes"]) == scenes


def test_embedding_atlas_opens_the_table_and_its_thumbnails(
    export: Export, exports: Exports, programs: Programs, tmp_path: Path
) -> None:
    file = export("embedding-atlas") / "samples.parquet"
    found = programs.run(
        "readers/read_embedding_atlas.py", file, tmp_path / "application", extra="embedding-atlas"
    )
    assert found["properties"]["data"]["image"] == "image"
    rows = {(row["subset"], row["phase"], row["stem"]): row for row in found["rows"]}
    assert len(found["rows"]) == len(rows)
    assert rows.keys() == exports.truth.keys()
    for key, mask in exports.truth.items():
        row = rows[key]
        assert row["id"] == "/".join(key)
        assert row["size"] == [row["width"], row["height"]] == [*mask.shape[::-1]]
        pixels = int((mask == PERSON).sum()), int((mask == IGNORE).sum())
        assert (row["person_pixels"], row["ignore_pixels"]) == pixels
        shares = row["person_share"] * mask.size, row["ignore_share"] * mask.size
        assert shares == pytest.approx(pixels)
        picture = np.asarray(Image.open(io.BytesIO(exports.images[key])).convert("RGB"))
        assert row["mean"] == pytest.approx(picture.mean(axis=(0, 1)), abs=3)
    for key, scenes in SCENES.items():
        assert sorted(filter(None, rows[key]["scenes"].split(", "))) == scenes
