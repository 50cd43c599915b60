"""Measurements: damage is detected, sums are exact, hashes follow the published algorithms."""

import io
import itertools
import math
import warnings
from collections.abc import Callable
from functools import partial

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps

from sceneset.catalog.scan_table import table_from_rows
from sceneset.errors import UndecodableError
from sceneset.imaging.decode import decode_image, decode_mask
from sceneset.imaging.facts import hash_pil_image, measure_image, measure_mask, pair_findings
from sceneset.rules.sample_rules import sample_findings
from sceneset.scanning.measure_sample import Pair, measure_in_threads, measure_pair
from sceneset.schemas.params import Limits, Params
from sceneset.schemas.terms import Phase
from support.build import SHARED, needs_shared
from support.images import encoded, jpeg, noise, png_chunk

LIMITS = Limits()


def smooth(seed: int) -> Image.Image:
    """Draw an image of a few soft shapes: like photos, with mostly low frequencies."""
    return Image.fromarray(noise((9, 7), seed)).resize((180, 140), Image.Resampling.BICUBIC)


def code_of(read: Callable[[], object]) -> str:
    with pytest.raises(UndecodableError) as caught:
        read()
    assert caught.value.message
    return caught.value.code


@pytest.mark.parametrize("share", [0.01, 0.5, 0.9, 0.99, 1])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}])
def test_measure_image_refuses_a_truncated_jpeg(share, options):
    data = jpeg(**options)
    cut = data[: int((len(data) - 2) * share)]  # share 1: only the end marker is missing
    assert code_of(lambda: measure_image(cut, ".jpg", LIMITS)) == "image-unreadable"


@pytest.mark.parametrize("mode", ["RGB", "CMYK"])
def test_measure_image_refuses_a_jpeg_when_bytes_are_missing_inside(mode):
    for seed in range(10):
        image = Image.fromarray(noise((200, 150), seed)).convert(mode)
        data = encoded(image, "JPEG", quality=90)
        assert measure_image(data, ".jpg", LIMITS).mode == mode
        middle = len(data) // 2
        damaged = data[:middle] + data[middle + 512 :]
        read = code_of(lambda damaged=damaged: measure_image(damaged, ".jpg", LIMITS))
        assert read == "image-unreadable"


def test_measure_mask_refuses_a_png_when_any_bit_is_flipped():
    data = encoded(Image.fromarray(noise((16, 16), channels=1) % 2), "PNG")
    for place in range(8, len(data)):
        damaged = data[:place] + bytes([data[place] ^ 0x10]) + data[place + 1 :]
        with pytest.raises(UndecodableError):
            measure_mask(damaged, LIMITS)


@pytest.mark.parametrize("end", [-1, -4, -12, -30])
def test_measure_mask_refuses_a_truncated_png(end):
    data = encoded(Image.fromarray(noise(channels=1)), "PNG")
    assert code_of(lambda: measure_mask(data[:end], LIMITS)) == "image-unreadable"


@pytest.mark.parametrize(
    ("kind", "bodies"),
    [
        pytest.param(b"cICP", [b"\2\2\0\1"], id="unspecified colours"),
        pytest.param(b"cICP", [b"\1\x0d\1\1"], id="a matrix of video"),
        pytest.param(b"cICP", [b"\1\x0d\0\2"], id="an unknown range"),
        pytest.param(b"PLTE", [b"rgb", b"rgb"], id="two suggested palettes"),
    ],
)
def test_a_png_with_chunks_that_readers_skip_is_measured(kind, bodies):
    pixels = noise()
    plain = encoded(Image.fromarray(pixels), "PNG")
    odd = plain[:33] + b"".join(png_chunk(kind, body) for body in bodies) + plain[33:]
    shown = cv2.imdecode(np.frombuffer(odd, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    assert np.array_equal(shown, pixels)
    facts = measure_image(odd, ".png", LIMITS)
    assert facts.sums == tuple(pixels.sum((0, 1), dtype=np.int64))
    cut = odd[:-400] + odd[-12:]
    assert code_of(lambda: measure_image(cut, ".png", LIMITS)) == "image-unreadable"


@pytest.mark.parametrize("length", [5, 5000, 0xFFFFFFFF])
@pytest.mark.parametrize("is_mask", [True, False])
def test_a_png_whose_end_chunk_has_another_length_is_refused(length, is_mask):
    data = encoded(Image.fromarray(noise(channels=1) % 2), "PNG")
    end = data[-12:]
    for tail in (end, b"abcde" + end, bytes(6000) + end):
        odd = data[:-12] + length.to_bytes(4) + b"IEND" + tail
        read = partial(measure_mask, odd, LIMITS)
        if not is_mask:
            read = partial(measure_image, odd, ".png", LIMITS)
        assert code_of(read) == "image-unreadable"


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        pytest.param("P", "palette", id="palette"),
        pytest.param("1", "1-bit", id="1 bit"),
        pytest.param("I;16", "16 bits", id="16 bits"),
        pytest.param("RGB", "RGB", id="RGB"),
        pytest.param("RGBA", "alpha", id="RGBA"),
        pytest.param("LA", "alpha", id="gray with alpha"),
    ],
)
def test_measure_mask_refuses_modes_that_readers_interpret_differently(mode, words):
    data = encoded(Image.new(mode, (8, 8)), "PNG")
    with pytest.raises(UndecodableError, match=words) as caught:
        measure_mask(data, LIMITS)
    assert caught.value.code == "mask-mode"


@pytest.mark.parametrize("mode", ["L", "CMYK", "RGB"])
def test_measure_image_equals_pillow_for_every_jpeg_mode(mode):
    data = encoded(Image.fromarray(noise()).convert(mode), "JPEG", quality=95)
    facts = measure_image(data, ".jpg", LIMITS)
    with Image.open(io.BytesIO(data)) as image:
        pixels = np.asarray(image.convert("RGB"), np.int64)
    assert facts.mode == mode
    assert facts.sums == tuple(pixels.sum((0, 1)))
    assert facts.squares == tuple((pixels**2).sum((0, 1)))


@pytest.mark.parametrize("mode", ["P", "RGBA", "1", "L"])
def test_measure_image_accepts_every_8_bit_png_mode(mode):
    facts = measure_image(encoded(Image.new(mode, (8, 8)), "PNG"), ".png", LIMITS)
    assert (facts.mode, facts.sums) == (mode, (0, 0, 0))


def test_measure_image_refuses_gray_of_16_bits():
    deep = Image.fromarray(np.full((8, 8), 40_000, np.uint16))
    assert code_of(lambda: measure_image(encoded(deep, "PNG"), ".png", LIMITS)) == "image-format"


@pytest.mark.parametrize(
    ("data", "suffix", "code"),
    [
        pytest.param(b"", ".jpg", "image-unreadable", id="empty"),
        pytest.param(b"text", ".jpg", "image-format", id="text"),
        pytest.param(jpeg(), ".png", "image-format", id="JPEG named .png"),
        pytest.param(encoded(smooth(0), "PNG"), ".jpg", "image-format", id="PNG named .jpg"),
        pytest.param(encoded(smooth(0), "WEBP"), ".jpg", "image-format", id="WebP named .jpg"),
        pytest.param(b"version https://git-lfs.github.com/spec/v1\n", ".jpg", "image-format",
                     id="Git LFS pointer"),
        pytest.param(b"\xff\xd8\xff", ".jpg", "image-unreadable", id="three bytes"),
        pytest.param(b"\x89PNG\r\n\x1a\n", ".png", "image-unreadable", id="eight bytes"),
    ],
)  # fmt: skip
def test_measure_image_refuses_a_file_when_its_content_does_not_fit_its_suffix(data, suffix, code):
    assert code_of(lambda: measure_image(data, suffix, LIMITS)) == code


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_measure_image_does_not_decode_an_image_when_it_exceeds_a_limit(kind, monkeypatch):
    data = encoded(Image.new("L", (1000, 1000)), kind)
    monkeypatch.setattr(Image.Image, "load", None)  # decoding would call it
    monkeypatch.setattr("simplejpeg.decode_jpeg", None)
    small = Limits(max_pixels=999_999)
    suffix = {"JPEG": ".jpg", "PNG": ".png"}[kind]
    assert code_of(lambda: measure_image(data, suffix, small)) == "image-too-large"
    few = Limits(max_bytes=100)
    assert code_of(lambda: measure_image(data, suffix, few)) == "image-too-large"


def boxes(image: Image.Image) -> np.ndarray:
    """Return the mean brightness of 64 x 64 boxes, computed in floats."""
    pixels = np.asarray(image, float) @ (0.299, 0.587, 0.114)
    rows, columns = ([round_half_up(n * side / 64) for n in range(65)] for side in pixels.shape)
    means = [
        [pixels[top:bottom, left:right].mean() for left, right in itertools.pairwise(columns)]
        for top, bottom in itertools.pairwise(rows)
    ]
    return np.array(means)


def round_half_up(value: float) -> int:
    return math.floor(value + 0.5)


def reference_phash(image: Image.Image) -> tuple[int, int]:
    """Return ImageHash's phash computed in floats, and a mask of the bits near the median."""
    low = dct(boxes(image))[:8, :8]
    bits = int("".join(str(int(v)) for v in (low > np.median(low)).flat), 2)
    ties = int("".join(str(int(v)) for v in (abs(low - np.median(low)) < 0.5).flat), 2)
    return bits, ties


def dct(pixels: np.ndarray) -> np.ndarray:
    rows, places = np.meshgrid(np.arange(64), np.arange(64), indexing="ij")
    basis = 2 * np.cos(np.pi * rows * (2 * places + 1) / 128)
    return basis @ pixels @ basis.T


def test_phash_equals_the_imagehash_algorithm():
    for seed in range(60):
        image = smooth(seed)
        bits, ties = reference_phash(image)
        assert (hash_pil_image(image).phash ^ bits) & ~ties == 0


def test_pdq_equals_the_published_algorithm():
    for seed in range(30):
        image = smooth(seed)
        wide = dct(boxes(image))[1:17, 1:17][::-1, ::-1]
        near = abs(wide - np.median(wide)) < 0.5
        bits = np.packbits(wide > np.median(wide)).tobytes()
        differing = int.from_bytes(bits) ^ hash_pil_image(image).pdq
        assert differing & ~int.from_bytes(np.packbits(near).tobytes()) == 0


@pytest.mark.parametrize("size", [(8, 8), (9, 200), (63, 64), (64, 64), (1000, 20), (70, 1300)])
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_hashes_do_not_depend_on_the_mode_for_any_size(size, mode):
    image = smooth(3).resize(size).convert(mode)
    found = hash_pil_image(image)
    assert found == hash_pil_image(image.convert("RGB"))
    assert found.phash
    assert found.pdq


def test_sums_and_hashes_are_exact_when_sums_exceed_32_bits():
    white = np.full((4200, 4200), 255, np.uint8)
    white[:2100] = 254
    facts = measure_image(encoded(Image.fromarray(white), "PNG"), ".png", LIMITS)
    half = 2100 * 4200
    assert facts.sums == (half * 509,) * 3
    assert facts.squares == (half * (254**2 + 255**2),) * 3
    small = Image.fromarray(white[::60, ::60])
    assert (facts.hashes.phash ^ hash_pil_image(small).phash).bit_count() <= 2


def test_sums_equal_numpy_for_random_images():
    for seed in range(40):
        random = np.random.default_rng(seed)
        width, height = random.integers(8, 300, 2)
        data = encoded(Image.fromarray(noise((width, height), seed)), "JPEG", quality=95)
        facts = measure_image(data, ".jpg", LIMITS)
        with Image.open(io.BytesIO(data)) as image:
            pixels = np.asarray(image, np.int64)
        assert facts.sums == tuple(pixels.sum((0, 1)))
        assert facts.squares == tuple((pixels**2).sum((0, 1)))


def test_mirror_hash_equals_the_hash_of_the_mirrored_image():
    distances = []
    for seed in range(60):
        image = smooth(seed)
        mirrored = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        distances.append(
            (hash_pil_image(image).mirror ^ hash_pil_image(mirrored).phash).bit_count()
        )
    # Box borders are rounded to whole pixels, so a mirrored image has slightly different boxes and
    # bits near the median may differ.
    assert max(distances) <= 2
    assert distances.count(0) >= 40


def test_hashes_of_the_turned_image_equal_those_of_turning_its_pixels():
    distances = {turn: [] for turn in range(1, 9)}
    for seed in range(40):
        image = smooth(seed)
        hashes = hash_pil_image(image).orientations
        for turn, hashed in zip(distances, hashes, strict=True):
            shown = hash_pil_image(shown_as(image, turn)).phash
            distances[turn].append((hashed ^ shown).bit_count())
    assert distances[1] == [0] * 40
    # Box borders are rounded to whole pixels, so bits near the median may differ.
    assert max(max(found) for found in distances.values()) <= 4
    assert all(found.count(0) >= 20 for found in distances.values())


def shown_as(image: Image.Image, orientation: int) -> Image.Image:
    """Return an image as viewers show it that obey an EXIF orientation."""
    exif = image.getexif()
    exif[0x0112] = orientation
    return ImageOps.exif_transpose(image)


@pytest.mark.parametrize("options", [{}, {"compress_level": 0}, {"optimize": True}])
def test_fast_png_decoder_of_images_returns_exact_pixels(options):
    for seed in range(6):
        values = noise((70 + seed, 33), seed)
        values[10:20] = values[9]
        plain = encoded(Image.fromarray(values), "PNG", **options)
        filtered = cv2.imencode(".png", values[:, :, ::-1])[1].tobytes()
        for data in (plain, filtered):
            assert np.array_equal(decode_image(data, ".png", LIMITS).pixels, values)


@pytest.mark.parametrize("options", [{}, {"compress_level": 0}, {"optimize": True}])
def test_fast_png_decoder_of_masks_returns_exact_values(options):
    for seed in range(6):
        values = noise((70 + seed, 33), seed, 1) % 3
        values[values == 2] = 255
        for filtered in range(2):
            data = encoded(Image.fromarray(values), "PNG", **options)
            if filtered:
                data = cv2.imencode(".png", values)[1].tobytes()
            assert np.array_equal(decode_mask(data, LIMITS), values)


@needs_shared
def test_fast_png_decoder_equals_pillow_for_real_masks():
    masks = sorted((SHARED / "data").rglob("*.png"))
    read = 0
    for path in masks[:: max(1, len(masks) // 200)]:
        data = path.read_bytes()
        try:
            found = decode_mask(data, LIMITS)
        except UndecodableError:
            continue
        with Image.open(path) as mask:
            assert np.array_equal(found, np.asarray(mask)), path
        read += 1
    assert read > 20


def test_measure_mask_counts_values_and_finds_the_box():
    values = np.zeros((10, 20), np.uint8)
    values[2:5, 3:9] = 1
    values[0] = 255
    values[9, 0], values[9, 1] = 7, 2
    facts = measure_mask(encoded(Image.fromarray(values), "PNG"), LIMITS)
    assert (facts.person, facts.ignore, facts.other) == (18, 20, (2, 7))
    values[9] = 0
    facts = measure_mask(encoded(Image.fromarray(values), "PNG"), LIMITS)
    assert facts.box == (3, 2, 9, 5), "ignored pixels are not in the box"


def test_orientation_is_reported_and_not_applied(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "a.jpg").write_bytes(jpeg(exif=exif))
    (tmp_path / "a.png").write_bytes(encoded(Image.new("L", (200, 150)), "PNG"))
    pair = Pair(Phase.TRAIN, "a", tmp_path / "a.jpg", tmp_path / "a.png", tmp_path)
    found = measure_pair(pair, LIMITS)
    assert (found.row.width, found.row.height, found.row.orientation) == (200, 150, 6)
    assert found.findings == ()
    findings = sample_findings(table_from_rows([found.row], 1), Params(), folder="x/")
    assert [(p.code, p.file, p.stem) for p in findings] == [
        ("image-orientation", "x/img_dir/train/a.jpg", "a"),
        ("mask-empty", "x/ann_dir/train/a.png", "a"),
    ]
    known = {(found.row.image_md5, found.row.mask_md5, ".jpg"): found.row}
    again = pair._replace(stem="b", md5=(found.row.image_md5, found.row.mask_md5))
    [kept] = measure_in_threads([again], LIMITS, known=known)
    assert kept.row == found.row.model_copy(update={"stem": "b"})


def test_measured_pairs_keep_their_order_with_any_number_of_workers(tmp_path):
    pairs = []
    for n in range(6):
        (tmp_path / f"{n}.jpg").write_bytes(jpeg(n) if n != 3 else b"")
        (tmp_path / f"{n}.png").write_bytes(encoded(Image.new("L", (200, 150), 1), "PNG"))
        files = (tmp_path / f"{n}.jpg", tmp_path / f"{n}.png")
        pairs.append(Pair(Phase.TRAIN, str(n), *files, tmp_path))
    for workers in (1, 3):
        found = list(measure_in_threads(pairs, LIMITS, workers=workers))
        assert [m.pair.stem for m in found] == list("012345")
        assert [m.row is None for m in found] == [n == 3 for n in range(6)]


@needs_shared
def test_hostile_files_are_measured_or_refused():
    paths = (SHARED / "data/hostile").rglob("*")
    files = [path for path in paths if path.is_file() and path.suffix != ".md"]
    messages = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as in measure_in_threads
        for path in files:
            suffix = path.suffix if path.suffix in {".jpg", ".png"} else ".jpg"
            for read in (partial(measure_image, suffix=suffix), measure_mask):
                try:
                    read(path.read_bytes(), limits=LIMITS)
                except UndecodableError as error:
                    messages.append(f"{path.name}: {error.message}")
    assert not [message for message in messages if "\n" in message]
    assert len(files) < len(messages) < 2 * len(files)


@pytest.mark.parametrize(
    ("size", "small"),
    [
        ((1024, 512), (256, 128)),
        ((300, 4000), (19, 256)),
        ((40, 30), (40, 30)),
        ((4000, 8), (256, 1)),
    ],
)
@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_thumbnail_is_a_reduced_copy_of_the_image(
    size: tuple[int, int], small: tuple[int, int], mode: str
) -> None:
    image = Image.linear_gradient("L").resize(size).convert(mode)
    facts = measure_image(encoded(image, "PNG"), ".png", Limits(min_side=1), thumbnail=True)
    thumbnail = Image.open(io.BytesIO(facts.thumbnail))
    assert (thumbnail.mode, thumbnail.size) == (mode, small)
    expected = image.resize(small, Image.Resampling.BOX)
    assert np.abs(np.asarray(thumbnail, int) - np.asarray(expected, int)).max() < 8
    assert not measure_image(encoded(image, "PNG"), ".png", Limits(min_side=1)).thumbnail


@pytest.mark.parametrize(("orientation", "size", "is_fixable"), [
    (6, (32, 24), True), (3, (32, 24), False), (1, (32, 24), False), (6, (32, 25), False),
])  # fmt: skip
def test_size_of_a_mask_of_the_picture_as_shown_is_reported_as_fixable(
    orientation, size, is_fixable
):
    exif = Image.Exif()
    exif[0x112] = orientation
    limits = Limits()
    image = encoded(Image.fromarray(noise((24, 32))), "JPEG", exif=exif)
    mask = encoded(Image.new("L", size, 1), "PNG")
    facts = measure_image(image, ".jpg", limits)
    [found] = pair_findings(facts, measure_mask(mask, limits))
    assert found.code == "size-differs"
    assert ("sceneset fix" in found.hint) is is_fixable
    assert (f"EXIF orientation {orientation} " in found.message) is is_fixable
