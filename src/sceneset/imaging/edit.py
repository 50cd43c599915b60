"""Edit image files where the result is unambiguous: bytes in, bytes out.

Every function raises ValueError with the reason where an edit is not possible. Metadata is removed
without re-encoding the pixels. Damaged files are refused, because re-encoding would hide the
damage.
"""

import io
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import ExifTags, Image, ImageOps
from PIL.JpegImagePlugin import JpegImageFile, get_sampling

from sceneset.imaging.exif_tags import kept_tags
from sceneset.imaging.kept_parts import COLOUR_CHUNKS, JPEG_SIGNATURE, PNG_SIGNATURE, kept_file
from sceneset.imaging.metadata import load_late_metadata, orientation_of, says_adobe_rgb
from sceneset.imaging.segments import png_chunks
from sceneset.imaging.strict_jpeg import check_scans, decode_strictly
from sceneset.schemas.names import composed, invalid_stem_reason

_INVISIBLE = r"\0-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ud800-\udfff"
_UNSHOWN = "\u180e\ufff9-\ufffb\U000e0000-\U000e007f"
_UNSAFE = re.compile(rf'[<>:"|?*\\/.\s{_INVISIBLE}{_UNSHOWN}]')
_MAX_STEM = 200  # bytes
_FORMULA_START = "=+@-"  # spreadsheets and shells read more than a name


@contextmanager
def _only_value_errors() -> Iterator[None]:
    """Turn every exception of a decoder into a ValueError."""
    try:
        yield
    except ValueError:
        raise
    except Exception as error:  # decoders raise exceptions of many types
        raise ValueError(f"does not decode: {type(error).__name__}") from error


def open_image(data: bytes) -> Image.Image:
    """Open a JPEG or PNG file with Pillow, without decoding its pixels.

    Raises:
        OSError: The data is not a JPEG or PNG, or its header is damaged.
    """
    try:
        return Image.open(io.BytesIO(data), formats=["JPEG", "PNG"])
    except Exception as error:  # decoders raise exceptions of many types
        raise OSError from error


def has_16_bits(data: bytes) -> bool:
    """Return whether a file is a PNG of 16 bits per channel."""
    return data.startswith(PNG_SIGNATURE) and data[24:25] == b"\x10"


@_only_value_errors()
def strip_personal_data(data: bytes) -> bytes:
    """Return a JPEG or PNG without personal data; the encoded pixels stay byte for byte the same.

    Kept are only colour profiles, what decoders need, the orientation tag, and the statement that
    colours are those of Adobe RGB. Bytes after the end of the image are removed too: they may be a
    second image or the rest of a cropped one.
    """
    return _with_kept_tags(kept_file(data), data)


@_only_value_errors()
def orient_image(data: bytes, orientation: int) -> bytes:
    """Return an image with its pixels rotated or flipped as an EXIF orientation says.

    The result has no orientation tag and no personal data.
    """
    clean = kept_file(data)
    if orientation != 1:
        clean = _encoded(*_decoded(clean, orientation), clean, transposed=orientation >= 5)
    return _with_kept_tags(clean, data, orientation=1)


@_only_value_errors()
def orient_mask(data: bytes, orientation: int) -> bytes:
    """Return an 8-bit gray PNG mask rotated or flipped as an EXIF orientation says."""
    return _saved(_decoded_mask(data, orientation), "PNG", compress_level=9)


@_only_value_errors()
def convert_to_rgb(data: bytes) -> bytes:
    """Return a gray, palette or opaque alpha image as RGB with the same appearance."""
    clean = kept_file(data)
    source, image = _decoded(clean)
    if image.mode == "RGB" and "transparency" not in image.info:
        return _with_kept_tags(clean, data)
    if image.mode not in {"1", "L", "LA", "P", "RGB", "RGBA"}:
        raise ValueError(f"is {image.mode}, which can be converted to RGB in more than one way")
    rgba = image.convert("RGBA")
    if any(rgba.getchannel("A").histogram()[:255]):
        raise ValueError("is transparent in places: a person must choose the background")
    return _with_kept_tags(_encoded(source, rgba.convert("RGB"), clean), data)


@_only_value_errors()
def map_255_to_1(data: bytes) -> bytes:
    """Return a mask with the values 0 and 255 as a mask with the values 0 and 1.

    An orientation tag is kept.
    """
    mask = _decoded_mask(data)
    other = [str(value) for value, n in enumerate(mask.histogram()) if n and 0 < value < 255]
    if other:
        raise ValueError(f"holds more than 0 and 255: {', '.join(other[:8])}")
    mapped = mask.point([value // 255 for value in range(256)])
    return _with_kept_tags(_saved(mapped, "PNG", compress_level=9), data)


def clean_stem(stem: str) -> str:
    """Return a stem that is safe for readers, shells and file systems; letters are kept.

    Unsafe characters are removed at both ends and replaced by ``_`` elsewhere. A safe stem is
    returned unchanged.
    """
    marked = _UNSAFE.sub("\0", composed(stem))
    marked = marked.lstrip(f"\0{_FORMULA_START}").rstrip("\0")
    text = marked.replace("\0", "_").encode()[:_MAX_STEM].decode(errors="ignore")
    if not text:
        raise ValueError(f"{stem!r} has no characters that a file name can use")
    return (
        f"{text}_" if invalid_stem_reason(text) else text
    )  # the only fault left: a Windows device name


def _with_kept_tags(clean: bytes, source: bytes, orientation: int | None = None) -> bytes:
    """Insert an EXIF block with the tags of the source that are kept, if it has any.

    Args:
        clean: A file without EXIF.
        source: The file that it was made from.
        orientation: The orientation, if it is not that of the source.
    """
    if orientation is None:
        orientation = _orientation(source)
    has_profile = "icc_profile" in open_image(clean).info  # it says more than EXIF
    tiff = kept_tags(orientation, adobe_rgb=not has_profile and says_adobe_rgb(source))
    if not tiff:
        return clean
    if clean.startswith(PNG_SIGNATURE):
        start, body = 33, b"eXIf" + tiff  # after IHDR
        tag = len(tiff).to_bytes(4) + body + zlib.crc32(body).to_bytes(4)
    else:
        start = 20 if clean[2:4] == b"\xff\xe0" else 2  # after JFIF
        tag = b"\xff\xe1" + (len(tiff) + 8).to_bytes(2) + b"Exif\0\0" + tiff
    return clean[:start] + tag + clean[start:]


def _orientation(data: bytes) -> int:
    """Return the orientation from EXIF, XMP or a PNG's text, as ``metadata.orientation_of``."""
    file = io.BytesIO(data)  # Image.open() would parse every image of a multi-picture JPEG
    is_jpeg = data.startswith(JPEG_SIGNATURE)
    opened = JpegImageFile(file) if is_jpeg else Image.open(file, formats=["PNG"])
    load_late_metadata(opened, data)
    return orientation_of(opened)


def _decoded(clean: bytes, orientation: int = 1) -> tuple[Image.Image, Image.Image]:
    """Return an image as opened, and strictly decoded and oriented.

    Raises:
        ValueError: The file is damaged, or can't be encoded again in its own format.
    """
    if not 1 <= orientation <= 8:
        raise ValueError(f"{orientation} is not an EXIF orientation, which are 1 to 8")
    opened = Image.open(io.BytesIO(clean), formats=["JPEG", "PNG"])
    image: Image.Image = opened
    if isinstance(opened, JpegImageFile):
        if opened.mode not in {"L", "RGB"}:
            raise ValueError(f"is a JPEG of mode {opened.mode}, not gray or RGB")
        check_scans(clean, opened.width * opened.height)
        array = decode_strictly(clean, opened.mode)
        if array is not None:
            image = Image.fromarray(array)
    elif (has_16_bits(clean) and opened.mode != "I;16") or getattr(opened, "is_animated", False):
        raise ValueError("has 16 bits a channel or is animated, which would be lost")
    image.load()
    image.getexif()[ExifTags.Base.Orientation] = orientation
    return opened, ImageOps.exif_transpose(image)


def _decoded_mask(data: bytes, orientation: int = 1) -> Image.Image:
    clean = kept_file(data)
    if not clean.startswith(PNG_SIGNATURE) or clean[24:26] != b"\x08\0":
        raise ValueError("is not a PNG of one 8-bit channel")
    mask = _decoded(clean, orientation)[1]
    mask.info.clear()
    return mask


def _encoded(
    source: Image.Image, image: Image.Image, clean: bytes, *, transposed: bool = False
) -> bytes:
    """Encode an image with the format, quality and colour profile of its source.

    Args:
        source: The source as opened.
        image: The pixels to encode.
        clean: The file of the source, without personal data.
        transposed: Whether rows became columns.
    """
    icc = source.info.get("icc_profile") or b""
    if icc[16:20] == b"GRAY" and image.mode == "RGB":  # a gray profile is invalid for RGB
        icc = b""
    if not isinstance(source, JpegImageFile):
        png = _saved(image, "PNG", icc_profile=None)
        kept = COLOUR_CHUNKS if icc else COLOUR_CHUNKS - {b"iCCP"}
        colour = [clean[start:end] for kind, start, end in png_chunks(clean) if kind in kept]
        return png[:33] + b"".join(colour) + png[33:]
    tables = [source.quantization[n] for n in dict.fromkeys(layer[3] for layer in source.layer)]
    if transposed:
        tables = [[table[i % 8 * 8 + i // 8] for i in range(64)] for table in tables]
    # Pillow can't write 4:4:0, the transpose of 4:2:2: use 4:4:4, which loses nothing.
    sampling = {2: 2, 1: 0 if transposed else 1}.get(get_sampling(source), 0)
    settings = {"qtables": tables, "subsampling": sampling, "icc_profile": icc}
    return _saved(image, "JPEG", progressive="progressive" in source.info, **settings)


def _saved(image: Image.Image, kind: str, **settings: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **settings)
    return out.getvalue()
