"""Change the working tree of a registry in samples of most kinds, for pages that show changes."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from sceneset.catalog.reader import Catalog
from sceneset.progress import no_progress
from sceneset.reporting.statistics import compute_statistics, statistics_texts
from sceneset.scanning.scan_subset import scan_local
from support.build import NAME, dvc, write_image

SIZE = (32, 24)
DATA = f"Insta360SemanticSeg/{NAME}"


def change_samples(root: Path) -> None:
    """Change the samples of the fixture ``added``.

    The masks of a, b and c change: a the most, c in ignored pixels only. The image of a has other
    metadata, b has another scene, c moves to val, and d is removed. Three samples are added:
    two new ones, and a copy of b in val, which is a leak.
    """
    masks, images = root / DATA / "ann_dir/train", root / DATA / "img_dir/train"
    for part in (masks, images):
        for path in part.iterdir():  # they may be links to a cache
            data = path.read_bytes()
            path.unlink()
            path.write_bytes(data)
    draw_mask(masks / "a.png", (3, 12, 20, 23))
    with Image.open(masks / "b.png") as mask:
        smaller = mask.copy()
    ImageDraw.Draw(smaller).rectangle((0, 0, 31, 8), fill=0)
    smaller.save(masks / "b.png")
    with Image.open(masks / "c.png") as mask:
        ignored = mask.copy()
    ImageDraw.Draw(ignored).rectangle((0, 0, 31, 2), fill=255)
    ignored.save(masks / "c.png")
    for folder, suffix in ((images, ".jpg"), (masks, ".png")):
        val = folder.parent / "val"
        val.mkdir()
        (folder / f"c{suffix}").rename(val / f"c{suffix}")
        (val / f"twin{suffix}").write_bytes((folder / f"b{suffix}").read_bytes())
        (folder / f"d{suffix}").unlink()
    data = (images / "a.jpg").read_bytes()
    (images / "a.jpg").write_bytes(data[:2] + b"\xff\xfe\x00\x07hello" + data[2:])
    for seed, stem in enumerate(("new", "new2"), 98):
        write_image(images / f"{stem}.jpg", seed, SIZE)
        draw_mask(masks / f"{stem}.png")
    tags = root / f"registry/tags/{NAME}.csv"
    head, a, b, c, _ = tags.read_text().splitlines()
    assert [line.split(",")[1] for line in (a, b, c)] == ["a", "b", "c"]
    b = b.replace(",ski,single", ",ski;sea,single")
    new = [a.replace(",a,", ",new,"), c.replace(",c,", ",new2,")]
    val = [c.replace("train,", "val,"), b.replace("train,b,", "val,twin,")]
    tags.write_text("\n".join([head, a, b, *new, *val, ""]))
    dvc(root, "add", "--quiet", f"{DATA}/img_dir", f"{DATA}/ann_dir")
    scan_local(Catalog(root), NAME, no_progress)
    catalog = Catalog(root)
    for name, text in statistics_texts(*compute_statistics(catalog)).items():
        (catalog.paths.stats / name).write_text(text, "utf-8")


def draw_mask(path: Path, person: Sequence[int] = (10, 6, 20, 18)) -> None:
    """Draw a mask with a rectangular person."""
    mask = Image.new("L", SIZE)
    ImageDraw.Draw(mask).rectangle(tuple(person), fill=1)
    mask.save(path)
