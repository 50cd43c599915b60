"""Fix the files of one sample: errors that have exactly one right answer."""

from collections.abc import Callable, Collection
from enum import StrEnum
from typing import NamedTuple

from sceneset.imaging import edit, metadata
from sceneset.imaging.metadata import orientation_of
from sceneset.quality.sample_rules import broken_name_rules
from sceneset.schemas.names import invalid_stem_reason
from sceneset.schemas.params import Limits

FIXABLE_RULES = (
    *("image-gps", "image-personal", "image-metadata", "image-trailing", "image-frames"),
    *("image-orientation", "image-mode", "mask-0-255", "suffix"),
    *("stem-unsafe", "name-dot", "name-space", "name-normal-form", "name-windows"),
)
"""Codes of the rules whose findings can be fixed."""

_TRAIT_OF_RULE = {
    "image-gps": metadata.GPS,
    "image-personal": metadata.PERSONAL,
    "image-metadata": metadata.BROKEN,
    "image-trailing": metadata.TRAILING,
    "image-frames": metadata.FRAMES,
}
_SUFFIXES = {".jpeg": ".jpg", ".jpg": ".jpg", ".png": ".png"}

Key = tuple[str, str]
"""Phase and stem of a sample."""
Unfixed = tuple[tuple[str, str], ...]
"""Rules whose findings were not fixed, each with the reason."""


class MaskFrame(StrEnum):
    """The pixels on which the masks of images with an orientation tag were drawn."""

    STORED = "stored"
    """The pixels as they are stored in the file."""
    SHOWN = "shown"
    """The image as viewers show it, after the orientation is applied."""


class SampleFiles(NamedTuple):
    """The content of the files of one sample."""

    suffix: str
    """Suffix of the image."""
    image: bytes
    mask: bytes | None
    """None if there is no mask."""


class FixedFiles(NamedTuple):
    """The result for one sample."""

    files: SampleFiles
    fixed: tuple[str, ...] = ()
    """Rules whose findings were fixed."""
    unfixed: Unfixed = ()


def fix_files(
    files: SampleFiles,
    rules: Collection[str],
    limits: Limits,
    mask_frame: MaskFrame | None = None,
) -> FixedFiles:
    """Fix the findings of some rules on the files of a sample.

    Files that don't decode are returned unchanged: other rules report them.

    Args:
        files: The files of the sample.
        rules: Codes of the rules to fix.
        limits: Files beyond these limits are returned unchanged.
        mask_frame: On which pixels the mask was drawn. It is used only if the size of the mask
            does not show it; without it, such a sample is not fixed.
    """
    try:
        _refuse_too_large(files, limits)
        files, fixed, unfixed = _strip(files, rules)
    except OSError:
        return FixedFiles(files)
    for code, step in _STEPS:
        if code not in rules:
            continue
        try:
            result = step(files, mask_frame)
        except ValueError as error:
            unfixed.append((code, str(error)))
        except OSError:
            pass  # the mask does not decode
        else:
            if result is not None:
                files = result
                fixed.append(code)
    return FixedFiles(files, tuple(fixed), tuple(unfixed))


_Step = Callable[[SampleFiles, MaskFrame | None], SampleFiles | None]
"""Returns the fixed files, or None if there is nothing to fix.

Raises:
    ValueError: There is no single right answer; the message is the reason.
    OSError: A file does not decode.
"""


def _refuse_too_large(files: SampleFiles, limits: Limits) -> None:
    for data in filter(None, (files.image, files.mask)):
        width, height = edit.open_image(data).size
        if width * height > limits.max_pixels:
            raise OSError("is beyond limits.max_pixels")


def _strip(
    files: SampleFiles, rules: Collection[str]
) -> tuple[SampleFiles, list[str], list[tuple[str, str]]]:
    """Remove metadata and trailing bytes from an image; return the fixed and unfixed rules too."""
    opened = edit.open_image(files.image)
    traits = metadata.traits(opened, files.image)
    found = [
        code
        for code, prefix in _TRAIT_OF_RULE.items()
        if code in rules and any(trait.startswith(prefix) for trait in traits)
    ]
    if opened.format == "PNG" and "image-frames" in found:
        reason = "it is an animation, and any of its frames may be the meant image"
        return files, [], [(code, reason) for code in found]
    if not found:
        return files, [], []
    try:
        return files._replace(image=edit.strip_personal_data(files.image)), found, []
    except ValueError as error:
        return files, [], [(code, str(error)) for code in found]


def _orient(files: SampleFiles, mask_frame: MaskFrame | None) -> SampleFiles | None:
    opened = edit.open_image(files.image)
    orientation = orientation_of(opened)
    if orientation == 1:
        return None
    image = edit.orient_image(files.image, orientation)
    if files.mask is None:
        return files._replace(image=image)
    if _frame_of_mask(opened.size, files.mask, orientation, mask_frame) is MaskFrame.SHOWN:
        return files._replace(image=image)
    return files._replace(image=image, mask=edit.orient_mask(files.mask, orientation))


def _frame_of_mask(
    image_size: tuple[int, int], mask: bytes, orientation: int, default: MaskFrame | None
) -> MaskFrame:
    """Return on which pixels a mask was drawn: its size shows it, or the default applies."""
    width, height = edit.open_image(mask).size
    if orientation >= 5 and image_size[0] != image_size[1]:
        if (width, height) == image_size:
            return MaskFrame.STORED
        if (height, width) == image_size:
            return MaskFrame.SHOWN
    if default is None:
        raise ValueError(
            f"orientation {orientation}: the size of the mask does not show whether it was drawn "
            "on the pixels as stored or as shown; look at it and give --masks stored or --masks "
            "shown"
        )
    return default


def _to_rgb(files: SampleFiles, _: MaskFrame | None) -> SampleFiles | None:
    if edit.open_image(files.image).mode == "RGB":
        return None
    return files._replace(image=edit.convert_to_rgb(files.image))


def _to_0_and_1(files: SampleFiles, _: MaskFrame | None) -> SampleFiles | None:
    if files.mask is None or not edit.marks_person_with_255(files.mask):
        return None
    return files._replace(mask=edit.map_255_to_1(files.mask))


def _fix_suffix(files: SampleFiles, _: MaskFrame | None) -> SampleFiles | None:
    suffix = _SUFFIXES.get(files.suffix.lower())
    if suffix is None or suffix == files.suffix:
        return None
    if (edit.open_image(files.image).format == "PNG") != (suffix == ".png"):
        raise ValueError(f"the suffix is {files.suffix}, but the file has another format")
    return files._replace(suffix=suffix)


_STEPS: tuple[tuple[str, _Step], ...] = (
    ("image-orientation", _orient),
    ("image-mode", _to_rgb),
    ("mask-0-255", _to_0_and_1),
    ("suffix", _fix_suffix),
)


class NewStems(NamedTuple):
    """New stems of samples whose stems break rules, by the sample's key."""

    stems: dict[Key, str]
    fixed: dict[Key, tuple[str, ...]]
    """The rules that the old stem breaks."""
    unfixed: dict[Key, Unfixed]


def choose_stems(keys: Collection[Key], rules: Collection[str]) -> NewStems:
    """Choose a clean stem for every sample whose stem breaks one of some rules.

    A new stem is unique in its phase, also on file systems that ignore case.

    Args:
        keys: Phase and stem of all samples.
        rules: Codes of the rules to fix; those that are not about names are ignored.
    """
    result = NewStems({}, {}, {})
    taken = {(phase, stem.casefold()) for phase, stem in keys}
    for phase, stem in sorted(keys):
        broken = broken_name_rules(stem) | ({"stem-unsafe"} if invalid_stem_reason(stem) else set())
        codes = tuple(code for code in FIXABLE_RULES if code in broken and code in rules)
        if not codes:
            continue
        key = (phase, stem)
        try:
            clean = edit.clean_stem(stem)
        except ValueError as error:
            result.unfixed[key] = tuple((code, str(error)) for code in codes)
            continue
        if (phase, clean.casefold()) in taken - {(phase, stem.casefold())}:
            reason = f"the new name {clean!r} is taken by another sample"
            result.unfixed[key] = tuple((code, reason) for code in codes)
            continue
        taken.add((phase, clean.casefold()))
        result.stems[key], result.fixed[key] = clean, codes
    return result
