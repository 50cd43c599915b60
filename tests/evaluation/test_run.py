"""Tests of comparing a registry's masks with predictions."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sceneset.catalog.query import resolve_query
from sceneset.catalog.reader import Catalog
from sceneset.errors import FindingsError, UsageError
from sceneset.evaluation.coco_results import CocoResults
from sceneset.evaluation.counts import Widths
from sceneset.evaluation.predictions import FolderPredictions, Predictions
from sceneset.evaluation.run import count_predictions, refuse_mixed_values
from sceneset.evaluation.version_masks import VersionMasks
from sceneset.exports.selection import select_samples
from sceneset.imaging.prediction_file import Reading
from sceneset.imaging.rle import encode_coco, uncompressed_coco
from sceneset.versions.local_files import LocalFiles
from support.build import NAME


def samples_of(catalog: Catalog):
    return select_samples(catalog, resolve_query(catalog)).samples


def rows_of(catalog: Catalog, predictions: Predictions) -> dict[str, dict]:
    counts = count_predictions(
        catalog,
        samples_of(catalog),
        predictions,
        files=LocalFiles(catalog),
        widths=Widths(),
        about={},
    )
    return {row["stem"]: row for row in refuse_mixed_values(counts).table.to_pylist()}


def true_mask(root: Path, stem: str) -> np.ndarray:
    path = root / "Insta360SemanticSeg" / NAME / "ann_dir/train" / f"{stem}.png"
    return np.asarray(Image.open(path))


def write(folder: Path, name: str, mask: np.ndarray) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(mask).save(path) if path.suffix == ".png" else np.save(path, mask)


def test_folder_of_predictions_is_counted_and_each_problem_is_named(added, tmp_path):
    catalog, folder = Catalog(added), tmp_path / "runs"
    truth = true_mask(added, "a")
    write(folder, "train/a.png", truth)
    write(folder, "train/b.png", truth[:, ::-1] * np.uint8(255))
    write(folder, "train/c.npy", np.where(truth > 0, 0.9, np.nan))
    write(folder, "train/d.png", truth.T.copy())
    write(folder, "train/e.png", truth)
    (folder / "train/a.jpg").write_bytes(b"a picture")
    found = FolderPredictions(folder, samples_of(catalog), catalog, Reading())
    rows = rows_of(catalog, found)
    assert rows["a"]["truth"] == rows["a"]["both"] == (truth == 1).sum()
    assert [rows[stem]["values"] for stem in "ab"] == ["0/1", "0/255"]
    assert rows["b"]["both"] == ((truth == 1) & (truth[:, ::-1] == 1)).sum()
    assert (rows["c"]["problem"], rows["d"]["problem"]) == ("not-a-number", "wrong-size")
    assert "24 x 32, the image 32 x 24; predict on the pixels as stored" in rows["d"]["detail"]
    assert rows["d"]["both"] is None
    assert found.matches.surplus == ["train/e.png"]
    assert found.other_files == {".jpg": 1}


def test_mask_of_0_and_1_among_probabilities_is_refused(added, tmp_path):
    catalog, folder = Catalog(added), tmp_path / "runs"
    truth = true_mask(added, "a")
    ramp = np.linspace(0, 255, truth.size).reshape(truth.shape).astype(np.uint8)
    for stem, mask in zip("abcd", (ramp, ramp, truth, 0 * truth), strict=True):
        write(folder, f"{stem}.png", mask)
    rows = rows_of(catalog, FolderPredictions(folder, samples_of(catalog), catalog, Reading()))
    assert [rows[stem]["problem"] for stem in "abcd"] == ["", "", "values-unclear", ""]
    assert rows["c"]["both"] is None
    assert rows["d"]["values"] == "empty"


def test_folder_without_masks_is_refused(added, tmp_path):
    catalog = Catalog(added)
    (tmp_path / "runs").mkdir()
    with pytest.raises(UsageError, match="holds no predictions"):
        FolderPredictions(tmp_path / "runs", samples_of(catalog), catalog, Reading())
    with pytest.raises(UsageError, match="there is no such file or folder"):
        FolderPredictions(tmp_path / "none", samples_of(catalog), catalog, Reading())


def test_links_of_a_folder_are_followed_but_not_in_a_circle(added, tmp_path):
    catalog, truth = Catalog(added), true_mask(added, "a")
    write(tmp_path / "runs/5", "a.png", truth)
    folder = tmp_path / "best"
    folder.mkdir()
    (folder / "train").symlink_to(tmp_path / "runs/5")
    found = FolderPredictions(folder, samples_of(catalog), catalog, Reading())
    assert list(found.matches.found.values()) == ["train/a.png"]
    (tmp_path / "runs/5/all").symlink_to(tmp_path / "runs")
    with pytest.raises(UsageError, match="is a link to a folder that it is in"):
        FolderPredictions(tmp_path / "runs", samples_of(catalog), catalog, Reading())


def test_files_that_macos_and_windows_make_are_no_predictions(added, tmp_path):
    catalog, truth, folder = Catalog(added), true_mask(added, "a"), tmp_path / "runs"
    write(folder, "a.png", truth)
    for name in ("__MACOSX/a.png", "._a.png", "Thumbs.db"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"x")
    found = FolderPredictions(folder, samples_of(catalog), catalog, Reading())
    assert list(found.matches.found.values()) == ["a.png"]
    assert not found.matches.surplus
    assert not found.other_files


def test_folder_of_jpeg_files_says_why_they_are_not_read(added, tmp_path):
    write(tmp_path / "runs", "a.png", true_mask(added, "a"))
    (tmp_path / "runs/a.png").rename(tmp_path / "runs/a.JPG")
    catalog = Catalog(added)
    with pytest.raises(UsageError, match="so write PNG"):
        FolderPredictions(tmp_path / "runs", samples_of(catalog), catalog, Reading())


def test_masks_of_the_same_version_agree(added):
    catalog = Catalog(added)
    rows = rows_of(catalog, VersionMasks(catalog, samples_of(catalog)))
    assert len(rows) == 4
    for row in rows.values():
        assert row["truth"] == row["predicted"] == row["both"] > 0
        assert row["band_truth_0.02"] == row["band_both_0.02"]


def coco(results, *, listed: str = "abc", **extra) -> dict:
    return {
        "images": [
            {"id": number, "file_name": f"{NAME}/{stem}.jpg"}
            for number, stem in enumerate(listed, 1)
        ],
        "categories": [{"id": 1, "name": "person"}, {"id": 2, "name": "ski"}],
        "annotations": results,
        **extra,
    }


def result(image, mask, score=0.9, category=1, **extra) -> dict:
    segmentation = {"size": list(mask.shape), "counts": encode_coco(mask)}
    found = {"image_id": image, "category_id": category, "segmentation": segmentation}
    return found | {"score": score} | extra


def test_coco_results_are_the_union_of_persons_above_the_threshold(added, tmp_path):
    catalog = Catalog(added)
    truth = true_mask(added, "a")
    left, right = truth.copy(), truth.copy()
    left[:, 16:], right[:, :16] = 0, 0
    plain = {"size": [24, 32], "counts": uncompressed_coco(right)}
    results = [
        result(1, left),
        result(1, right, 0.6) | {"segmentation": plain},
        result(1, 1 - truth, 0.4),
        result(1, 1 - truth, 0.9, category=2),
        result(2, truth, float("nan")),
    ]
    (tmp_path / "images.json").write_text(json.dumps(coco([])))
    (tmp_path / "results.json").write_text(json.dumps(results))
    files = (tmp_path / "results.json", tmp_path / "images.json")
    rows = rows_of(catalog, CocoResults(*files, samples_of(catalog), catalog, Reading()))
    assert rows["a"]["both"] == rows["a"]["truth"] == rows["a"]["predicted"]
    assert rows["b"]["problem"] == "not-a-number"
    assert (rows["c"]["predicted"], rows["c"]["values"]) == (0, "COCO results (none)")
    assert rows["d"]["problem"] == "missing"


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"segmentation": [[0, 0, 4, 0, 4, 4]]}, "unreadable"),
        ({"segmentation": {"size": [24, 32], "counts": [5]}}, "unreadable"),
        ({"segmentation": {"size": [32, 24], "counts": [768]}}, "wrong-size"),
        ({"segmentation": {"size": [24, 32]}}, "unreadable"),
        ({"score": "high"}, "not-a-number"),
        ({"score": 90}, "not-a-number"),
        ({"score": 10**400}, "not-a-number"),
        ({"score": None}, "not-a-number"),
        ({"category_id": 0}, "unreadable"),
        ({"category_id": None}, "unreadable"),
    ],
)
def test_coco_result_that_is_broken_is_refused(added, tmp_path, change, problem):
    catalog = Catalog(added)
    results = [result(1, true_mask(added, "a")) | change]
    (tmp_path / "all.json").write_text(json.dumps(coco(results)))
    predictions = CocoResults(tmp_path / "all.json", None, samples_of(catalog), catalog, Reading())
    assert rows_of(catalog, predictions)["a"]["problem"] == problem


def coco_predictions(added: Path, folder: Path, content: object, **options) -> CocoResults:
    catalog = Catalog(added)
    (folder / "all.json").write_text(json.dumps(content), **options)
    return CocoResults(folder / "all.json", None, samples_of(catalog), catalog, Reading())


@pytest.mark.parametrize("kind", [str, float])
def test_numbers_of_coco_results_mean_the_same_however_they_are_written(added, tmp_path, kind):
    mask = true_mask(added, "a")
    content = coco([result(kind(1), mask, category=kind(1))])
    predictions = coco_predictions(added, tmp_path, content, encoding="utf-8-sig")
    row = rows_of(Catalog(added), predictions)["a"]
    assert row["both"] == row["truth"] == row["predicted"]
    assert not predictions.matches.surplus


def test_coco_results_of_other_categories_and_images_are_counted(added, tmp_path):
    mask = true_mask(added, "a")
    results = [result(1, mask), result(1, mask, category=2), result(9, mask), result("8", mask)]
    predictions = coco_predictions(added, tmp_path, coco(results))
    assert predictions.other_results == {"ski": 1}
    assert predictions.matches.surplus == ["image_id 9", "image_id 8"]


def test_coco_results_without_a_category_are_persons_if_no_category_is_listed(added, tmp_path):
    found = result("a.jpg", true_mask(added, "a"))
    del found["category_id"]
    row = rows_of(Catalog(added), coco_predictions(added, tmp_path, [found]))["a"]
    assert row["both"] == row["truth"]


def test_coco_file_with_two_images_of_one_number_or_without_persons_is_refused(added, tmp_path):
    twice = coco([])
    twice["images"].append({"id": "1", "file_name": "other.jpg"})
    with pytest.raises(UsageError, match="two images have the id 1"):
        coco_predictions(added, tmp_path, twice)
    for categories in ([{"id": [1], "name": "person"}, {"id": 2, "name": "dog"}],):
        with pytest.raises(UsageError, match=r"no category is called person \(dog\)"):
            coco_predictions(added, tmp_path, coco([]) | {"categories": categories})


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "is not JSON"),
        ("[1]", "no COCO results file"),
        ('{"images": []}', "no COCO results file"),
        ('[{"image_id": 4, "category_id": 1}]', "--images FILE"),
        ('[{"image_id": "a", "category_id": 1}, {"image_id": "a", "category_id": 2}]', "--images"),
        ('[{"image_id": [], "category_id": 1}]', "--images FILE"),
    ],
)
def test_file_that_is_no_results_file_is_refused(added, tmp_path, content, message):
    catalog = Catalog(added)
    (tmp_path / "results.json").write_text(content)
    with pytest.raises((UsageError, FindingsError), match=message):
        CocoResults(tmp_path / "results.json", None, samples_of(catalog), catalog, Reading())


@pytest.mark.faults
@pytest.mark.parametrize("kind", ["folder", "version", "coco"])
def test_processes_count_what_threads_count(kind, added, tmp_path, monkeypatch):
    catalog, folder = Catalog(added), tmp_path / "runs"
    samples = samples_of(catalog)
    truth = true_mask(added, "a")
    if kind == "folder":
        write(folder, "train/a.png", truth[:, ::-1] * np.uint8(255))
        write(folder, "train/b.npy", np.where(truth > 0, 0.9, np.nan))
        write(folder, "train/c.png", truth.T.copy())
        predictions: Predictions = FolderPredictions(folder, samples, catalog, Reading())
    elif kind == "version":
        predictions = VersionMasks(catalog, samples)
    else:
        file = tmp_path / "results.json"
        file.write_text(json.dumps(coco([result(1, truth), result(2, truth, float("nan"))])))
        predictions = CocoResults(file, None, samples, catalog, Reading())
    by_threads = rows_of(catalog, predictions)
    monkeypatch.setattr("sceneset.scanning.process_map._MIN_ITEMS", 1)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    assert rows_of(catalog, predictions) == by_threads
    assert by_threads["a"]["both"] is not None
