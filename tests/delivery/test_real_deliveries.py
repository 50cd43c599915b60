"""Every quirk that the SOURCE.md files of real deliveries describe is found by the right rule."""

import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from PIL import Image

from sceneset import Registry
from sceneset.delivery.read import read_delivery
from sceneset.delivery.types import Request
from sceneset.progress import no_progress
from sceneset.quality.leakage import find_leakage
from support.build import NAME, ROOT, SHARED, Run, needs_shared

pytestmark = needs_shared
DATA = SHARED / "data"
Files = Iterable[tuple[str, Path, Path | Image.Image | None]]


def lay_out(folder: Path, files: Files, phase: str = "train") -> Path:
    """Write a delivery of unchanged images; masks are files, pictures, or None for no mask."""
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


def stems_by_rule(folder: Path) -> dict[str, set[str]]:
    """Return the stems that each rule reports in a delivery."""
    request = Request(folder, NAME, None)
    found: dict[str, set[str]] = defaultdict(set)
    for p in read_delivery(request, Registry.open(ROOT), no_progress).findings:
        found[p.code].add(p.stem)
    return found


def add_and_find_leakage(root: Path, folder: Path, sceneset: Run) -> dict[str, dict[str, str]]:
    """Add a delivery and return the messages on leakage, by code and stem."""
    outcome = sceneset("add", folder, "--name", NAME, cwd=root)
    assert outcome.code == 0, outcome.err
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for p in find_leakage(Registry.open(root)):
        found[p.code][p.stem] = p.message
    return found


def drawn_mask(image: Path) -> Image.Image:
    """Return a mask for an image, with a rectangle as the person."""
    with Image.open(image) as opened:
        width, height = opened.size
    mask = np.zeros((height, width), np.uint8)
    mask[height // 4 : -height // 4, width // 4 : -width // 4] = 1
    return Image.fromarray(mask)


def load(path: Path) -> Image.Image:
    """Return a decoded picture; its file is closed."""
    with Image.open(path) as picture:
        picture.load()
        return picture.copy()


def map_values(mask: Path, change: Callable[[np.ndarray], np.ndarray]) -> Image.Image:
    with Image.open(mask) as opened:
        return Image.fromarray(change(np.asarray(opened)).astype(np.uint8))


def test_drop_a_has_masks_of_another_size_and_a_photo_with_two_masks(
    registry: Path, tmp_path: Path, sceneset: Run
) -> None:
    drop = DATA / "drop_A_vikram"
    raw = [("100", "100"), ("102", "102"), ("111", "111"), ("258", "258")]
    files = [
        (stem, drop / f"Training_Images/{stem}.jpg", drop / f"Ground_Truth/{mask}.png")
        for stem, mask in raw
    ]
    found = stems_by_rule(lay_out(tmp_path / "raw", files))
    assert found["size-differs"] >= {"100", "111", "258"}
    assert found["mask-soft"] | found["mask-0-255"] == {"100", "102", "111", "258"}
    stems = ("102", "270", "56", "97", "1", "2")
    files = [
        (
            stem,
            drop / f"Training_Images/{stem}.jpg",
            load(drop / f"Ground_Truth/{stem}.png")
            .convert("L")
            .point([int(v > 127) for v in range(256)])
            .resize(load(drop / f"Training_Images/{stem}.jpg").size, 0),
        )
        for stem in stems
    ]
    folder = lay_out(tmp_path / "fixed", files)
    assert stems_by_rule(folder)["image-mode"] == {"56", "97"}
    found = add_and_find_leakage(registry, folder, sceneset)
    assert "102.jpg" in found["duplicate-bytes"]["270"]
    assert "102.jpg" in found["mask-disagrees"]["270"]


def test_drop_a_has_junk_files_gray_images_and_colour_profiles(tmp_path: Path) -> None:
    drop = DATA / "drop_A_vikram"
    images = sorted(drop.glob("Training_Images/*.jpg"))
    folder = lay_out(tmp_path / "d", ((i.stem, i, drawn_mask(i)) for i in images))
    (folder / ".DS_Store").write_bytes(b"\0")
    found = stems_by_rule(folder)
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


def test_drop_b_has_photos_without_masks(tmp_path: Path) -> None:
    drop = DATA / "drop_B_coco_mini/val2017"
    unannotated = ("000000012280", "000000019221", "000000020247", "000000030213", "000000057597")
    images = sorted(drop.glob("*.jpg"))
    assert len(images) == 159
    files = [(i.stem, i, None if i.stem in unannotated else drawn_mask(i)) for i in images]
    found = stems_by_rule(lay_out(tmp_path / "d", files))
    assert found["mask-missing"] == set(unannotated)
    with_gray = {i.stem for i in images if load(i).mode == "L"}
    assert found["image-mode"] == with_gray
    assert len(with_gray) == 1


def test_drop_c_has_palette_masks_and_other_classes(tmp_path: Path) -> None:
    person = DATA / "drop_C_voc_palette/VOCdevkit/person"
    pairs = [
        (image.stem, image, person / f"SegmentationClass/{image.stem}.png")
        for image in sorted((person / "JPEGImages").glob("*.jpg"))
    ]
    stems = {stem for stem, *_ in pairs}
    assert len(stems) == 12
    assert stems_by_rule(lay_out(tmp_path / "palette", pairs))["mask-mode"] == stems
    # As plain indices, the values of other classes and the person's 15 are reported.
    indices = [(s, image, map_values(mask, lambda m: m)) for s, image, mask in pairs]
    assert stems_by_rule(lay_out(tmp_path / "indices", indices))["mask-values"] == stems
    mapped = [
        (s, i, map_values(m, lambda m: np.where(m == 15, 1, np.where(m == 255, 255, 0))))
        for s, i, m in pairs
    ]
    found = stems_by_rule(lay_out(tmp_path / "mapped", mapped))
    assert not {"mask-mode", "mask-values", "size-differs"} & found.keys()


def test_drop_d_has_recompressed_photos_and_one_without_people(
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
    assert stems_by_rule(folder)["mask-empty"] == {"one_2011_000025", "two_2011_000025"}
    found = add_and_find_leakage(registry, folder, sceneset)["duplicate-near"]
    assert set(found) == {"two_2011_000003", "two_2011_000006", "two_2011_000025"}
    assert all(f"one_{stem.removeprefix('two_')}.jpg" in message for stem, message in found.items())


def test_drop_e_has_an_empty_mask_and_photos_without_masks(tmp_path: Path) -> None:
    photos = DATA / "drop_E_ccp/photos"
    empty = Image.new("L", load(photos / "0536.jpg").size)
    files = [
        ("0001", photos / "0001.jpg", drawn_mask(photos / "0001.jpg")),
        ("0536", photos / "0536.jpg", empty),
        ("1005", photos / "1005.jpg", None),
    ]
    found = stems_by_rule(lay_out(tmp_path / "d", files))
    assert found["mask-empty"] == {"0536"}
    assert found["mask-missing"] == {"1005"}


def test_drop_f_leaks_when_a_clip_is_in_training_and_held_out(
    registry: Path, tmp_path: Path, sceneset: Run
) -> None:
    frames = sorted((DATA / "drop_F_davis").rglob("JPEG*/**/parkour/*.jpg"))[:40]
    train = ((f"parkour_{i.stem}", i, drawn_mask(i)) for i in frames[::2])
    folder = lay_out(tmp_path / "d", train)
    lay_out(folder, ((f"parkour_{i.stem}", i, drawn_mask(i)) for i in frames[1::2]), "val")
    found = add_and_find_leakage(registry, folder, sceneset)
    assert len(found["leak-near"]) + len(found["leak-review"]) >= 0.85 * len(frames[1::2])
    assert found["clip-undeclared"]


def test_drop_g_has_frames_without_masks_and_one_of_another_size(tmp_path: Path) -> None:
    drop = DATA / "drop_G_cutie"
    pairs = [
        (f"judo_{image.stem}", image, drop / f"masks/judo/{image.stem}.png")
        for image in sorted((drop / "images/judo").glob("*.jpg"))
    ]
    annotated = {stem for stem, _, mask in pairs if mask.exists()}
    files = [(s, i, m if m.exists() else None) for s, i, m in pairs]
    found = stems_by_rule(lay_out(tmp_path / "d", files))
    assert found["mask-missing"] == {stem for stem, *_ in pairs} - annotated
    assert (len(found["mask-missing"]), len(annotated)) == (12, 4)
    assert found["mask-mode"] == annotated
    numbers = [(s, i, map_values(m, lambda m: m)) for s, i, m in pairs if m.exists()]
    found = stems_by_rule(lay_out(tmp_path / "numbers", numbers))
    assert found["size-differs"] == {"judo_00005"}
    assert found["mask-values"] == {"judo_00005", "judo_00008", "judo_00013"}


def test_drop_h_has_a_png_among_jpegs_and_a_mask_under_another_name(tmp_path: Path) -> None:
    drop = DATA / "drop_H_fudan"
    image, mask = drop / "PNGImages/FudanPed00054.png", drop / "PedMasks/FudanPed00054_mask.png"
    folder = lay_out(tmp_path / "d", [("FudanPed00054", image, mask)])
    assert stems_by_rule(folder)["mask-values"] == {"FudanPed00054"}
    named = folder / "ann_dir/train/FudanPed00054.png"
    named.rename(named.with_stem("FudanPed00054_mask"))
    found = stems_by_rule(folder)
    assert found["mask-missing"] == {"FudanPed00054"}
    assert found["image-missing"] == {"FudanPed00054_mask"}
    more = DATA / "drop_E_ccp/photos/0001.jpg"
    other = DATA / "drop_E_ccp/photos/0002.jpg"
    mixed = [
        ("a", more, drawn_mask(more)),
        ("c", other, drawn_mask(other)),
        ("FudanPed00054", image, mask),
    ]
    assert stems_by_rule(lay_out(tmp_path / "mixed", mixed))["suffix"] == {"FudanPed00054"}
