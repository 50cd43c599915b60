"""Every quirk that the real deliveries' SOURCE.md files name is found, by the rule that fits it."""

import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from sceneset import Registry
from sceneset.delivery.read import read_delivery
from sceneset.delivery.types import Request
from sceneset.quality.leakage import leakage
from support.build import NAME, ROOT, SHARED, Run, needs_shared

pytestmark = needs_shared
DATA = SHARED / "data"
Files = Iterable[tuple[str, Path, Path | Image.Image | None]]


def lay_out(folder: Path, files: Files, phase: str = "train") -> Path:
    """Make a delivery of files as they are; masks are files, or drawn, or not there."""
    for part in ("img_dir", "ann_dir"):
        (folder / part / phase).mkdir(parents=True)
    for stem, image, mask in files:
        shutil.copyfile(image, folder / f"img_dir/{phase}/{stem}{image.suffix}")
        to = folder / f"ann_dir/{phase}/{stem}.png"
        if isinstance(mask, Path):
            shutil.copyfile(mask, to)
        elif mask:
            mask.save(to)
    return folder


def told(folder: Path) -> dict[str, set[str]]:
    """Return the stems that each rule finds."""
    request = Request(folder, NAME, None)
    found: dict[str, set[str]] = defaultdict(set)
    for p in read_delivery(request, Registry.open(ROOT), lambda items, _: items).findings:
        found[p.code].add(p.stem)
    return found


def related(root: Path, folder: Path, sceneset: Run) -> dict[str, dict[str, str]]:
    """Add a delivery, and return what is said of relations, by code and stem."""
    outcome = sceneset("add", folder, "--name", NAME, cwd=root)
    assert outcome.code == 0, outcome.err
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for p in leakage(Registry.open(root)):
        found[p.code][p.stem] = p.message
    return found


def blank(image: Path) -> Image.Image:
    """Draw a mask of some person into the middle."""
    with Image.open(image) as opened:
        width, height = opened.size
    mask = np.zeros((height, width), np.uint8)
    mask[height // 4 : -height // 4, width // 4 : -width // 4] = 1
    return Image.fromarray(mask)


def opened(path: Path) -> Image.Image:
    """Return a picture whose file is closed again."""
    with Image.open(path) as picture:
        picture.load()
        return picture.copy()


def values(mask: Path, change: Callable[[np.ndarray], np.ndarray]) -> Image.Image:
    with Image.open(mask) as opened:
        return Image.fromarray(change(np.asarray(opened)).astype(np.uint8))


def test_a_masks_of_other_sizes_and_two_truths_of_one_photo(
    registry: Path, tmp_path: Path, sceneset: Run
) -> None:
    drop = DATA / "drop_A_vikram"
    raw = [("100", "100"), ("102", "102"), ("111", "111"), ("258", "258")]
    files = [
        (stem, drop / f"Training_Images/{stem}.jpg", drop / f"Ground_Truth/{mask}.png")
        for stem, mask in raw
    ]
    found = told(lay_out(tmp_path / "raw", files))
    assert found["size-differs"] >= {"100", "111", "258"}
    assert found["mask-soft"] | found["mask-0-255"] == {"100", "102", "111", "258"}
    stems = ("102", "270", "56", "97", "1", "2")
    files = [
        (
            stem,
            drop / f"Training_Images/{stem}.jpg",
            opened(drop / f"Ground_Truth/{stem}.png")
            .convert("L")
            .point([int(v > 127) for v in range(256)])
            .resize(opened(drop / f"Training_Images/{stem}.jpg").size, 0),
        )
        for stem in stems
    ]
    folder = lay_out(tmp_path / "mended", files)
    assert told(folder)["image-mode"] == {"56", "97"}
    found = related(registry, folder, sceneset)
    assert "102.jpg" in found["duplicate-bytes"]["270"]
    assert "102.jpg" in found["mask-disagrees"]["270"]


def test_a_files_that_systems_leave_and_what_images_carry(tmp_path: Path) -> None:
    drop = DATA / "drop_A_vikram"
    images = sorted(drop.glob("Training_Images/*.jpg"))
    folder = lay_out(tmp_path / "d", ((i.stem, i, blank(i)) for i in images))
    (folder / ".DS_Store").write_bytes(b"\0")
    found = told(folder)
    assert "junk-file" in found
    assert found["image-mode"] == {"56", "97"}
    profiles = set()
    for image in images:
        with Image.open(image) as opened:
            name = opened.info.get("icc_profile", b"")
            if name and b"sRGB" not in name and b"s\0R\0G\0B" not in name:
                profiles.add(image.stem)
    assert found["image-profile"] <= profiles
    assert len(found["image-profile"]) >= 5
    assert not found["image-orientation"], "their EXIF orientation is 1"


def test_b_photos_that_nobody_annotated(tmp_path: Path) -> None:
    drop = DATA / "drop_B_coco_mini/val2017"
    strangers = ("000000012280", "000000019221", "000000020247", "000000030213", "000000057597")
    images = sorted(drop.glob("*.jpg"))
    assert len(images) == 159
    files = [(i.stem, i, None if i.stem in strangers else blank(i)) for i in images]
    found = told(lay_out(tmp_path / "d", files))
    assert found["mask-missing"] == set(strangers)
    with_gray = {i.stem for i in images if opened(i).mode == "L"}
    assert found["image-mode"] == with_gray
    assert len(with_gray) == 1


def test_c_palettes_and_other_classes(tmp_path: Path) -> None:
    person = DATA / "drop_C_voc_palette/VOCdevkit/person"
    pairs = [
        (image.stem, image, person / f"SegmentationClass/{image.stem}.png")
        for image in sorted((person / "JPEGImages").glob("*.jpg"))
    ]
    stems = {stem for stem, *_ in pairs}
    assert len(stems) == 12
    assert told(lay_out(tmp_path / "palette", pairs))["mask-mode"] == stems
    # As indices, the other classes and the person's 15 are told.
    indices = [(s, image, values(mask, lambda m: m)) for s, image, mask in pairs]
    assert told(lay_out(tmp_path / "indices", indices))["mask-values"] == stems
    mapped = [
        (s, i, values(m, lambda m: np.where(m == 15, 1, np.where(m == 255, 255, 0))))
        for s, i, m in pairs
    ]
    found = told(lay_out(tmp_path / "mapped", mapped))
    assert not {"mask-mode", "mask-values", "size-differs"} & found.keys()


def test_d_the_same_photos_recompressed_and_one_without_people(
    registry: Path, tmp_path: Path, sceneset: Run
) -> None:
    drop = DATA / "drop_D_labelme/semantic_segmentation"
    masks = drop / "data_dataset_voc/SegmentationClassNpy"
    files = [
        (f"{name}_{stem}", folder / f"{stem}.jpg", Image.fromarray((labels == 15).astype(np.uint8)))
        for stem in ("2011_000003", "2011_000006", "2011_000025")
        for labels in [np.load(masks / f"{stem}.npy")]
        for name, folder in (
            ("one", drop / "data_annotated"),
            ("two", drop / "data_dataset_voc/JPEGImages"),
        )
    ]
    folder = lay_out(tmp_path / "d", files)
    assert told(folder)["mask-empty"] == {"one_2011_000025", "two_2011_000025"}
    found = related(registry, folder, sceneset)["duplicate-near"]
    assert set(found) == {"two_2011_000003", "two_2011_000006", "two_2011_000025"}
    assert all(f"one_{stem.removeprefix('two_')}.jpg" in said for stem, said in found.items())


def test_e_an_empty_mask_and_photos_without_masks(tmp_path: Path) -> None:
    photos = DATA / "drop_E_ccp/photos"
    empty = Image.new("L", opened(photos / "0536.jpg").size)
    files = [
        ("0001", photos / "0001.jpg", blank(photos / "0001.jpg")),
        ("0536", photos / "0536.jpg", empty),
        ("1005", photos / "1005.jpg", None),
    ]
    found = told(lay_out(tmp_path / "d", files))
    assert found["mask-empty"] == {"0536"}
    assert found["mask-missing"] == {"1005"}


def test_f_clips_on_both_sides(registry: Path, tmp_path: Path, sceneset: Run) -> None:
    frames = sorted((DATA / "drop_F_davis").rglob("JPEG*/**/parkour/*.jpg"))[:40]
    train = ((f"parkour_{i.stem}", i, blank(i)) for i in frames[::2])
    folder = lay_out(tmp_path / "d", train)
    lay_out(folder, ((f"parkour_{i.stem}", i, blank(i)) for i in frames[1::2]), "val")
    found = related(registry, folder, sceneset)
    assert len(found["leak-near"]) + len(found["leak-review"]) >= 0.85 * len(frames[1::2])
    assert found["clip-undeclared"]


def test_g_frames_without_masks_and_one_of_another_size(tmp_path: Path) -> None:
    drop = DATA / "drop_G_cutie"
    pairs = [
        (f"judo_{image.stem}", image, drop / f"masks/judo/{image.stem}.png")
        for image in sorted((drop / "images/judo").glob("*.jpg"))
    ]
    annotated = {stem for stem, _, mask in pairs if mask.exists()}
    files = [(s, i, m if m.exists() else None) for s, i, m in pairs]
    found = told(lay_out(tmp_path / "d", files))
    assert found["mask-missing"] == {stem for stem, *_ in pairs} - annotated
    assert (len(found["mask-missing"]), len(annotated)) == (12, 4)
    assert found["mask-mode"] == annotated
    numbers = [(s, i, values(m, lambda m: m)) for s, i, m in pairs if m.exists()]
    found = told(lay_out(tmp_path / "numbers", numbers))
    assert found["size-differs"] == {"judo_00005"}
    assert found["mask-values"] == {"judo_00005", "judo_00008", "judo_00013"}


def test_h_a_png_among_jpegs_and_a_mask_of_another_name(tmp_path: Path) -> None:
    drop = DATA / "drop_H_fudan"
    image, mask = drop / "PNGImages/FudanPed00054.png", drop / "PedMasks/FudanPed00054_mask.png"
    folder = lay_out(tmp_path / "d", [("FudanPed00054", image, mask)])
    assert told(folder)["mask-values"] == {"FudanPed00054"}
    named = folder / "ann_dir/train/FudanPed00054.png"
    named.rename(named.with_stem("FudanPed00054_mask"))
    found = told(folder)
    assert found["mask-missing"] == {"FudanPed00054"}
    assert found["image-missing"] == {"FudanPed00054_mask"}
    more = DATA / "drop_E_ccp/photos/0001.jpg"
    other = DATA / "drop_E_ccp/photos/0002.jpg"
    mixed = [("a", more, blank(more)), ("c", other, blank(other)), ("FudanPed00054", image, mask)]
    assert told(lay_out(tmp_path / "mixed", mixed))["suffix"] == {"FudanPed00054"}
