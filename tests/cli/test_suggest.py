"""Tests of `sceneset suggest --model`."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sceneset.suggestions import second_look
from support.build import NAME, SHARED, Run, git, needs_shared
from support.models import PoolInProcess, red_model, selfie_model

SIZE = (64, 48)
PERSON = (8, 8, 40, 40)
MASKS = {
    "empty": None,
    "good": PERSON,
    "half": (8, 8, 24, 40),
    "ignored": (8, 8, 24, 40),
    "shifted": (20, 8, 52, 40),
}


def write_samples(folder: Path, masks: Mapping[str, tuple[int, int, int, int] | None]) -> Path:
    """Write a delivery."""
    for part in ("img_dir/train", "ann_dir/train", "split_dir"):
        (folder / part).mkdir(parents=True)
    for stem, box in masks.items():
        write_sample(folder, stem, box)
    (folder / "split_dir/total.txt").write_text("".join(f"{stem}\n" for stem in masks))
    return folder


def write_sample(folder: Path, stem: str, box: tuple[int, int, int, int] | None) -> None:
    """Write a picture with a red "person", and a mask."""
    image, mask = Image.new("RGB", SIZE, (20, 90, 90)), Image.new("L", SIZE)
    image.paste((255, 0, 0), PERSON)
    image.putpixel((0, 0), (len(stem), *stem.encode()[:2]))  # no two pictures are equal
    if stem == "ignored":
        mask.paste(255, (24, 8, 40, 40))
    if box:
        mask.paste(1, box)
    exif = Image.Exif()
    if stem == "turned":
        exif[0x0112] = 6
    image.save(folder / f"img_dir/train/{stem}.jpg", quality=95, subsampling=0, exif=exif)
    mask.save(folder / f"ann_dir/train/{stem}.png")


@pytest.fixture
def red(registry: Path, tmp_path: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A registry of red persons, and a model ../red.onnx that sees red; it runs in this process."""
    delivery = write_samples(tmp_path / "delivery", MASKS)
    done = sceneset("add", delivery, "--name", NAME, cwd=registry)
    assert done.code == 0, done.err
    (tmp_path / "red.onnx").write_bytes(red_model((1, 3, 48, 64), metadata={"license": "MIT"}))
    monkeypatch.setattr(second_look, "ModelPool", PoolInProcess)
    return registry


WORDS = ("suggest", "--model", "../red.onnx")


def test_suggest_lists_what_differs_most(red: Path, sceneset: Run):
    done = sceneset(*WORDS, cwd=red)
    assert done.code == 0
    header, *lines = done.out.splitlines()
    assert header.split() == [
        *("sample", "hint", "score", "IoU", "unmarked", "unseen", "largest", "part")
    ]
    assert [line.split()[0] for line in lines] == [
        f"{NAME}/train/{stem}" for stem in ("empty", "half", "shifted")
    ]
    assert "empty mask" in lines[0]
    assert "5 samples compared with what the model sees" in done.err
    assert "licence MIT" in done.err
    assert "the model sees a person without a mask in 3 samples" in done.err
    assert "these are hints and no findings" in done.err


def test_suggest_as_json_records_the_model(red: Path, sceneset: Run):
    found = sceneset(*WORDS, "--json", "--limit", "1", "--model-license", "own", cwd=red).json
    assert found["model"]["license"] == "own"
    assert len(found["model"]["sha256"]) == 64
    assert (found["compared"], found["with_person"], found["blind"]) == (5, 4, 0)
    [first] = found["samples"]
    assert first["sample"] == f"{NAME}/train/empty"
    assert first["hint"] == "empty mask"
    assert np.allclose(first["box"], [8 / 64, 8 / 48, 40 / 64, 40 / 48], atol=0.03)
    assert (found["not_compared"], found["problems"]) == (0, [])


def test_suggest_sorts_by_persons_without_mask(red: Path, sceneset: Run):
    found = sceneset(*WORDS, "--sort", "unmarked", "--json", cwd=red).json
    parts = [one["part"] for one in found["samples"]]
    assert parts == sorted(parts, reverse=True)
    assert len(parts) == 3


def test_suggest_writes_lists_that_other_commands_take(red: Path, tmp_path: Path, sceneset: Run):
    table, stems = tmp_path / "relabel.csv", tmp_path / "samples.txt"
    assert sceneset(*WORDS, "--to", table, cwd=red).code == 0
    rows = list(csv.DictReader(io.StringIO(table.read_text())))
    assert [row["stem"] for row in rows] == ["empty", "half", "shifted"]
    table.write_text(table.read_text().replace(",,,,,", ",ski,single,,,"))
    assert sceneset("tag", "--csv", table, "--dry-run", cwd=red).code == 0
    assert sceneset(*WORDS, "--to", stems, "--limit", "2", cwd=red).code == 0
    assert stems.read_text() == f"{NAME}/train/empty\n{NAME}/train/half\n"
    done = sceneset("tag", "--stems-file", stems, "--boxes", "1", "--dry-run", "--json", cwd=red)
    assert done.code == 0


def test_suggest_draws_pictures_with_what_to_look_for(red: Path, tmp_path: Path, sceneset: Run):
    page = tmp_path / "look.html"
    done = sceneset(*WORDS, "--view", page, cwd=red)
    assert done.code == 0, done.err
    text = page.read_text()
    assert text.index("train/empty") < text.index("train/half") < text.index("train/shifted")
    assert "train/good" not in text
    assert "red.onnx, SHA-256" in text
    assert "largest part without a mask: 33.3 % of the picture, from 12 % to 62 %" in text


def test_suggest_writes_no_page_when_nothing_differs(red: Path, tmp_path: Path, sceneset: Run):
    (tmp_path / "blue.onnx").write_bytes(red_model((1, 3, 48, 64), bias=-100.0))
    words = ("suggest", "--model", "../blue.onnx", "--view", tmp_path / "look.html")
    done = sceneset(*words, cwd=red)
    assert (done.code, done.out) == (0, "")
    assert "look.html was not written" in done.err
    assert "in 4 of 4 samples with persons, the model sees less than a tenth" in done.err
    assert not (tmp_path / "look.html").exists()


def test_suggest_counts_and_lists_samples_that_can_not_be_compared(red: Path, sceneset: Run):
    data = red / "Insta360SemanticSeg" / NAME
    for path in (data / "img_dir/train/empty.jpg", data / "ann_dir/train/good.png"):
        path.unlink()
    (data / "img_dir/train/half.jpg").unlink()
    (data / "img_dir/train/half.jpg").write_bytes(b"other")
    for blob in (red / ".dvc/cache/files/md5").rglob("*"):
        if blob.is_file():
            blob.unlink()
    done = sceneset(*WORDS, "--json", cwd=red)
    assert done.code == 0
    assert done.json["not_compared"] == 3
    assert {one["sample"].rpartition("/")[2] for one in done.json["problems"]} == {
        *("empty", "good", "half")
    }
    assert "--fetch downloads it" in done.json["problems"][0]["reason"]
    text = sceneset(*WORDS, cwd=red).err
    assert f"3 samples were not compared: {NAME}/train/empty: is not on this machine" in text


def test_suggest_refuses_a_model_without_a_usable_output(red: Path, tmp_path: Path, sceneset: Run):
    (tmp_path / "logit.onnx").write_bytes(red_model((1, 3, 48, 64), op="Neg"))
    words = ("suggest", "--model", "../logit.onnx")
    done = sceneset(*words, cwd=red)
    assert (done.code, done.out) == (2, "")
    assert "logit.onnx: the model has no usable output for any picture" in done.err
    assert done.err.count("use --output logit") == 1
    assert sceneset(*words, "--output", "logit", "--json", cwd=red).json["compared"] == 5


def test_suggest_says_when_the_model_sees_persons_everywhere(
    red: Path, tmp_path: Path, sceneset: Run
):
    (tmp_path / "full.onnx").write_bytes(red_model((1, 3, 48, 64), bias=999.0))
    words = ("suggest", "--model", "../full.onnx")
    assert "takes the whole of each picture for a person" in sceneset(*words, cwd=red).err
    assert sceneset(*words, "--json", cwd=red).json["full"] == 5
    assert "takes the whole" not in sceneset(*WORDS, cwd=red).err


def test_suggest_turns_image_and_mask_by_exif(
    registry: Path, tmp_path: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
):
    """The model sees the picture as shown; the box is one of the picture as shown."""
    monkeypatch.setattr(second_look, "ModelPool", PoolInProcess)
    delivery = write_samples(tmp_path / "delivery", {"turned": (8, 8, 24, 40)})
    assert sceneset("add", delivery, "--name", NAME, cwd=registry).code == 0
    (tmp_path / "red.onnx").write_bytes(red_model((1, 3, 64, 48)))
    [found] = sceneset(*WORDS, "--json", cwd=registry).json["samples"]
    # Turned to the right: what is right in the pixels is at the bottom.
    assert np.allclose(found["box"], [8 / 48, 24 / 64, 40 / 48, 40 / 64], atol=0.03)
    assert found["iou"] == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ((), "one of the arguments --model --vectors is required"),
        ((*WORDS[1:], "--vectors", "x"), "not allowed with argument"),
        ((*WORDS[1:], "--like", "x"), "add --vectors FILE"),
        (("--model", "../none.onnx"), "none.onnx: there is no such file"),
        (("--model", "params.yaml"), "neither an .onnx nor a .tflite file"),
        ((*WORDS[1:], "--prepare", "hsv"), "'hsv' does not say how pictures are prepared"),
        ((*WORDS[1:], "--prepare", "32x32"), "takes pictures of 64 x 48 pixels, not 32 x 32"),
        ((*WORDS[1:], "--output", "x"), "'x' is no output"),
        ((*WORDS[1:], "--limit", "0"), "use a whole number from 1"),
        ((*WORDS[1:], "--to", "x.json"), "end the name with .csv or .txt"),
        ((*WORDS[1:], "--to", "registry/x.csv"), "write it to another folder"),
        ((*WORDS[1:], "--view", "registry/x.html"), "write it to another folder"),
        ((*WORDS[1:], "--open"), "add --view FILE"),
        ((*WORDS[1:], "--phase", "val"), "no sample matches"),
    ],
)
def test_suggest_refuses_wrong_use(red: Path, sceneset: Run, words, message):
    done = sceneset("suggest", *words, cwd=red)
    assert (done.code, done.out) == (2, "")
    assert message in done.err


@pytest.mark.faults
def test_suggest_gives_the_same_ranking_whatever_the_number_of_processes(
    red: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
):
    in_process = sceneset(*WORDS, "--json", cwd=red).json
    monkeypatch.undo()
    for cores in (1, 2):
        monkeypatch.setattr("os.cpu_count", lambda cores=cores: cores)
        assert sceneset(*WORDS, "--json", cwd=red).json == in_process


def planted(mask: np.ndarray, number: int) -> np.ndarray:
    """Return a mask with an error: emptied, cut in half, or shifted by a third of its width."""
    columns = np.nonzero(mask.any(axis=0))[0]
    left, right = int(columns[0]), int(columns[-1])
    wrong = mask.copy()
    if number % 3 == 0:
        wrong[:] = 0
    elif number % 3 == 1:
        wrong[:, : (left + right) // 2] = 0
    else:
        wrong = np.roll(mask, (right - left) // 3 + 1, axis=1)
        wrong[:, : (right - left) // 3 + 1] = 0
    return wrong


@needs_shared
@pytest.mark.faults
def test_suggest_puts_planted_errors_of_real_masks_first(
    registry: Path, tmp_path: Path, sceneset: Run
):
    model = selfie_model()
    drop = SHARED / "data/drop_A_vikram"
    delivery = tmp_path / "delivery"
    for part in ("img_dir/train", "ann_dir/train"):
        (delivery / part).mkdir(parents=True)
    stems = [f"{number}" for number in range(1, 241, 2)]
    wrong = {stem: number for number, stem in enumerate(stems[::8])}
    for stem in stems:
        image = drop / f"Training_Images/{stem}.jpg"
        (delivery / f"img_dir/train/{stem}.jpg").write_bytes(image.read_bytes())
        with Image.open(image) as shown, Image.open(drop / f"Ground_Truth/{stem}.png") as truth:
            resized = truth.convert("L").resize(shown.size, Image.Resampling.NEAREST)
        mask = (np.asarray(resized) > 127).astype(np.uint8)
        if stem in wrong:
            mask = planted(mask, wrong[stem])
        Image.fromarray(mask).save(delivery / f"ann_dir/train/{stem}.png")
    (delivery / "split_dir").mkdir()
    (delivery / "split_dir/total.txt").write_text("".join(f"{stem}\n" for stem in stems))
    assert sceneset("add", delivery, "--name", NAME, cwd=registry).code == 0
    git(registry, "add", "--all")
    done = sceneset("suggest", "--model", model, "--json", "--limit", "1000", cwd=registry).json
    assert (done["compared"], done["not_compared"]) == (len(stems), 0)
    ranked = [one["sample"].rpartition("/")[2] for one in done["samples"]]
    ranked += [stem for stem in stems if stem not in ranked]
    places = [ranked.index(stem) for stem in wrong]
    count, others = len(wrong), len(stems) - len(wrong)
    # The share of pairs of a wrong and another mask in which the wrong one comes first.
    auc = 1 - (sum(places) - count * (count - 1) / 2) / (count * others)
    assert auc > 0.95
    assert sum(place < 2 * count for place in places) >= 0.9 * count
