"""`sceneset fix DELIVERY --to DIR` changes only what has one right answer, and loses no file."""

import os
import shutil
import socket
import unicodedata
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from support.build import (
    NAME,
    Outcome,
    Run,
    dvc,
    make_delivery,
    snapshot,
    write_image,
    write_mask,
)

NFC, NFD = unicodedata.normalize("NFC", "café"), unicodedata.normalize("NFD", "café")


def fix(folder: Path, sceneset: Run, *options: str) -> tuple[Path, Outcome]:
    to = folder.with_name("fixed")
    return to, sceneset("fix", folder, "--to", to, *options, "--json", cwd=folder.parent)


def left(outcome: Outcome) -> dict[str, set[str]]:
    samples = outcome.json["samples"]
    return {s["stem"]: {p["rule"] for p in s["left"]} for s in samples if s["left"]}


def add_sample(folder: Path, image: str, mask: str, seed: int = 0) -> None:
    write_image(folder / "img_dir" / image, seed)
    write_mask(folder / "ann_dir" / mask)


def map_mask(folder: Path, stem: str, *values: tuple[int, int]) -> None:
    """Replace values in a mask of train."""
    path = folder / f"ann_dir/train/{stem}.png"
    with Image.open(path) as mask:
        array = np.array(mask)
    for old, new in values:
        array[array == old] = new
    Image.fromarray(array).save(path)


def values_of(path: Path) -> set[int]:
    with Image.open(path) as mask:
        return set(np.unique(np.asarray(mask)).tolist())


def every_path(root: Path) -> set[str]:
    return {path.relative_to(root).as_posix() for path in root.rglob("*")}


def test_fix_loses_no_file_when_two_files_would_get_one_name(
    tmp_path: Path, registry: Path, sceneset: Run
) -> None:
    folder = make_delivery(tmp_path / "d")
    images, masks = folder / "img_dir/train", folder / "ann_dir/train"
    for seed, name in enumerate(("a.JPG", "b.jpeg", "B.jpg", "e.jfif", "e.JPE"), 50):
        write_image(tmp_path / "drawn.jpg", seed)
        shutil.copyfile(tmp_path / "drawn.jpg", images / name)
    shutil.copyfile(images / "c.jpg", masks / "c.jpg")
    to, outcome = fix(folder, sceneset)
    assert outcome.code == 1
    assert snapshot(to) == snapshot(folder)
    found = left(outcome)
    assert {stem for stem, rules in found.items() if "stem-duplicate" in rules} == {*"abBce"}
    [a] = [s for s in outcome.json["samples"] if s["stem"] == "a"]
    assert any("a.jpg" in p["why"] and "a.JPG" in p["why"] for p in a["left"])
    refused = sceneset("add", to, "--name", NAME, "--dry-run", "--json", cwd=registry)
    assert Counter(p["code"] for p in refused.json["problems"])["stem-duplicate"] == 9


def test_fix_copies_links_pipes_odd_files_and_empty_folders(tmp_path: Path, sceneset: Run) -> None:
    folder = make_delivery(tmp_path / "d", train=("a", "x y"))
    (tmp_path / "elsewhere.txt").write_text("outside")
    (folder / "notes/empty").mkdir(parents=True)
    (folder / "readme.md").write_text("x")
    (folder / "split_dir/old").mkdir()
    (folder / "split_dir/old/ski.txt").write_text("x y\n")
    (folder / "img_dir/train/thumbs.db").write_bytes(b"junk")
    shutil.copyfile(folder / "readme.md", folder / "img_dir/train/._x y.jpg")
    (folder / "img_dir/more").mkdir()
    shutil.copyfile(folder / "img_dir/train/a.jpg", folder / "img_dir/more/x y.jpg")
    (folder / "img_dir/train/link.jpg").symlink_to("a.jpg")
    (folder / "outside.txt").symlink_to("../elsewhere.txt")
    (folder / "linked").symlink_to("notes")
    (folder / "broken").symlink_to("nowhere")
    os.mkfifo(folder / "ann_dir/train/pipe.png")
    to, outcome = fix(folder, sceneset)
    assert outcome.code == 1, "links and other files are left"
    renamed = {"img_dir/train/x y.jpg", "ann_dir/train/x y.png", "img_dir/train/._x y.jpg"}
    expected = {p.replace("x y", "x_y") if p in renamed else p for p in every_path(folder)}
    assert every_path(to) == expected
    assert (to / "img_dir/train/link.jpg").readlink() == Path("a.jpg")
    assert (to / "linked").readlink() == Path("notes")
    assert (to / "broken").readlink() == Path("nowhere")
    assert (to / "outside.txt").read_text() == "outside"
    assert (to / "ann_dir/train/pipe.png").is_fifo()
    assert (to / "split_dir/old/ski.txt").read_text() == "x y\n"
    files = {p["file"] for p in outcome.json["files_left"]}
    assert files >= {"img_dir/train/link.jpg", "ann_dir/train/pipe.png", "readme.md"}


def test_fix_keeps_a_name_when_another_file_or_link_has_the_clean_one(
    tmp_path: Path, sceneset: Run
) -> None:
    folder = make_delivery(tmp_path / "d", {}, train=("x y", "p q", "u v", "u:v"))
    (folder / "img_dir/train/X_Y.jpg").symlink_to("nowhere")
    (folder / "ann_dir/train/p_q.png").mkdir()
    to, outcome = fix(folder, sceneset)
    assert every_path(to) == every_path(folder)
    assert {stem for stem, rules in left(outcome).items() if "name-space" in rules} == {
        "x y", "p q", "u v"
    }  # fmt: skip


def test_fix_renames_a_line_only_for_the_phase_it_means(tmp_path: Path, sceneset: Run) -> None:
    folder = make_delivery(
        tmp_path / "d",
        {"ski.txt": ["f 1", "a"], "ski_val.txt": ["f 1"], "city_val.txt": ["f_1"]},
        train=("f 1", "a"),
        val=("f 1", "f_1"),
    )
    to, outcome = fix(folder, sceneset)
    assert (to / "img_dir/train/f_1.jpg").exists()
    assert (to / "img_dir/val/f 1.jpg").exists()
    texts = {path.name: path.read_text() for path in (to / "split_dir").iterdir()}
    assert texts == {"ski.txt": "f_1\na\n", "ski_val.txt": "f 1\n", "city_val.txt": "f_1\n"}
    [val] = [s for s in outcome.json["samples"] if s["phase"] == "val"]
    assert val["left"][0]["rule"] == "name-space"


def test_fix_keeps_a_name_when_a_split_file_does_not_say_which_phase_it_means(
    tmp_path: Path, sceneset: Run
) -> None:
    folder = make_delivery(
        tmp_path / "d",
        {"total.txt": ["f 1", "a", "f_1"]},
        train=("f 1", "a"),
        val=("f 1", "f_1"),
    )
    to, outcome = fix(folder, sceneset)
    assert snapshot(to) == snapshot(folder)
    assert outcome.code == 1
    [train] = [s for s in outcome.json["samples"] if s["phase"] == "train"]
    assert "total.txt" in train["left"][0]["why"]


def test_fix_keeps_a_name_when_its_line_would_mean_another_sample(
    tmp_path: Path, sceneset: Run
) -> None:
    # ski_val.txt lists a sample of train; after the rename it would list the one of val.
    folder = make_delivery(
        tmp_path / "d", {"ski_val.txt": ["x y"]}, train=("x y", "a"), val=("x_y",)
    )
    to, outcome = fix(folder, sceneset)
    assert snapshot(to) == snapshot(folder)
    assert "val/x_y" in outcome.json["samples"][0]["left"][0]["why"]
    # A line that names nothing would name a sample.
    other = make_delivery(tmp_path / "e/d", {"ski.txt": ["p_q"]}, train=("p q",))
    to, outcome = fix(other, sceneset)
    assert snapshot(to) == snapshot(other)
    assert "ski.txt" in outcome.json["samples"][0]["left"][0]["why"]


@pytest.mark.parametrize(
    ("encoding", "bom"),
    [
        ("gb18030", b""),
        ("utf-16-le", b"\xff\xfe"),
        ("utf-16-be", b""),
        ("utf-8", b"\xef\xbb\xbf"),
    ],
)
def test_fix_changes_lines_in_their_own_encoding(
    encoding: str, bom: bytes, tmp_path: Path, sceneset: Run
) -> None:
    folder = make_delivery(tmp_path / "d", {"total.txt": []}, train=("滑雪 1", "滑雪_2", "a b"))
    text = "滑雪 1\r\n  滑雪_2\r\na b\r\n"
    (folder / "split_dir/ski.txt").write_bytes(bom + text.encode(encoding))
    to, outcome = fix(folder, sceneset)
    assert (to / "img_dir/train/滑雪_1.jpg").exists(), outcome.out
    fixed = "滑雪_1\r\n  滑雪_2\r\na_b\r\n"
    assert (to / "split_dir/ski.txt").read_bytes() == bom + fixed.encode(encoding)


def test_fix_changes_neither_names_nor_lines_when_the_encoding_is_unknown(
    tmp_path: Path, sceneset: Run
) -> None:
    folder = make_delivery(tmp_path / "d", {"total.txt": []}, train=("滑雪 1", "a b"))
    data = "滑雪 1\n别的\na b\n".encode("gb18030")  # one line is no sample: the encoding is a guess
    (folder / "split_dir/ski.txt").write_bytes(data)
    to, outcome = fix(folder, sceneset)
    assert (to / "img_dir/train/滑雪 1.jpg").exists()
    assert (to / "img_dir/train/a_b.jpg").exists()
    assert (to / "split_dir/ski.txt").read_bytes() == data.replace(b"a b", b"a_b")
    assert left(outcome) == {"滑雪 1": {"name-space"}}
    assert "UTF-8" in outcome.json["samples"][-1]["left"][0]["why"]


@pytest.mark.parametrize(("image", "mask", "line"), [
    (NFD, NFC, NFC), (NFC, NFD, NFD), (NFC, NFC, NFD), (NFD, NFD, NFC),
])  # fmt: skip
def test_names_and_lines_in_different_normal_forms_are_one_sample(
    image: str, mask: str, line: str, tmp_path: Path, registry: Path, sceneset: Run
) -> None:
    folder = make_delivery(tmp_path / "d", {"ski.txt": [line, "a"]}, train=("a",))
    add_sample(folder, f"train/{image}.jpg", f"train/{mask}.png", 7)
    refused = sceneset("add", folder, "--name", NAME, "--dry-run", "--json", cwd=registry)
    problems = [p for p in refused.json["problems"] if p["severity"] == "error"]
    assert 1 <= len(problems) <= 2
    assert all("normal form" in p["message"] for p in problems)
    assert not any(p["code"] == "image-missing" for p in problems)
    to, outcome = fix(folder, sceneset)
    assert outcome.code == 0, outcome.out
    assert {s["stem"]: s["done"] for s in outcome.json["samples"]} == {image: ["name-normal-form"]}
    assert every_path(to) >= {f"img_dir/train/{NFC}.jpg", f"ann_dir/train/{NFC}.png"}
    assert (to / "split_dir/ski.txt").read_text() == f"{NFC}\na\n"
    taken = sceneset("add", to, "--name", NAME, "--dry-run", "--json", cwd=registry)
    assert (taken.code, taken.json["samples"]) == (0, 2), taken.out


def test_mask_of_0_and_255_means_nobody_when_other_masks_use_1(
    tmp_path: Path, registry: Path, sceneset: Run
) -> None:
    folder = make_delivery(tmp_path / "d", {"ski.txt": ["a", "b"]}, train=("a", "b"))
    map_mask(folder, "a", (1, 255))
    added = sceneset("add", folder, "--name", NAME, "--dry-run", "--json", cwd=registry)
    assert added.code == 0, added.out
    found = {(p["code"], p["severity"], p["stem"]) for p in added.json["problems"]}
    assert ("mask-empty", "warning", "a") in found
    assert not any(code == "mask-0-255" for code, *_ in found)
    to, outcome = fix(folder, sceneset)
    assert (outcome.code, snapshot(to)) == (0, snapshot(folder))
    [sample] = outcome.json["samples"]
    assert (sample["stem"], sample["done"], sample["left"]) == ("a", [], [])
    assert "--map 255=1" in sample["notes"][0]["why"]
    shutil.rmtree(to)
    to, outcome = fix(folder, sceneset, "--map", "255=1")
    assert [s["done"] for s in outcome.json["samples"]] == [["mask-0-255"]]
    assert values_of(to / "ann_dir/train/a.png") == {0, 1}


@pytest.mark.parametrize("mode", ["P", "RGB"])
def test_mask_that_can_not_be_taken_counts_when_it_uses_1(
    mode: str, tmp_path: Path, sceneset: Run
) -> None:
    folder = make_delivery(tmp_path / "d", {}, train=("a", "b"))
    map_mask(folder, "a", (1, 255))
    path = folder / "ann_dir/train/b.png"
    with Image.open(path) as mask:
        mask.load()
    if mode == "P":
        mask.putpalette([0, 0, 0, 128, 0, 0])
        mask.save(path)
    else:
        mask.convert(mode).save(path)
    to, outcome = fix(folder, sceneset)
    assert snapshot(to) == snapshot(folder)
    assert left(outcome) == {"b": {"mask-mode"}}
    assert outcome.code == 1


def test_mask_of_0_and_255_becomes_person_when_no_mask_uses_1(
    tmp_path: Path, registry: Path, sceneset: Run
) -> None:
    folder = make_delivery(tmp_path / "d", {"ski.txt": [*"abc"]}, train=("a", "b", "c"))
    for stem in "ab":
        map_mask(folder, stem, (1, 255))
    map_mask(folder, "c", (1, 0))
    refused = sceneset("add", folder, "--name", NAME, "--dry-run", "--json", cwd=registry)
    assert sum(p["code"] == "mask-0-255" for p in refused.json["problems"]) == 2
    to, outcome = fix(folder, sceneset)
    assert outcome.code == 0, outcome.out
    assert values_of(to / "ann_dir/train/a.png") == {0, 1}
    assert values_of(to / "ann_dir/train/c.png") == {0}


@pytest.mark.parametrize("mode", ["L", "P"])
@pytest.mark.parametrize("number", [2, 15])
def test_ignored_borders_stay_when_other_masks_use_other_class_numbers(
    mode: str, number: int, tmp_path: Path, sceneset: Run
) -> None:
    folder = make_delivery(tmp_path / "d", {"ski.txt": [*"ab"]}, train=("a", "b"))
    map_mask(folder, "a", (1, 255))
    map_mask(folder, "b", (1, number))
    with Image.open(folder / "ann_dir/train/b.png") as mask:
        mask.load()
    if mode == "P":
        mask.putpalette([*range(250), 0, 0] * 3)
    mask.save(folder / "ann_dir/train/b.png")
    to, outcome = fix(folder, sceneset)
    assert (outcome.code, snapshot(to)) == (1, snapshot(folder))
    assert left(outcome)["a"] == {"mask-0-255"}
    assert "other masks use class numbers" in outcome.out
    shutil.rmtree(to)
    to, outcome = fix(folder, sceneset, "--map", "255=1")
    assert values_of(to / "ann_dir/train/a.png") == {0, 1}


def spoil_masks(folder: Path) -> None:
    """Give five samples masks that can't be taken, and a good one with GPS to none."""
    masks = folder / "ann_dir/train"
    with Image.open(masks / "a.png") as mask:
        mask.load()
    mask.convert("P").save(masks / "b.png")
    mask.convert("RGB").save(masks / "c.png")
    mask.convert("RGBA").save(masks / "d.png")
    mask.resize((16, 12)).save(masks / "e.png")
    mask.point([0, 7, *[0] * 254]).save(masks / "f.png")


def test_fix_says_what_is_left_and_exits_with_1(tmp_path: Path, sceneset: Run) -> None:
    folder = make_delivery(tmp_path / "d", {}, train=tuple("abcdefgh"))
    spoil_masks(folder)
    (folder / "ann_dir/train/g.png").unlink()
    (folder / "img_dir/train/h.jpg").unlink()
    to, outcome = fix(folder, sceneset)
    assert snapshot(to) == snapshot(folder)
    assert outcome.code == 1
    assert left(outcome) == {
        "b": {"mask-mode"}, "c": {"mask-mode"}, "d": {"mask-mode"}, "e": {"size-differs"},
        "f": {"mask-values"}, "g": {"mask-missing"}, "h": {"image-missing"},
    }  # fmt: skip
    shown = sceneset("fix", folder, cwd=tmp_path)
    assert shown.code == 1
    for word in ("palette", "RGBA" if "RGBA" in shown.out else "alpha", "16 x 12", "no mask"):
        assert word in shown.out
    assert "7 samples have errors" in shown.err
    good = make_delivery(tmp_path / "good", {})
    assert sceneset("fix", good, cwd=tmp_path).code == 0


def test_fix_does_not_change_a_damaged_sample(tmp_path: Path, sceneset: Run) -> None:
    folder = make_delivery(tmp_path / "d", {}, train=tuple("abcd"))
    exif = Image.Exif()
    exif[0x013B] = "Somebody"
    for stem in "abc":
        path = folder / f"img_dir/train/{stem}.jpg"
        with Image.open(path) as opened:
            gray = opened.convert("L")
        gray.save(path, exif=exif.tobytes())
    image, mask = folder / "img_dir/train/a.jpg", folder / "ann_dir/train/b.png"
    data = bytearray(image.read_bytes())
    image.write_bytes(data[: len(data) - 100])
    data = bytearray(mask.read_bytes())
    data[-20] ^= 255
    mask.write_bytes(data)
    (folder / "img_dir/train/d.jpg").write_bytes(b"")
    to, outcome = fix(folder, sceneset)
    assert outcome.code == 1
    assert left(outcome) == {stem: {"image-unreadable"} for stem in "abd"}
    before, after = snapshot(folder), snapshot(to)
    assert {name for name in before if before[name] != after[name]} == {"img_dir/train/c.jpg"}


@pytest.mark.parametrize("suffix", [".JPG", ".jpeg", ".jpe", ".JFIF", ".insp", ".Insp"])
def test_fix_renames_a_jpeg_with_another_suffix(
    suffix: str, tmp_path: Path, registry: Path, sceneset: Run
) -> None:
    folder = make_delivery(tmp_path / "d", {}, train=("a", "b", "c"))
    image = folder / "img_dir/train/b.jpg"
    image.rename(image.with_suffix(suffix))
    png = folder / f"img_dir/train/c{suffix}"
    (folder / "img_dir/train/c.jpg").unlink()
    Image.new("RGB", (32, 24), (9, 80, 120)).save(png, "PNG")
    refused = sceneset("add", folder, "--name", NAME, "--dry-run", "--json", cwd=registry)
    assert Counter(p["code"] for p in refused.json["problems"])["suffix"] == 2
    to, outcome = fix(folder, sceneset)
    assert {s["stem"]: s["done"] for s in outcome.json["samples"]} == {"b": ["suffix"], "c": []}
    assert left(outcome)["c"] >= {"image-format"}
    assert (to / "img_dir/train/b.jpg").exists()
    assert (to / f"img_dir/train/c{suffix}").read_bytes() == png.read_bytes()


def test_fix_leaves_a_mask_that_is_a_jpeg(tmp_path: Path, sceneset: Run) -> None:
    folder = make_delivery(tmp_path / "d", {}, train=("a", "b", "c"))
    masks = folder / "ann_dir/train"
    Image.new("L", (32, 24)).save(masks / "a.jpg")
    (masks / "a.png").unlink()
    (masks / "b.png").rename(masks / "b.PNG")
    to, outcome = fix(folder, sceneset)
    assert left(outcome) == {"a": {"suffix"}}
    assert sorted(p.name for p in (to / "ann_dir/train").iterdir()) == ["a.jpg", "b.png", "c.png"]


def test_fix_cleans_stems_that_programs_read_as_more_than_a_name(
    tmp_path: Path, registry: Path, sceneset: Run
) -> None:
    stems = ("=1+1", "+x", "@y", "-rf", "a\u202egpj", "z-1", "a\u200bb", "c\u00ad")
    folder = make_delivery(tmp_path / "d", {"ski.txt": stems}, train=stems)
    refused = sceneset("add", folder, "--name", NAME, "--dry-run", "--json", cwd=registry)
    found = Counter(p["code"] for p in refused.json["problems"])
    assert (found["name-start"], found["stem-unsafe"]) == (4, 2)
    assert found["name-invisible"] == 2
    assert "\u202e" not in refused.out
    to, outcome = fix(folder, sceneset)
    assert outcome.code == 0, outcome.out
    names = sorted(path.stem for path in (to / "img_dir/train").iterdir())
    assert names == sorted(("1+1", "x", "y", "rf", "a_gpj", "z-1", "a_b", "c"))
    taken = sceneset("add", to, "--name", NAME, "--dry-run", "--json", cwd=registry)
    assert taken.code == 0, taken.out


def test_fix_leaves_the_copy_unwritten_when_a_file_can_not_be_copied(
    tmp_path: Path, sceneset: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_delivery(tmp_path / "d")
    monkeypatch.chdir(folder)  # the paths of sockets must be short
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s")
        to, outcome = fix(folder, sceneset)
    assert outcome.code == 2
    assert "socket" in outcome.err
    assert not to.exists()


def test_fix_of_a_subset_keeps_ignored_areas_unless_255_is_said_to_mean_person(
    tmp_path: Path, registry: Path, sceneset: Run
) -> None:
    folder = make_delivery(tmp_path / "d", {"ski.txt": ["a", "b"]}, train=("a", "b"))
    map_mask(folder, "a", (1, 255))
    exif = Image.Exif()
    exif[0x013B] = "Somebody"
    path = folder / "img_dir/train/a.jpg"
    with Image.open(path) as image:
        image.load()
    image.save(path, quality=90, exif=exif.tobytes())
    assert sceneset("add", folder, "--name", NAME, cwd=registry).code == 0
    dvc(registry, "repro", "--force", f"scan@{NAME}")  # the scan accepts what `add` has accepted
    dvc(registry, "repro")
    fixed = sceneset("fix", "web", "--apply", "--json", cwd=registry)
    assert fixed.code == 0, fixed.err
    assert [s["done"] for s in fixed.json["samples"]] == [["image-personal"]], fixed.err
    mask = registry / f"Insta360SemanticSeg/{NAME}/ann_dir/train/a.png"
    assert values_of(mask) == {0, 255}
    fixed = sceneset("fix", "web", "--apply", "--map", "255=1", "--json", cwd=registry)
    assert [s["done"] for s in fixed.json["samples"]] == [["mask-0-255"]], fixed.err
    assert values_of(mask) == {0, 1}


def test_fix_says_what_to_do_with_a_delivery_of_another_format(
    registry: Path, tmp_path: Path, sceneset: Run
) -> None:
    (tmp_path / "photos/masks").mkdir(parents=True)
    done = sceneset("fix", tmp_path / "photos", "--to", tmp_path / "fixed", cwd=registry)
    assert done.code == 2
    assert "photos is neither a delivery with the folder img_dir nor" in done.err
    assert "add a delivery of another format first" in done.err
