"""Bad deliveries: one run reports all errors and changes nothing; --quarantine adds the rest."""

import csv
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from support.build import NAME, make_delivery, snapshot, write_image, write_mask
from support.printed import Found, findings

IMAGE, MASK, SKI = "img_dir/train/{}.jpg", "ann_dir/train/{}.png", "split_dir/ski.txt"
Change = Callable[[Path], object]


def write(file: str, content: bytes | str) -> Change:
    data = content.encode() if isinstance(content, str) else content
    return lambda folder: (folder / file).write_bytes(data)


def truncated(share: float) -> Change:
    def change(folder: Path) -> None:
        path = folder / IMAGE.format("b")
        data = path.read_bytes()
        path.write_bytes(data[: int(len(data) * share)])

    return change


def mask(array: object) -> Change:
    return lambda folder: Image.fromarray(np.asarray(array, np.uint8)).save(
        folder / MASK.format("b")
    )


def two_values(low: int, high: int) -> np.ndarray:
    values = np.full((24, 32), low)
    values[4:9, 5:9] = high
    return values


def moved(old: str, new: str) -> Change:
    return lambda folder: (folder / old).rename(folder / new)


def sample(stem: str) -> Change:
    """Add a good pair under a bad name."""

    def change(folder: Path) -> None:
        for pattern in (IMAGE, MASK):
            source, target = folder / pattern.format("a"), folder / pattern.format(stem)
            target.write_bytes(source.read_bytes())

    return change


def non_utf8(folder: Path) -> None:
    name = os.fsencode(folder / "img_dir/train") + b"/\xff.jpg"
    Path(os.fsdecode(name)).write_bytes((folder / IMAGE.format("a")).read_bytes())


def linked(folder: Path) -> None:
    path = folder / IMAGE.format("a")
    path.rename(folder.parent / "elsewhere.jpg")
    path.symlink_to(folder.parent / "elsewhere.jpg")


def nested(folder: Path) -> None:
    (folder / "img_dir/train/more").mkdir()
    write_image(folder / "img_dir/train/more/e.jpg")


def no_mask_uses_1(folder: Path) -> None:
    for stem in "abcd":
        values = two_values(0, 0 if stem == "a" else 255).astype(np.uint8)
        Image.fromarray(values).save(folder / MASK.format(stem))


# The change, the errors it causes, and how many of the four samples stay good.
CAN_BE_LEFT_OUT = [
    pytest.param(truncated(0.9), {(IMAGE.format("b"), "image-unreadable")}, 3, id="cut JPEG"),
    pytest.param(write(IMAGE.format("b"), ""), {(IMAGE.format("b"), "image-unreadable")}, 3,
                 id="empty file"),
    pytest.param(write(IMAGE.format("b"), "GIF89a"), {(IMAGE.format("b"), "image-format")}, 3,
                 id="GIF named .jpg"),
    pytest.param(lambda f: write_mask(f / MASK.format("b"), (31, 24)),
                 {(MASK.format("b"), "size-differs")}, 3, id="mask of another size"),
    pytest.param(no_mask_uses_1, {(MASK.format(s), "mask-0-255") for s in "bcd"}, 1, id="0/255"),
    pytest.param(mask(two_values(0, 2)), {(MASK.format("b"), "mask-values")}, 3, id="value 2"),
    pytest.param(mask(np.zeros((24, 32, 3))), {(MASK.format("b"), "mask-mode")}, 3, id="RGB mask"),
    pytest.param(lambda f: (f / MASK.format("b")).unlink(), {(IMAGE.format("b"), "mask-missing")},
                 3, id="no mask"),
    pytest.param(lambda f: (f / IMAGE.format("b")).unlink(), {(MASK.format("b"), "image-missing")},
                 3, id="no image"),
    pytest.param(lambda f: write_image(f / "img_dir/train/b.png"),
                 {("img_dir/train/b.png", "suffix"), ("img_dir/train/b.png", "stem-duplicate"),
                  (IMAGE.format("b"), "stem-duplicate")}, 3, id="one stem, two files"),
    pytest.param(sample("B"), {(p.format(s), "stem-duplicate") for p in (IMAGE, MASK)
                               for s in "Bb"},
                 3, id="names that differ in case"),
    pytest.param(moved(IMAGE.format("b"), "img_dir/train/b.JPG"),
                 {("img_dir/train/b.JPG", "suffix")}, 3, id=".JPG"),
    pytest.param(moved(IMAGE.format("b"), "img_dir/train/b.jpeg"),
                 {("img_dir/train/b.jpeg", "suffix")}, 3, id=".jpeg"),
    pytest.param(write(SKI, "a\n\nb\n"), {(f"{SKI}:2", "split-blank-line")}, 4, id="blank line"),
    pytest.param(write(SKI, "a\nb\n\n"), {(f"{SKI}:3", "split-blank-line")}, 4,
                 id="blank line at the end"),
    pytest.param(write(SKI, b"\xef\xbb\xbfa\nb\n"), {(f"{SKI}:1", "split-encoding")}, 4, id="BOM"),
    pytest.param(write(SKI, b"a\n\xff\nb\n"), {(f"{SKI}:2", "split-encoding")}, 4, id="Latin-1"),
    pytest.param(write(SKI, "a\nb\n../x\n"), {(f"{SKI}:3", "split-unsafe-line")}, 4, id="../x"),
    pytest.param(write(SKI, "a\nb\n/etc/x\n"), {(f"{SKI}:3", "split-unsafe-line")}, 4,
                 id="absolute path"),
    pytest.param(write(SKI, "a.jpg\nb\n"), {(f"{SKI}:1", "split-unknown-stem")}, 4,
                 id="line with a suffix"),
    pytest.param(write(SKI, "a\nb\na\n"), {(f"{SKI}:3", "split-duplicate-line")}, 4,
                 id="line written twice"),
    pytest.param(write(SKI, "a\nb\nz\n"), {(f"{SKI}:3", "split-unknown-stem")}, 4,
                 id="line without an image"),
    pytest.param(write("split_dir/total.txt", "a\nb\nc\n"),
                 {("split_dir/total.txt", "split-incomplete")}, 3, id="total misses a sample"),
    pytest.param(linked, {(IMAGE.format("a"), "stray-file")}, 3, id="link"),
    pytest.param(lambda f: os.mkfifo(f / "img_dir/train/e.jpg"),
                 {("img_dir/train/e.jpg", "stray-file")}, 4, id="FIFO"),
    pytest.param(lambda f: os.mkfifo(f / "split_dir/sea.txt"),
                 {("split_dir/sea.txt", "stray-file")}, 4, id="FIFO for a split file"),
    pytest.param(nested, {("img_dir/train/more", "stray-file")}, 4, id="folder in a phase"),
    pytest.param(lambda f: (f / "img_dir/trian").mkdir(), {("img_dir/trian", "stray-file")}, 4,
                 id="phase misspelt"),
    pytest.param(write("notes.doc", "x"), {("notes.doc", "stray-file")}, 4, id="file at the top"),
    pytest.param(sample("._e"), {(p.format("._e"), "stem-unsafe") for p in (IMAGE, MASK)}, 4,
                 id="named like a resource fork without its file"),
    pytest.param(sample(".e"), {(p.format(".e"), "stem-unsafe") for p in (IMAGE, MASK)}, 4,
                 id="leading dot"),
    pytest.param(sample("e "), {(p.format("e "), "stem-unsafe") for p in (IMAGE, MASK)}, 4,
                 id="trailing space"),
    pytest.param(sample("e\n"), {(p.format("e\\n"), "stem-unsafe") for p in (IMAGE, MASK)}, 4,
                 id="line break in a name"),
    pytest.param(non_utf8, {("img_dir/train/\\xff.jpg", "stem-unsafe")}, 4, id="name not UTF-8"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "errors", "good"), CAN_BE_LEFT_OUT)
def test_bad_files_and_lines_are_reported_and_quarantine_leaves_them_out(
    change, errors, good, delivery, registry, tmp_path, sceneset
):
    change(delivery)
    before, source = snapshot(registry), snapshot(delivery)
    refused = sceneset("add", delivery, "--name", NAME, "--all", cwd=registry)
    assert refused.code == 1
    assert findings(refused.err) == errors
    left = tmp_path / "left"
    command = ("add", delivery, "--name", NAME, "--quarantine", left, "--dry-run", "--json")
    dry = sceneset(*command, cwd=registry)
    assert (dry.code, dry.json["taken"], dry.json["samples"]) == (0, False, good)
    assert dry.json["left_out"] == len(errors)
    assert not left.exists()
    assert snapshot(registry) == before
    assert snapshot(delivery) == source


def no_images(folder: Path) -> None:
    for path in (*folder.glob("*_dir/train/*"), *folder.glob("split_dir/*")):
        path.unlink()


# The change, the place and code of the error that stops it, and words of its message.
CAN_NOT_BE_LEFT_OUT = [
    pytest.param(moved("img_dir", "images"), "img_dir", "layout", "is not a folder",
                 id="no img_dir"),
    pytest.param(no_images, "img_dir", "layout", "contains no images", id="no files"),
    pytest.param(moved(SKI, "split_dir/sky.txt"), "split_dir/sky.txt", "unknown-split-file", "ski",
                 id="unknown split file"),
    pytest.param(lambda f: (f / "split_dir/ski_multiperson.txt").write_text("c\nd\n"),
                 "split_dir/ski_multiperson.txt", "row-duplicate", "ski_multiperson.txt",
                 id="two spellings of a row"),
]  # fmt: skip


@pytest.mark.parametrize("options", [(), ("--quarantine", "left")])
@pytest.mark.parametrize(("change", "place", "code", "words"), CAN_NOT_BE_LEFT_OUT)
def test_add_refuses_the_delivery_even_with_quarantine_when_the_error_is_not_about_one_file(
    change, place, code, words, options, delivery, registry, sceneset
):
    change(delivery)
    before, source = snapshot(registry), snapshot(delivery)
    refused = sceneset("add", delivery, "--name", NAME, "--all", *options, cwd=registry)
    assert refused.code == 1
    assert (place, code) in findings(refused.err)
    assert words in refused.err
    assert "[type=" not in refused.err, "messages of pydantic must not be shown"
    assert snapshot(registry) == before
    assert snapshot(delivery) == source


@pytest.mark.parametrize(
    ("name", "words"),
    [
        pytest.param("CustomSeg_Person_20240231_web", "not a valid date", id="no date"),
        pytest.param("CustomSeg_Person_20240101_a/b", "not a subset name", id="slash"),
        pytest.param("web", "not a subset name", id="only a note"),
    ],
)
def test_add_refuses_the_subset_name_when_it_is_invalid(name, words, delivery, registry, sceneset):
    refused = sceneset("add", delivery, "--name", name, "--all", cwd=registry)
    assert refused.code == 1
    assert findings(refused.err) == {("--name", "subset-name")}
    assert words in refused.err


def test_add_refuses_the_delivery_when_it_has_no_good_sample(
    delivery, registry, tmp_path, sceneset
):
    for path in delivery.glob("img_dir/train/*"):
        path.write_bytes(b"")
    before = snapshot(registry)
    command = ("add", delivery, "--name", NAME, "--quarantine", tmp_path / "left")
    refused = sceneset(*command, "--all", cwd=registry)
    assert refused.code == 1
    assert ("img_dir", "layout") in findings(refused.err)
    assert snapshot(registry) == before
    assert not (tmp_path / "left").exists()


@pytest.mark.parametrize(
    "folder", [pytest.param("absent", id="absent"), pytest.param("delivery/notes", id="a file")]
)
def test_add_refuses_the_delivery_when_it_is_not_a_folder(folder, delivery, registry, sceneset):
    (delivery / "notes").write_text("x")
    refused = sceneset("add", delivery.parent / folder, "--name", NAME, cwd=registry)
    assert refused.code == 1
    assert "is not a folder" in refused.err


def spoil(folder: Path) -> Found:
    """Break many things at once and return the errors to expect."""
    truncated(0.5)(folder)
    write_mask(folder / MASK.format("c"), (8, 8))
    (folder / MASK.format("d")).unlink()
    (folder / SKI).write_bytes(b"\xef\xbb\xbfa\r\nb\r\n\r\n../x\r\na\r\nz\r\n")
    (folder / "img_dir/train/.DS_Store").write_bytes(b"x")
    (folder / "img_dir/train/._a.jpg").write_bytes(b"x")
    os.mkfifo(folder / "ann_dir/train/f.png")
    return {
        (IMAGE.format("b"), "image-unreadable"),
        (MASK.format("c"), "size-differs"),
        (IMAGE.format("d"), "mask-missing"),
        ("ann_dir/train/f.png", "stray-file"),
        (f"{SKI}:1", "split-encoding"),
        (f"{SKI}:3", "split-blank-line"),
        (f"{SKI}:4", "split-unsafe-line"),
        (f"{SKI}:5", "split-duplicate-line"),
        (f"{SKI}:6", "split-unknown-stem"),
    }


def test_add_reports_all_errors_at_once_and_then_adds_the_good_sample_with_quarantine(
    delivery, registry, tmp_path, sceneset
):
    errors = spoil(delivery)
    before, source = snapshot(registry), snapshot(delivery)
    refused = sceneset("add", delivery, "--name", NAME, "--all", cwd=registry)
    assert refused.code == 1
    assert findings(refused.err) == errors
    warnings = findings(refused.err, "warning")
    assert {code for _, code in warnings} == {"junk-file", "split-line-ends"}
    assert snapshot(registry) == before

    left = tmp_path / "left"
    accepted = sceneset("add", delivery, "--name", NAME, "--quarantine", left, cwd=registry)
    assert accepted.code == 0, accepted.err
    assert snapshot(delivery) == source
    with (left / f"{NAME}.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {(r["file"] + (r["row"] and f":{r['row']}"), r["code"]) for r in rows} == errors
    assert all(row["message"] for row in rows)
    folder = registry / "Insta360SemanticSeg" / NAME
    files = sorted(p.relative_to(folder).as_posix() for p in folder.glob("*/train/*"))
    assert files == [MASK.format("a"), IMAGE.format("a")]
    samples = sceneset("lookup", "--samples", "--json", cwd=registry).json
    assert [(s["stem"], s["scenes"]) for s in samples] == [("a", ["ski"])]


def test_windows_line_endings_and_junk_files_are_only_warnings(delivery, registry, sceneset):
    (delivery / SKI).write_bytes(b"a\r\nb\r\n")
    (delivery / "Thumbs.db").write_bytes(b"x")
    outcome = sceneset("add", delivery, "--name", NAME, "--dry-run", "--json", cwd=registry)
    assert (outcome.code, outcome.json["samples"]) == (0, 4)
    assert {p["code"] for p in outcome.json["problems"]} == {"split-line-ends", "junk-file"}


def test_other_errors_are_reported_too_when_a_split_file_is_unreadable(
    delivery, registry, sceneset, monkeypatch
):
    truncated(0.5)(delivery)
    (delivery / SKI).write_text("a\n" * 2000)
    monkeypatch.setattr("sceneset.delivery.split_files._MAX_BYTES", 1000)
    refused = sceneset("add", delivery, "--name", NAME, "--all", cwd=registry)
    assert findings(refused.err) == {
        (SKI, "file-unreadable"),
        (IMAGE.format("b"), "image-unreadable"),
    }


def test_add_refuses_the_delivery_when_its_split_folder_is_a_link(tmp_path, registry, sceneset):
    folder = make_delivery(tmp_path / "delivery")
    (folder / "split_dir").rename(tmp_path / "elsewhere")
    (folder / "split_dir").symlink_to(tmp_path / "elsewhere")
    refused = sceneset("add", folder, "--name", NAME, "--all", cwd=registry)
    assert findings(refused.err) == {("split_dir", "layout")}
