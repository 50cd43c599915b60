"""For each rule on files, a change to a good delivery that breaks it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageCms, ImageDraw
from PIL.PngImagePlugin import PngInfo

Change = Callable[[Path], object]
"""Changes the delivery in a folder. --entry and --tags are the files entry.yaml and tags.csv beside
it, where a change writes them."""

SIZE = (160, 120)
IMAGE, MASK = Path("img_dir/train/a.jpg"), Path("ann_dir/train/a.png")
_TAGS_HEADER = "phase,stem,scenes,persons,boxes,source,origin\n"
_ENTRY = "splits:\n  - {scene: ski, file: ski.txt}\n  - {scene: total, file: total.txt}\n"
_ALL_SINGLE = "train,a,ski,single,,,\ntrain,b,ski,single,,,\n"


def picture(seed: int = 1) -> Image.Image:
    low = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    return Image.fromarray(low).resize(SIZE, Image.Resampling.BICUBIC)


def ellipse_mask(box: tuple[int, int, int, int] = (40, 20, 110, 100)) -> Image.Image:
    mask = Image.new("L", SIZE)
    ImageDraw.Draw(mask).ellipse(box, fill=1)
    return mask


def good_delivery(folder: Path) -> Path:
    """Write a delivery of two samples that breaks no rule."""
    for seed, stem in enumerate("ab"):
        for name, image in ((IMAGE, picture(seed)), (MASK, ellipse_mask())):
            path = (folder / name).with_stem(stem)
            path.parent.mkdir(parents=True, exist_ok=True)
            image.save(path, **({"quality": 92} if path.suffix == ".jpg" else {}))
    (folder / "split_dir").mkdir()
    for name in ("total.txt", "ski.txt"):
        (folder / "split_dir" / name).write_text("a\nb\n")
    return folder


def save_image(**options: object) -> Change:
    """Save the image with other options of its encoder."""
    return lambda folder: picture().save(folder / IMAGE, **options)  # type: ignore[arg-type]


def change_mask(change: Callable[[Image.Image], Image.Image]) -> Change:
    """Replace the mask by what ``change`` makes of it."""

    def apply(folder: Path) -> None:
        with Image.open(folder / MASK) as mask:
            mask.load()
            changed = change(mask)
        changed.save(folder / MASK)

    return apply


def save_mask(**options: object) -> Change:
    """Save the mask with other options of its encoder."""
    return lambda folder: ellipse_mask().save(folder / MASK, **options)  # type: ignore[arg-type]


def text_chunk(key: str, text: str) -> PngInfo:
    info = PngInfo()
    info.add_text(key, text)
    return info


def draw_on_mask(shape: str, *where: object, fill: int = 1) -> Change:
    def draw(mask: Image.Image) -> Image.Image:
        getattr(ImageDraw.Draw(mask), shape)(*where, fill=fill)
        return mask

    return change_mask(draw)


def replace_mask(make: Callable[[], Image.Image]) -> Change:
    return change_mask(lambda _: make())


def rename_sample(stem: str) -> Change:
    """Rename the sample "a", also in the split files."""

    def apply(folder: Path) -> None:
        for path in (IMAGE, MASK):
            (folder / path).rename((folder / path).with_name(stem + path.suffix))
        for file in (folder / "split_dir").iterdir():
            file.write_text(file.read_text().replace("a\n", f"{stem}\n"))

    return apply


def write_split_file(name: str, text: str) -> Change:
    return lambda folder: (folder / "split_dir" / name).write_text(text, newline="")


def write_tags(rows: str) -> Change:
    return lambda folder: (folder.parent / "tags.csv").write_text(_TAGS_HEADER + rows)


def remove(path: Path) -> Change:
    return lambda folder: (folder / path).unlink()


def both(*changes: Change) -> Change:
    return lambda folder: [change(folder) for change in changes]


def exif(*, orientation: int = 0, artist: str = "", gps: str = "") -> bytes:
    data = Image.Exif()
    if orientation:
        data[0x0112] = orientation
    if artist:
        data[0x013B] = artist
    if gps:
        data.get_ifd(0x8825)[1] = gps
    return data.tobytes()


def colour_profile(space: str) -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile(space)).tobytes()


def truncate_image(folder: Path) -> None:
    data = (folder / IMAGE).read_bytes()
    (folder / IMAGE).write_bytes(data[: len(data) // 2])


def append_to_image(folder: Path) -> None:
    with (folder / IMAGE).open("ab") as file:
        file.write(b"x" * 512)


def flatten_image(folder: Path) -> None:
    """Paint the area under the mask in one tone."""
    image = picture()
    ImageDraw.Draw(image).rectangle((30, 10, 120, 110), fill=(90, 90, 90))
    image.save(folder / IMAGE, quality=95)


def three_parts() -> Image.Image:
    mask = Image.new("L", SIZE)
    for left in (10, 60, 110):
        ImageDraw.Draw(mask).ellipse((left, 30, left + 40, 80), fill=1)
    return mask


def polygon() -> Image.Image:
    mask = Image.new("L", SIZE)
    ImageDraw.Draw(mask).polygon([(40, 20), (120, 40), (100, 100), (30, 80)], fill=1)
    return mask


def person_as(value: int) -> Callable[[Image.Image], Image.Image]:
    """Return a function that maps the person's value 1 to another one."""
    return lambda mask: mask.point([0, value, *[0] * 254])


BREAKS: dict[str, Change] = {
    "image-unreadable": truncate_image,
    "image-format": save_image(format="PNG"),
    "image-too-large": lambda f: Image.new("L", (9000, 9000)).save(f / IMAGE),
    "image-too-small": lambda f: Image.new("RGB", (7, 120)).save(f / IMAGE),
    "image-mode": lambda f: picture().convert("L").save(f / IMAGE),
    "image-orientation": save_image(exif=exif(orientation=6)),
    "image-gps": save_image(exif=exif(gps="N")),
    "image-personal": save_image(exif=exif(artist="Somebody")),
    "image-profile": save_image(icc_profile=colour_profile("LAB")),
    "image-frames": save_image(format="MPO", save_all=True, append_images=[picture(5)]),
    "image-metadata": save_image(exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff\x12\x01"),
    "image-trailing": append_to_image,
    "image-progressive": save_image(progressive=True),
    "size-differs": change_mask(lambda m: m.resize((80, 60))),
    "mask-mode": change_mask(lambda m: m.convert("P")),
    "mask-values": change_mask(person_as(15)),
    "mask-soft": change_mask(lambda m: person_as(250)(m).resize((20, 15)).resize(SIZE)),
    "mask-0-255": lambda f: [
        person_as(255)(ellipse_mask()).save((f / MASK).with_stem(stem)) for stem in "ab"
    ],
    "mask-metadata": save_mask(pnginfo=text_chunk("Author", "Somebody")),
    "mask-orientation": save_mask(exif=exif(orientation=6)),
    "mask-empty": replace_mask(lambda: Image.new("L", SIZE)),
    "mask-full": replace_mask(lambda: Image.new("L", SIZE, 1)),
    "mask-ignored": draw_on_mask("rectangle", (0, 0, 159, 60), fill=255),
    "mask-specks": draw_on_mask("point", (5, 5)),
    "mask-holes": draw_on_mask("point", (75, 60), fill=0),
    "mask-coarse": replace_mask(polygon),
    "mask-on-nothing": flatten_image,
    "mask-cut": replace_mask(lambda: ellipse_mask((-20, 20, 60, 100))),
    "stem-unsafe": rename_sample("con"),
    "name-dot": rename_sample("clip.v2"),
    "name-space": rename_sample("a (copy)"),
    "name-normal-form": rename_sample("cafe\u0301"),
    "name-windows": rename_sample("a:b"),
    "name-start": rename_sample("=a"),
    "name-invisible": rename_sample("a\u200bb"),
    "layout": lambda f: (f / "ann_dir").rename(f / "masks"),
    "stray-file": lambda f: (f / "notes.docx").write_text("x"),
    "junk-file": lambda f: (f / ".DS_Store").write_text("x"),
    "suffix": lambda f: (f / IMAGE).rename((f / IMAGE).with_suffix(".JPG")),
    "mask-missing": remove(MASK),
    "image-missing": remove(IMAGE),
    "split-encoding": write_split_file("ski.txt", "\ufeffa\nb\n"),
    "split-line-ends": write_split_file("ski.txt", "a\r\nb\r\n"),
    "split-blank-line": write_split_file("ski.txt", "a\n\nb\n"),
    "split-unsafe-line": write_split_file("ski.txt", "../a\nb\n"),
    "split-duplicate-line": write_split_file("ski.txt", "a\na\nb\n"),
    "split-unknown-stem": write_split_file("ski.txt", "a\nb\nc\n"),
    "split-incomplete": write_split_file("total.txt", "a\n"),
    "split-differs": write_tags("train,a,ski,,,,\ntrain,b,,,,,\n"),
    "split-name": write_split_file("skiing.txt", "a\n"),
    "unknown-split-file": write_split_file("skii.txt", "a\n"),
    "no-scene": write_split_file("ski.txt", "a\n"),
    "person-small": replace_mask(lambda: ellipse_mask((40, 20, 50, 30))),
    "persons-untold": both(
        write_tags(_ALL_SINGLE), lambda f: (f.parent / "entry.yaml").write_text(_ENTRY)
    ),
    "person-scattered": both(write_tags(_ALL_SINGLE), replace_mask(three_parts)),
    "crop-multi": write_tags("train,a,ski,multi,1,x,0 0 9 9\ntrain,b,ski,,1,y,0 0 9 9\n"),
    "crop-boxes": write_tags("train,a,ski,,,x,0 0 9 9\ntrain,b,ski,,1,y,0 0 9 9\n"),
    "crop-origin": write_tags("train,a,ski,,1,x,\ntrain,b,ski,,1,y,0 0 9 9\n"),
    "crop-overlap": write_tags("train,a,ski,,1,x,0 0 90 90\ntrain,b,ski,,1,x,40 40 99 99\n"),
}
"""By code. Rules of deliveries that need more than one change are tested in tests/delivery."""
