"""Mending what has one right answer: bytes in, bytes out; ValueError says why it can't be mended.

Metadata goes without coding a picture anew. Damage is refused, never made to look whole.
"""

import io
import re
import unicodedata
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import simplejpeg
from PIL import ExifTags, Image, ImageOps
from PIL.JpegImagePlugin import JpegImageFile, get_sampling

from sceneset.imaging.segments import jpeg_segments, png_chunks
from sceneset.schemas.names import stem_fault

_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"
_COLOUR = set(b"cHRM gAMA sRGB iCCP cICP mDCV cLLI".split())
_CHUNKS = _COLOUR | set(b"tRNS sBIT bKGD hIST pHYs acTL fcTL fdAT".split())
_KEPT = re.compile(rb"\xff([\x01-\xdf\xf0-\xfd]|\xe2..ICC_PROFILE\0|\xee..Adobe)", re.DOTALL)
_UNSEEN = r"\0-\x1f\x7f-\x9f\xad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ud800-\udfff"
_UNSAFE = re.compile(rf'[<>:"|?*\\/.\s{_UNSEEN}]')


@contextmanager
def _refusing() -> Iterator[None]:
    """Let nothing but ValueError out."""
    try:
        yield
    except ValueError:
        raise
    except Exception as error:  # decoders raise anything
        raise ValueError(f"does not decode: {type(error).__name__}") from error


@_refusing()
def without_personal(data: bytes) -> bytes:
    """Return a JPEG or PNG with its coded picture byte for byte, and nothing about people.

    What stays is listed, all else goes: colour profiles, what decoders need, and an orientation
    that turns the picture. Bytes behind the picture's end go too: second pictures, rests of crops.
    """
    return _tagged(_cleaned(data), _orientation(data))


@_refusing()
def upright(data: bytes, orientation: int) -> bytes:
    """Return an image turned as EXIF's ``orientation`` says, without the tag and personal data."""
    clean = _cleaned(data)
    if orientation == 1:
        return clean
    return _coded(*_decoded(clean, orientation), clean, side=orientation >= 5)


@_refusing()
def upright_mask(data: bytes, orientation: int) -> bytes:
    """Return an 8-bit gray PNG mask turned as EXIF's ``orientation`` says, its values untouched."""
    return _saved(_mask(data, orientation), "PNG", compress_level=9)


@_refusing()
def as_rgb(data: bytes) -> bytes:
    """Return a gray picture, or an opaque one with palette or alpha, as RGB that shows the same."""
    clean, orientation = _cleaned(data), _orientation(data)
    source, picture = _decoded(clean)
    if picture.mode == "RGB" and "transparency" not in picture.info:
        return _tagged(clean, orientation)
    if picture.mode not in {"1", "L", "LA", "P", "RGB", "RGBA"}:
        raise ValueError(f"is {picture.mode}: RGB can be made of it in more than one way")
    shown = picture.convert("RGBA")
    if any(shown.getchannel("A").histogram()[:255]):
        raise ValueError("is transparent in places: what shows through is for people to say")
    return _tagged(_coded(source, shown.convert("RGB"), clean), orientation)


@_refusing()
def person_is_one(data: bytes) -> bytes:
    """Return a mask of 0 and 255 as one of 0 and 1."""
    mask = _mask(data)
    other = [str(value) for value, n in enumerate(mask.histogram()) if n and 0 < value < 255]
    if other:
        raise ValueError(f"holds more than 0 and 255: {', '.join(other[:8])}")
    return _saved(mask.point([value // 255 for value in range(256)]), "PNG", compress_level=9)


def clean_stem(stem: str) -> str:
    """Return a stem without what readers, shells and file systems trip over; letters stay.

    Unsafe characters at the ends go, within they become ``_``. A clean stem stays as it is.
    """
    marked = _UNSAFE.sub("\0", unicodedata.normalize("NFC", stem)).strip("\0")
    text = marked.replace("\0", "_").encode()[:200].decode(errors="ignore")
    if not text:
        raise ValueError(f"{stem!r} holds nothing to make a name of")
    return f"{text}_" if stem_fault(text) else text  # by now only Windows' devices are at fault


def _cleaned(data: bytes) -> bytes:
    """Return what is kept of a JPEG or PNG; its orientation goes too."""
    if data.startswith(_PNG):
        return _PNG + b"".join(_chunks(data))
    if data.startswith(_JPEG):
        return data[:2] + b"".join(_segments(data))
    raise ValueError("is no JPEG or PNG")


def _chunks(data: bytes) -> Iterator[bytes]:
    """Yield each chunk that is kept."""
    for kind, at, end in png_chunks(data):
        if kind in _CHUNKS or not kind[0] & 0x20:  # PNG marks so what no reader may skip
            yield data[at:end]


def _segments(data: bytes) -> Iterator[bytes]:
    """Yield each segment that is kept, with the scan behind it."""
    for marker, at, body, end in jpeg_segments(data):
        if marker == 0xE0 and data.startswith(b"JFIF\0", body) and end >= body + 14:
            yield b"\xff\xe0\0\x10" + data[body : body + 12] + b"\0\0"  # a thumbnail of 0 x 0
        elif _KEPT.match(data, body - 4):
            yield data[at:end]


def _tagged(clean: bytes, orientation: int) -> bytes:
    """Put in the tag that turns a picture, if it is to be turned."""
    if orientation == 1:
        return clean
    tiff = b"MM\0*\0\0\0\x08\0\1\1\x12\0\3\0\0\0\1\0" + bytes([orientation]) + bytes(6)
    if clean.startswith(_PNG):
        at, body = 33, b"eXIf" + tiff
        tag = len(tiff).to_bytes(4) + body + zlib.crc32(body).to_bytes(4)
    else:
        at = 20 if clean[2:4] == b"\xff\xe0" else 2
        tag = b"\xff\xe1" + (len(tiff) + 8).to_bytes(2) + b"Exif\0\0" + tiff
    return clean[:at] + tag + clean[at:]


def _orientation(data: bytes) -> int:
    """Return what pixels.py finds too, be it in EXIF, in XMP or in a PNG's text."""
    file = io.BytesIO(data)  # of many pictures, Pillow's open() looks at all
    opened = JpegImageFile(file) if data.startswith(_JPEG) else Image.open(file, formats=["PNG"])
    try:
        value = int(opened.getexif().get(ExifTags.Base.Orientation, 1))
        return value if 1 <= value <= 8 else 1
    except Exception:  # noqa: BLE001 - broken metadata raises anything and turns nothing
        return 1


def _decoded(clean: bytes, orientation: int = 1) -> tuple[Image.Image, Image.Image]:
    """Return a picture as opened, and strictly decoded and turned, if it can be coded again."""
    if not 1 <= orientation <= 8:
        raise ValueError(f"{orientation} is no orientation of EXIF's, which are 1 to 8")
    opened = Image.open(io.BytesIO(clean), formats=["JPEG", "PNG"])
    picture: Image.Image = opened
    if isinstance(opened, JpegImageFile):
        if opened.mode not in {"L", "RGB"}:
            raise ValueError(f"is a JPEG of mode {opened.mode}, not gray or RGB")
        array = simplejpeg.decode_jpeg(clean, "GRAY" if opened.mode == "L" else "RGB")
        picture = Image.fromarray(array[..., 0] if opened.mode == "L" else array)
    elif (clean[24] == 16 and opened.mode != "I;16") or getattr(opened, "is_animated", False):
        raise ValueError("has 16 bits a channel, or moves: that would be lost")
    picture.load()
    picture.getexif()[ExifTags.Base.Orientation] = orientation
    return opened, ImageOps.exif_transpose(picture)


def _mask(data: bytes, orientation: int = 1) -> Image.Image:
    clean = _cleaned(data)
    if not clean.startswith(_PNG) or clean[24:26] != b"\x08\0":
        raise ValueError("is no PNG of one 8-bit channel")
    mask = _decoded(clean, orientation)[1]
    mask.info.clear()
    return mask


def _coded(source: Image.Image, picture: Image.Image, clean: bytes, *, side: bool = False) -> bytes:
    """Code a picture as its source was, in the same colours; ``side``: rows became columns."""
    icc = source.info.get("icc_profile") or b""
    if icc[16:20] == b"GRAY" and picture.mode == "RGB":  # RGB can't carry it
        icc = b""
    if not isinstance(source, JpegImageFile):
        png = _saved(picture, "PNG", icc_profile=None)
        kept = _COLOUR if icc else _COLOUR - {b"iCCP"}
        colour = [clean[at:end] for kind, at, end in png_chunks(clean) if kind in kept]
        return png[:33] + b"".join(colour) + png[33:]
    tables = [source.quantization[n] for n in dict.fromkeys(layer[3] for layer in source.layer)]
    if side:
        tables = [[table[i % 8 * 8 + i // 8] for i in range(64)] for table in tables]
    # Colour halved across can't be written as halved down: it is then not halved.
    sampling = {2: 2, 1: 0 if side else 1}.get(get_sampling(source), 0)
    settings = {"qtables": tables, "subsampling": sampling, "icc_profile": icc}
    return _saved(picture, "JPEG", progressive="progressive" in source.info, **settings)


def _saved(picture: Image.Image, kind: str, **settings: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **settings)
    return out.getvalue()
