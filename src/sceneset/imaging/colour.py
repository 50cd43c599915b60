"""Find out whether the colours of an image are sRGB, by curves and primaries and not by names."""

import io
import struct
from collections.abc import Iterator
from functools import lru_cache

from PIL import ImageCms

from sceneset.imaging.kept_parts import Part
from sceneset.imaging.trait_names import PROFILE

_PRIMARIES = ((0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141))
"""X, Y and Z of sRGB's red, green and blue, adapted to D50 as ICC profiles require."""
_CHROMATICITIES = (31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
"""White, red, green and blue of sRGB: x and y times 100,000, as a cHRM chunk has them."""
_GAMMA = 45455  # 1 / 2.2 times 100,000, which a gAMA chunk says for sRGB
_MAX_GAMMA, _MAX_CHROMATICITY = 2300, 1000  # largest differences, in the same units
_MAX_PRIMARY, _MAX_CURVE = 0.012, 0.02  # largest differences; a gamma of 2.2 is within, 1.8 is not
_MAX_TAGS = 200
_SRGB_NAMES = {"c2", "c2ci"}  # compact sRGB profiles: github.com/saucecontrol/Compact-ICC-Profiles


def profile_traits(profile: bytes | None) -> Iterator[str]:
    """Yield the trait of an ICC profile that is not sRGB.

    Raises:
        Exception: The profile is broken; of the many types that its reader raises.
    """
    if profile and (reason := _difference(profile)):
        yield PROFILE + reason


def chunk_traits(data: bytes, parts: list[Part]) -> Iterator[str]:
    """Yield what the colour chunks of a PNG say of its colours, if that is not sRGB.

    A cICP chunk goes before all others. gAMA and cHRM count only without iCCP and sRGB.
    """
    chunks = {data[part.start + 4 : part.start + 8]: part.content(data) for part in parts}
    if code := chunks.get(b"cICP"):
        # ITU-T H.273: primaries of BT.709, transfer function of sRGB, RGB, full range
        if tuple(code[:4]) != (1, 13, 0, 1):
            yield f"{PROFILE}cICP {'/'.join(map(str, code[:4]))}"
        return
    if chunks.keys() & {b"iCCP", b"sRGB"}:
        return
    gamma = chunks.get(b"gAMA", b"")
    if len(gamma) >= 4 and abs((number := int.from_bytes(gamma[:4])) - _GAMMA) > _MAX_GAMMA:
        yield f"{PROFILE}gamma {number and 100_000 / number:.2f} (gAMA)"
    primaries = chunks.get(b"cHRM", b"")
    if len(primaries) >= 32 and any(
        abs(value - ours) > _MAX_CHROMATICITY
        for value, ours in zip(struct.unpack(">8I", primaries[:32]), _CHROMATICITIES, strict=True)
    ):
        yield f"{PROFILE}other primaries (cHRM)"


@lru_cache(maxsize=64)
def _difference(profile: bytes) -> str:
    """Return the name of a profile that is not sRGB and what differs; "" for sRGB."""
    opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    name = " ".join(ImageCms.getProfileDescription(opened).split())
    name = "".join(char for char in name if char.isprintable())[:80] or "without a name"
    tags = _tags(profile)
    space = profile[16:20]
    if space not in {b"RGB ", b"GRAY"}:
        return name
    curves = [tags.get(key) for key in ((b"kTRC",) if space == b"GRAY" else _TRC)]
    if None in curves:  # its colours are in a table, as in ICC's own "sRGB v4" profiles
        is_srgb = "srgb" in name.casefold() or name in _SRGB_NAMES
        return "" if is_srgb and "linear" not in name.casefold() else name
    errors = [_curve_error(curve or b"") for curve in curves]
    if max(errors) > _MAX_CURVE:
        return f"{name} (another curve)"
    if space == b"RGB " and _primaries_error(tags) > _MAX_PRIMARY:
        return f"{name} (other primaries)"
    return ""


_TRC = (b"rTRC", b"gTRC", b"bTRC")


def _tags(profile: bytes) -> dict[bytes, bytes]:
    """Return the contents of a profile's tags, by signature."""
    count = min(int.from_bytes(profile[128:132]), _MAX_TAGS)
    found = {}
    for entry in range(132, 132 + 12 * count, 12):
        offset = int.from_bytes(profile[entry + 4 : entry + 8])
        size = int.from_bytes(profile[entry + 8 : entry + 12])
        found[profile[entry : entry + 4]] = profile[offset : offset + size]
    return found


def _primaries_error(tags: dict[bytes, bytes]) -> float:
    """Return the largest difference to sRGB's primaries."""
    differences: list[float] = []
    for key, expected in zip((b"rXYZ", b"gXYZ", b"bXYZ"), _PRIMARIES, strict=True):
        value = tags.get(key, b"")
        if len(value) < 20:
            return 1.0
        xyz = [number / 65536 for number in struct.unpack(">3i", value[8:20])]
        differences += [abs(a - b) for a, b in zip(xyz, expected, strict=True)]
    return max(differences)


def _curve_error(curve: bytes) -> float:
    """Return the largest difference between a tone curve and sRGB's, both from 0 to 1."""
    steps = [n / 16 for n in range(17)]
    try:
        return max(abs(_linear(curve, x) - _srgb_to_linear(x)) for x in steps)
    except (struct.error, ValueError, OverflowError, ZeroDivisionError, TypeError):
        return 1.0  # damaged, or a kind of curve that this program does not know


def _srgb_to_linear(x: float) -> float:
    """Return the linear light of an sRGB value (IEC 61966-2-1)."""
    return x / 12.92 if x <= 0.04045 else float(((x + 0.055) / 1.055) ** 2.4)


def _linear(curve: bytes, x: float) -> float:
    """Return the linear light that a curve gives for a value (ICC.1:2022, 10.6 and 10.18)."""
    if curve[:4] == b"curv":
        (count,) = struct.unpack(">I", curve[8:12])
        if count == 0:
            return x
        if count == 1:
            return float(x ** (struct.unpack(">H", curve[12:14])[0] / 256))
        place = x * (count - 1)
        low = min(int(place), count - 2)
        first, second = struct.unpack(">2H", curve[12 + 2 * low : 16 + 2 * low])
        return float(first + (second - first) * (place - low)) / 65535
    if curve[:4] != b"para":
        raise ValueError("is not a curve")
    (kind,) = struct.unpack(">H", curve[8:10])
    sizes = (1, 3, 4, 5, 7)
    values = struct.unpack(f">{sizes[min(kind, 4)]}i", curve[12 : 12 + 4 * sizes[min(kind, 4)]])
    numbers: list[float] = [value / 65536 for value in values] + [0.0] * (7 - len(values))
    g, a, b, c, d, e, f = numbers
    if kind == 0:
        return float(x**g)
    if kind in {1, 2}:  # c is added to both pieces
        return float((a * x + b) ** g + c) if x >= -b / a else c
    return float((a * x + b) ** g + e) if x >= d else c * x + f
