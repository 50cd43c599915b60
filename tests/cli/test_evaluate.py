"""Tests of `sceneset evaluate`."""

import json
import re
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from sceneset.cli.main import main
from sceneset.evaluation.counts import Facts, Row, Widths, read_counts, table_of, write_counts
from sceneset.evaluation.difference import difference_to
from sceneset.evaluation.measures import Empty
from sceneset.evaluation.page import evaluation_page
from sceneset.evaluation.report import evaluate
from sceneset.storage.files import md5_of
from support.build import NAME, Run
from support.predictions import masks_of, write_run
from support.terminal import open_terminal

ALL = {"a": 0, "b": 1, "c": 2, "d": 8}


def iou_of(root: Path, shifts: dict[str, int]) -> tuple[float, float]:
    """Return the IoU of all pixels, and the mean of images."""
    both = union = 0
    values = []
    for stem, mask in masks_of(root).items():
        if stem in shifts:
            truth, predicted = mask == 1, np.roll(mask, shifts[stem], axis=1) == 1
            counts = (truth & predicted).sum(), (truth | predicted).sum()
            both, union = both + counts[0], union + counts[1]
            values.append(counts[0] / counts[1])
    return both / union, float(np.mean(values))


def test_evaluate_prints_measures_groups_and_worst_samples(added, tmp_path, sceneset: Run):
    run = write_run(tmp_path / "run", added, ALL)
    done = sceneset("evaluate", run, cwd=added)
    assert done.code == 0
    whole, mean = iou_of(added, ALL)
    assert re.search(rf"^IoU of all pixels +{whole:.4f} ", done.out, re.MULTILINE)
    assert re.search(rf"^IoU, mean of images +{mean:.4f} ", done.out, re.MULTILINE)
    assert re.search(r"^scene +ski +4 +4 ", done.out, re.MULTILINE)
    assert re.search(r"^persons +multi +2 ", done.out, re.MULTILINE)
    worst = done.out.partition("worst samples")[2].splitlines()
    assert worst[1].startswith(f"{NAME}/train/d")
    assert "4 of 4 samples compared, 4 sources; truth: working tree" in done.err
    assert "values: 4 0/255; threshold 0.5" in done.err
    assert "an image counts 1 if both masks are empty" in done.err
    assert "intervals of fewer than 10 sources are too narrow" in done.err


def test_evaluate_as_json_has_all_numbers_and_problems(added, tmp_path, sceneset: Run):
    run = write_run(tmp_path / "run", added, {"a": 0, "b": 1})
    masks = masks_of(added)
    Image.fromarray(masks["c"][:, :20]).save(run / "c.png")
    Image.fromarray(masks["a"]).save(run / "z.png")
    (run / "notes.txt").write_text("text")
    done = sceneset("evaluate", run, "--json", "--band", "0.01", "--band", "0.1", cwd=added)
    assert done.code == 1
    found = done.json
    assert (found["selected"], found["compared"]) == (4, 2)
    assert found["problems"] == {"missing": 1, "wrong-size": 1}
    assert found["problem_samples"][1] == {
        "sample": f"{NAME}/train/c",
        "problem": "wrong-size",
        "detail": "is 20 x 24, the image 32 x 24",
    }
    assert found["surplus"] == ["z.png"]
    assert found["other_files"] == {".txt": 1}
    everything = found["groups"][0]
    whole, mean = iou_of(added, {"a": 0, "b": 1})
    assert everything["measures"]["dataset_iou"]["value"] == pytest.approx(whole, abs=1e-6)
    assert everything["measures"]["image_iou"]["value"] == pytest.approx(mean, abs=1e-6)
    assert {"image_boundary_iou_0.01", "image_boundary_iou_0.1"} <= set(everything["measures"])
    assert everything["measures"]["false_alarm_rate"]["value"] is None
    assert everything["few_sources"] is True
    text = sceneset("evaluate", run, cwd=added).err
    assert f"missing: 1 sample left out: {NAME}/train/d has no prediction" in text
    assert "surplus: 1 prediction of no sample: z.png" in text
    assert "files that are no masks: 1 .txt" in text


def test_evaluate_without_any_usable_prediction_prints_the_problems(added, tmp_path, sceneset: Run):
    run = tmp_path / "run"
    run.mkdir()
    Image.fromarray(np.zeros((24, 32, 3), np.uint8) + np.arange(3, dtype=np.uint8)).save(
        run / "a.png"
    )
    counts, page = tmp_path / "none.parquet", tmp_path / "none.html"
    done = sceneset("evaluate", run, "--to", counts, "--html", page, cwd=added)
    assert (done.code, done.out) == (1, "")
    assert "colours: 1 sample left out" in done.err
    assert "missing: 3 samples left out" in done.err
    assert "0 of 4 samples compared" in done.err
    found = sceneset("evaluate", counts, "--compare", counts, "--json", cwd=added)
    assert found.code == 1
    assert found.json["compared"] == 0
    assert found.json["difference"] is None


def test_evaluate_compares_two_runs_and_writes_a_page(added, tmp_path, sceneset: Run):
    first, second = write_run(tmp_path / "one", added, ALL), tmp_path / "two"
    write_run(second, added, {"a": 6, "b": 1, "c": 0})
    counts = tmp_path / "one.parquet"
    assert sceneset("evaluate", first, "--to", counts, cwd=added).code == 0
    page = tmp_path / "two.html"
    options = ("--compare", counts, "--html", page, "--worst", 2, "--json")
    done = sceneset("evaluate", second, *options, cwd=added)
    assert done.code == 1  # one prediction is missing
    difference = done.json["difference"]
    counted = [difference[name] for name in ("common", "only_here", "only_there")]
    assert counted == [3, 0, 1]
    assert difference["other_predictions"] == str(first)
    moved = {one["sample"][-1]: one["image_iou"] - one["before"] for one in difference["moved"]}
    assert moved["a"] < -0.1
    assert moved["c"] > 0.1
    scene = next(one for one in difference["groups"] if one["by"] == "scene")
    measure = scene["measures"]["dataset_iou"]
    assert measure["p_holm"] == measure["p"]
    assert measure["low"] <= measure["after"] - measure["before"] <= measure["high"]
    text = page.read_text("utf-8")
    assert text.count("<figure>") == 2
    assert text.count("data:image/png") == 2
    assert "has no prediction" in text
    assert f"Compared with {first}" in text
    # Written counts give the same numbers, without masks.
    again = sceneset("evaluate", counts, "--compare", counts, "--json", cwd=tmp_path).json
    assert again["compared"] == 4
    assert again["difference"]["groups"][0]["measures"]["image_iou"]["p"] == 1
    refused = sceneset("evaluate", first, "--band", "0.1", "--compare", counts, cwd=added)
    assert refused.code == 2
    assert "different boundary widths" in refused.err


def test_comparison_says_which_groups_have_few_sources(tmp_path, sceneset: Run):
    """A group of one source has no interval that could promise too much."""
    scenes = {"ski": 10, "sea": 2, "city": 1}
    facts = [
        Facts(NAME, "val", f"{scene}_{n}", (scene,), "single", "", 32, 24, f"{n:032x}")
        for scene, number in sorted(scenes.items())
        for n in range(number)
    ]
    for run in (1, 2):
        rows = (Row(one, (0, 20, 20, 9 * run, *(9,) * 7)) for one in facts)
        write_counts(tmp_path / f"{run}.parquet", table_of(rows, Widths(), {}))
    words = ("evaluate", "2.parquet", "--compare", "1.parquet", "--by", "scene")
    shown = sceneset(*words, cwd=tmp_path)
    assert "intervals of fewer than 10 sources are too narrow: scene sea\n" in shown.err
    groups = sceneset(*words, "--json", cwd=tmp_path).json["difference"]["groups"]
    assert {one["name"]: one["few_sources"] for one in groups} == {
        "": False, "ski": False, "sea": True, "city": True,
    }  # fmt: skip
    first, second = (read_counts(tmp_path / f"{run}.parquet") for run in (1, 2))
    found = evaluate(second, worst=0)
    found.difference = difference_to(second, first, empty=Empty.ONE)
    rows = re.findall(r"<tr>.*?</tr>", evaluation_page(found, [], "en"), re.DOTALL)
    marked = [row for row in rows if re.search(r"–[^<]*\*<", row) and "scene: " in row]
    assert [re.search(r"scene: (\w+)", row)[1] for row in marked] == ["sea"]


def test_page_escapes_hostile_names_and_is_replaced_only_if_it_is_a_page(
    added, tmp_path, sceneset: Run
):
    run = write_run(tmp_path / "<script>alert(1)", added, ALL)
    Image.fromarray(masks_of(added)["a"]).save(run / "<img src=x>.png")
    page = tmp_path / "page.html"
    assert sceneset("evaluate", run, "--html", page, cwd=added).code == 1
    text = page.read_text("utf-8")
    assert "<script" not in text
    assert "<img" not in text
    assert "&lt;img src=x&gt;.png" in text
    assert sceneset("evaluate", run, "--html", page, cwd=added).code == 1
    page.write_text("mine")
    done = sceneset("evaluate", run, "--html", page, cwd=added)
    assert done.code == 2
    assert "was not written by `sceneset evaluate`" in done.err
    done = sceneset("evaluate", run, "--html", added / "registry/a.html", cwd=added)
    assert "write it to another folder" in done.err


def test_page_is_in_the_language_of_the_reader(added, tmp_path, sceneset: Run, monkeypatch):
    monkeypatch.setenv("SCENESET_LANG", "zh")
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    page = tmp_path / "page.html"
    run = write_run(tmp_path / "run", added, {"a": 0, "b": 1})
    sceneset("evaluate", run, "--html", page, cwd=added)
    text = page.read_text("utf-8")
    assert '<html lang="zh-CN">' in text
    for word in ("最差的样本", "没有预测", "单人", "5 % 至 20 %", "工作区"):
        assert word in text


def change_mask(root: Path, stem: str, mask: np.ndarray) -> None:
    """Write another mask, as a scan that found it would record it."""
    path = root / "Insta360SemanticSeg" / NAME / "ann_dir/train" / f"{stem}.png"
    path.unlink()
    Image.fromarray(mask).save(path)
    scan = root / "registry/scans" / f"{NAME}.parquet"
    table = pq.read_table(scan)
    hashes = table["mask_md5"].to_pylist()
    hashes[table["stem"].to_pylist().index(stem)] = bytes.fromhex(md5_of(path.read_bytes()))
    place = table.schema.get_field_index("mask_md5")
    pq.write_table(table.set_column(place, "mask_md5", [hashes]).cast(table.schema), scan)


def test_evaluate_against_another_version_measures_agreement(added, sceneset: Run):
    before = masks_of(added)["a"]
    changed = before.copy()
    changed[:10], changed[:, 14] = 0, 255
    change_mask(added, "a", changed)
    done = sceneset("evaluate", "--against", "HEAD", "ski", "--json", cwd=added)
    assert done.code == 0
    found = done.json
    assert found["predictions"] == "--against HEAD"
    counted = changed != 255
    both = ((before == 1) & (changed == 1)).sum()
    expected = both / ((before == 1) & counted).sum()
    assert found["worst"][0]["sample"] == f"{NAME}/train/a"
    assert found["worst"][0]["image_iou"] == pytest.approx(expected, abs=1e-6)
    assert [one["image_iou"] for one in found["worst"][1:]] == [1, 1, 1]


def test_true_mask_that_is_not_on_this_machine_is_reported(added, tmp_path, sceneset: Run):
    run = write_run(tmp_path / "run", added, ALL)
    change_mask(added, "a", np.zeros((24, 32), np.uint8))
    (added / "Insta360SemanticSeg" / NAME / "ann_dir/train/a.png").unlink()
    done = sceneset("evaluate", run, cwd=added)
    assert done.code == 1
    assert "no-truth: 1 sample left out" in done.err
    assert "--fetch downloads it" in done.err


@pytest.mark.parametrize("columns", [80, 40])
def test_tables_fit_the_terminal(added, tmp_path, monkeypatch, columns):
    write_run(tmp_path / "run", added, ALL)
    monkeypatch.chdir(added)
    terminal = open_terminal(monkeypatch, columns)
    assert main(["evaluate", "../run", "--by", "scene", "--by", "persons"]) == 0
    assert all(len(line) <= columns for line in terminal.lines)
    assert "ski" in terminal.text


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "name a folder of predictions"),
        (("none",), "none: there is no such file or folder of predictions"),
        (("params.yaml",), "params.yaml is no folder of predictions"),
        (("none.json",), "none.json"),
        (("none.parquet",), "none.parquet: there is no such file"),
        (("none.parquet", "ski"), "has the counts of an earlier run"),
        (("--against", "HEAD", "--threshold", "0.5"), "about predictions in files"),
        (("run", "--images", "x.json"), "belongs to a COCO results file"),
        (("run", "--open"), "add --html FILE"),
        (("run", "--compare", "none.parquet"), "none.parquet: there is no such file"),
        (("run", "--to", "registry/scans/new.parquet"), "write it to another folder"),
        (("none.json", "--ending", "_mask"), "leave them out with COCO results"),
        (("none.json", "--values", "0/1"), "leave them out with COCO results"),
        (("none.parquet", "--fetch"), "has the counts of an earlier run"),
        (("run", "--threshold", "nan"), "above 0 and up to 1"),
        (("run", "--to", "x.csv"), "end the name with .parquet"),
        (("run", "--html", "x.png"), "end the name with .html"),
        (("run", "--persons", "multi", "--phase", "val"), "no sample matches"),
    ],
)
def test_evaluate_refuses_wrong_use(added, sceneset: Run, words, message):
    done = sceneset("evaluate", *words, cwd=added)
    assert done.code in {1, 2}
    assert message in done.err
    assert "Traceback" not in done.err


def test_evaluate_reads_coco_results_that_export_can_be_matched_with(
    added, tmp_path, sceneset: Run
):
    sceneset("export", "coco", "--to", tmp_path / "coco", cwd=added)
    images = tmp_path / "coco/annotations/instances_train.json"
    content = json.loads(images.read_text("utf-8"))
    results = [
        {
            "image_id": annotation["image_id"],
            "category_id": 1,
            "segmentation": annotation["segmentation"],
            "score": 0.9,
        }
        for annotation in content["annotations"]
    ]
    (tmp_path / "results.json").write_text(json.dumps(results))
    words = ("evaluate", tmp_path / "results.json", "--images", images, "--json")
    found = sceneset(*words, cwd=added).json
    assert found["compared"] == 4
    assert found["groups"][0]["measures"]["dataset_iou"]["value"] == 1


def test_groups_and_intervals_are_in_chinese(added, tmp_path, sceneset: Run, monkeypatch):
    run = write_run(tmp_path / "run", added, ALL)
    before = tmp_path / "before.parquet"
    assert sceneset("evaluate", run, "--to", before, cwd=added).code == 0
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    done = sceneset("evaluate", run, "--compare", before, cwd=added)
    assert done.code == 0, done.err
    for text in ("人数", "单人", "人的大小", "平均 IoU", " 至 "):
        assert text in done.out
    for text in ("single", "size", "mean IoU", " to "):
        assert text not in done.out
    assert "来源少于 10 个" in done.err


def test_problems_are_in_chinese_on_the_terminal_and_on_the_page(
    added, tmp_path, sceneset: Run, monkeypatch
):
    run = write_run(tmp_path / "run", added, {"a": 0})
    Image.fromarray(np.zeros((32, 24), np.uint8)).save(run / "b.png")
    np.save(run / "c.npy", np.full((24, 32), 7.0))
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    page = tmp_path / "page.html"
    done = sceneset("evaluate", run, "--html", page, cwd=added)
    assert done.code == 1
    for text in (done.err, page.read_text("utf-8")):
        assert "没有预测" in text
        assert "请在存储的像素上预测" in text
        assert "不是概率" in text
        assert "no prediction" not in text


def test_counts_replace_no_other_file(added, tmp_path, sceneset: Run):
    run = write_run(tmp_path / "run", added, dict.fromkeys("abcd", 0))
    scan = next((added / "registry/scans").glob("*.parquet"))
    before = scan.read_bytes()
    vectors = tmp_path / "clip.parquet"
    vectors.write_bytes(before)
    for file in (scan, vectors):
        done = sceneset("evaluate", run, "--to", file, cwd=added)
        assert done.code == 2
        assert file.read_bytes() == before
    for _ in range(2):
        assert sceneset("evaluate", run, "--to", tmp_path / "run.parquet", cwd=added).code == 0


def test_predictions_that_are_wrong_as_a_whole_are_doubted(added, tmp_path, sceneset: Run):
    run = tmp_path / "run"
    for text, value in (("probably inverted", 1), ("no prediction has a person", 0)):
        run.mkdir(exist_ok=True)
        for stem, mask in masks_of(added).items():
            Image.fromarray((mask != 1).astype(np.uint8) * np.uint8(value)).save(
                run / f"{stem}.png"
            )
        done = sceneset("evaluate", run, "--html", tmp_path / "run.html", cwd=added)
        page = (tmp_path / "run.html").read_text("utf-8")
        assert text in done.err
        assert text in page
        assert len(sceneset("evaluate", run, "--json", cwd=added).json["doubts"]) == 1
    good = write_run(tmp_path / "good", added, dict.fromkeys("abcd", 2))
    assert sceneset("evaluate", good, "--json", cwd=added).json["doubts"] == []


def test_names_with_a_common_ending_say_which_option_fits(added, tmp_path, sceneset: Run):
    run = write_run(tmp_path / "run", added, dict.fromkeys("abcd", 0))
    for path in run.iterdir():
        path.rename(path.with_stem(f"{path.stem}_mask"))
    assert "use --ending _mask" in sceneset("evaluate", run, cwd=added).err
    assert sceneset("evaluate", run, "--ending", "_mask", cwd=added).code == 0


def test_names_with_line_breaks_stay_in_their_line(added, tmp_path, sceneset: Run):
    run = write_run(tmp_path / "run", added, dict.fromkeys("abcd", 0))
    (run / "x\nall samples are right\x1b[2J.png").write_bytes(b"x")
    (run / "y.a\nb").write_bytes(b"x")
    done = sceneset("evaluate", run, cwd=added)
    assert r"x\nall samples are right\x1b[2J.png" in done.err
    assert r"1 .a\nb" in done.err


def test_comparison_says_that_p_values_are_adjusted(added, tmp_path, sceneset: Run):
    run = write_run(tmp_path / "run", added, dict.fromkeys("abcd", 2))
    sceneset("evaluate", run, "--to", tmp_path / "run.parquet", cwd=added)
    done = sceneset("evaluate", run, "--compare", tmp_path / "run.parquet", cwd=added)
    assert "adjusted for their number (Holm)" in done.err
