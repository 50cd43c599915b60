"""Mending samples: which findings on two files have one right answer, and the files after it."""

import io
from collections.abc import Callable, Collection
from enum import StrEnum
from typing import NamedTuple

from PIL import Image

from sceneset.imaging import edit as mending
from sceneset.imaging import metadata
from sceneset.imaging.metadata import orientation_of
from sceneset.quality.sample_rules import name_faults
from sceneset.schemas.names import stem_fault
from sceneset.schemas.params import Limits

RULES = (
    *("image-gps", "image-personal", "image-metadata", "image-trailing", "image-frames"),
    *("image-orientation", "image-mode", "mask-0-255", "suffix"),
    *("stem-unsafe", "name-dot", "name-space", "name-normal-form", "name-windows"),
)
"""What can be mended."""

_TRAITS = {
    "image-gps": metadata.GPS,
    "image-personal": metadata.PERSONAL,
    "image-metadata": metadata.BROKEN,
    "image-trailing": metadata.TRAILING,
    "image-frames": metadata.FRAMES,
}
_SUFFIXES = {".jpeg": ".jpg", ".jpg": ".jpg", ".png": ".png"}


class Frame(StrEnum):
    """On what masks of turned images were drawn."""

    STORED = "stored"
    """The pixels as the file has them."""
    SHOWN = "shown"
    """The picture as its orientation turns it."""


Key = tuple[str, str]
"""Phase and stem."""


class Files(NamedTuple):
    """A sample's two files."""

    suffix: str
    """Of the image."""
    image: bytes
    mask: bytes | None
    """None where there is none."""


class Mended(NamedTuple):
    """What became of a sample."""

    files: Files
    done: tuple[str, ...] = ()
    """Rules that it was mended by."""
    left: tuple[tuple[str, str], ...] = ()
    """Rules that it was not mended by, and why."""


def mend(
    files: Files, rules: Collection[str], limits: Limits, frame: Frame | None = None
) -> Mended:
    """Return a sample mended by ``rules``; what has no one right answer is left, and said.

    ``frame`` decides on masks of which their size does not tell what they were drawn on. Files
    that are no pictures come back as they are: other rules are told of them.
    """
    try:
        _refuse_too_large(files, limits)
        now, done, left = _without_carried(files, rules)
    except OSError:
        return Mended(files)
    for code, step in _STEPS:
        if code not in rules:
            continue
        try:
            after = step(now, frame)
        except ValueError as error:
            left.append((code, str(error)))
        except OSError:
            pass  # the mask does not open
        else:
            if after is not None:
                now = after
                done.append(code)
    return Mended(now, tuple(done), tuple(left))


Step = Callable[[Files, Frame | None], Files | None]


def _open(data: bytes) -> Image.Image:
    try:
        return Image.open(io.BytesIO(data), formats=["JPEG", "PNG"])
    except Exception as error:  # decoders raise anything
        raise OSError from error


def _refuse_too_large(files: Files, limits: Limits) -> None:
    for data in filter(None, (files.image, files.mask)):
        width, height = _open(data).size
        if width * height > limits.max_pixels:
            raise OSError("is beyond limits.max_pixels")


def _without_carried(
    files: Files, rules: Collection[str]
) -> tuple[Files, list[str], list[tuple[str, str]]]:
    """Take out all that an image file carries, at once."""
    opened = _open(files.image)
    carried = metadata.traits(opened, files.image)
    found = [
        code
        for code, start in _TRAITS.items()
        if code in rules and any(trait.startswith(start) for trait in carried)
    ]
    if opened.format == "PNG" and "image-frames" in found:
        why = "an animation has no one picture that is meant"
        return files, [], [(code, why) for code in found]
    if not found:
        return files, [], []
    try:
        return files._replace(image=mending.without_personal(files.image)), found, []
    except ValueError as error:
        return files, [], [(code, str(error)) for code in found]


def _upright(files: Files, frame: Frame | None) -> Files | None:
    opened = _open(files.image)
    orientation = orientation_of(opened)
    if orientation == 1:
        return None
    image = mending.upright(files.image, orientation)
    if files.mask is None or _frame(opened.size, files.mask, orientation, frame) is Frame.SHOWN:
        return files._replace(image=image)
    return files._replace(image=image, mask=mending.upright_mask(files.mask, orientation))


def _frame(size: tuple[int, int], mask: bytes, orientation: int, said: Frame | None) -> Frame:
    """Return on what a mask was drawn: its size tells, or the person who asks does."""
    width, height = _open(mask).size
    if orientation >= 5 and size[0] != size[1]:
        if (width, height) == size:
            return Frame.STORED
        if (height, width) == size:
            return Frame.SHOWN
    if said is None:
        raise ValueError(
            f"orientation {orientation}: the mask's size does not tell whether it was drawn on the "
            "pixels as stored or as shown; look, and give --masks stored or --masks shown"
        )
    return said


def _rgb(files: Files, _: Frame | None) -> Files | None:
    if _open(files.image).mode == "RGB":
        return None
    return files._replace(image=mending.as_rgb(files.image))


def _ones(files: Files, _: Frame | None) -> Files | None:
    if files.mask is None or _open(files.mask).mode != "L":
        return None
    with _open(files.mask) as opened:
        if opened.getextrema()[1] != 255 or opened.histogram()[1]:
            return None
    return files._replace(mask=mending.person_is_one(files.mask))


def _suffix(files: Files, _: Frame | None) -> Files | None:
    meant = _SUFFIXES.get(files.suffix.lower())
    if meant is None or meant == files.suffix:
        return None
    if (_open(files.image).format == "PNG") != (meant == ".png"):
        raise ValueError(f"is named {files.suffix} and holds another format")
    return files._replace(suffix=meant)


_STEPS: tuple[tuple[str, Step], ...] = (
    ("image-orientation", _upright),
    ("image-mode", _rgb),
    ("mask-0-255", _ones),
    ("suffix", _suffix),
)


class Names(NamedTuple):
    """New stems of samples whose old ones break readers."""

    stems: dict[Key, str]
    done: dict[Key, tuple[str, ...]]
    """The rules each was renamed by."""
    left: dict[Key, tuple[tuple[str, str], ...]]


def renamed(keys: Collection[Key], rules: Collection[str]) -> Names:
    """Return clean stems for those that break ``rules``, none of them that of another sample."""
    names = Names({}, {}, {})
    taken = {(phase, stem.casefold()) for phase, stem in keys}
    for phase, stem in sorted(keys):
        broken = name_faults(stem) | ({"stem-unsafe"} if stem_fault(stem) else set())
        codes = tuple(code for code in RULES if code in broken and code in rules)
        if not codes:
            continue
        key = (phase, stem)
        try:
            clean = mending.clean_stem(stem)
        except ValueError as error:
            names.left[key] = tuple((code, str(error)) for code in codes)
            continue
        if (phase, clean.casefold()) in taken - {(phase, stem.casefold())}:
            names.left[key] = tuple((code, f"{clean!r} is another sample") for code in codes)
            continue
        taken.add((phase, clean.casefold()))
        names.stems[key], names.done[key] = clean, codes
    return names
