"""Fix the files of one sample: errors that have exactly one right answer."""

from collections import Counter
from collections.abc import Callable, Collection, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from sceneset.edits.fix_mask import mask_orientation, without_metadata, without_orientation
from sceneset.imaging import edit, metadata, trait_names
from sceneset.imaging.mask_values import is_void_file
from sceneset.imaging.metadata import orientation_of
from sceneset.rules.sample_rules import broken_name_rules
from sceneset.schemas.names import composed, invalid_stem_reason
from sceneset.schemas.params import Limits

FIXABLE_RULES = (
    *("image-gps", "image-personal", "image-metadata", "image-trailing", "image-frames"),
    *("mask-metadata", "mask-orientation"),
    *("image-orientation", "image-mode", "mask-0-255", "suffix"),
    *("stem-unsafe", "name-dot", "name-space", "name-normal-form", "name-windows", "name-start"),
    "name-invisible",
)
"""Codes of the rules whose findings can be fixed."""

_TRAIT_OF_RULE = {
    "image-gps": trait_names.GPS,
    "image-personal": trait_names.PERSONAL,
    "image-metadata": trait_names.BROKEN,
    "image-trailing": trait_names.TRAILING,
    "image-frames": trait_names.FRAMES,
}
_SUFFIXES = {
    **dict.fromkeys((".jpg", ".jpeg", ".jpe", ".jfif", ".insp", ".mpo"), ".jpg"),
    ".png": ".png",
}

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
    mask_suffix: str = ".png"


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
    *,
    map_255: bool = False,
) -> FixedFiles:
    """Fix the findings of some rules on the files of a sample.

    Files that don't decode are returned unchanged: other rules report them.

    Args:
        files: The files of the sample.
        rules: Codes of the rules to fix.
        limits: Files beyond these limits are returned unchanged.
        mask_frame: On which pixels the mask was drawn. It is used only if the size of the mask
            does not show it; without it, such a sample is not fixed.
        map_255: Whether 255 means person in masks that hold no 1.
    """
    try:
        _refuse_too_large(files, limits)
        files, fixed, unfixed = _strip(files, rules)
    except OSError:
        return FixedFiles(files)
    for code, step in _STEPS:
        if code not in rules or (code == "mask-0-255" and not map_255):
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


def _strip_mask(files: SampleFiles, _: MaskFrame | None) -> SampleFiles | None:
    mask = without_metadata(files.mask) if files.mask else None
    return None if mask is None else files._replace(mask=mask)


def _orient_mask(files: SampleFiles, _: MaskFrame | None) -> SampleFiles | None:
    mask = without_orientation(files.image, files.mask) if files.mask else None
    return None if mask is None else files._replace(mask=mask)


def _orient(files: SampleFiles, mask_frame: MaskFrame | None) -> SampleFiles | None:
    opened = edit.open_image(files.image)
    orientation = orientation_of(opened)
    if orientation == 1:
        return None
    if files.mask is not None and (own := mask_orientation(files.mask)) != 1:
        raise ValueError(
            f"the mask has an orientation of its own ({own}), so it is not clear which turn fits "
            "the image; fix mask-orientation first"
        )
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
    if edit.open_image(files.image).mode == "RGB" and not edit.has_16_bits(files.image):
        return None
    return files._replace(image=edit.convert_to_rgb(files.image))


def _to_0_and_1(files: SampleFiles, _: MaskFrame | None) -> SampleFiles | None:
    if files.mask is None or not is_void_file(files.mask):
        return None
    return files._replace(mask=edit.map_255_to_1(files.mask))


def _fix_suffix(files: SampleFiles, _: MaskFrame | None) -> SampleFiles | None:
    suffix = _right_suffix(files.image, files.suffix)
    mask_suffix = files.mask_suffix
    if files.mask is not None:
        mask_suffix = _right_suffix(files.mask, mask_suffix)
    if (suffix, mask_suffix) == (files.suffix, files.mask_suffix):
        return None
    return files._replace(suffix=suffix, mask_suffix=mask_suffix)


def standard_suffix(suffix: str) -> str | None:
    """Return ".jpg" or ".png" for another spelling of the suffix, or None if it is another one."""
    return _SUFFIXES.get(suffix.lower())


def _right_suffix(data: bytes, suffix: str) -> str:
    right = standard_suffix(suffix)
    if right is None or right == suffix:
        return suffix
    if (edit.open_image(data).format == "PNG") != (right == ".png"):
        raise ValueError(f"the suffix is {suffix}, but the file has another format")
    return right


_STEPS: tuple[tuple[str, _Step], ...] = (
    ("mask-metadata", _strip_mask),
    ("mask-orientation", _orient_mask),
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


def choose_stems(
    keys: Collection[Key],
    rules: Collection[str],
    *,
    taken: Collection[Key] = (),
    mask_stems: Mapping[Key, str] = MappingProxyType({}),
) -> NewStems:
    """Choose a clean stem for every sample whose stem breaks one of some rules.

    A new stem is unique in its phase, also on file systems that ignore case and normal form. Two
    samples that would get the same new stem keep their names: either may have the better claim.

    Args:
        keys: Phase and stem of all samples.
        rules: Codes of the rules to fix; those that are not about names are ignored.
        taken: Phase and stem of other files that no sample may be renamed to.
        mask_stems: The stems of masks that differ from those of their images in normal form.
    """
    result = NewStems({}, {}, {})
    used = Counter(_folded(key) for key in (*keys, *taken))
    chosen: dict[Key, tuple[str, tuple[str, ...]]] = {}
    for key in sorted(keys):
        broken = _broken_rules(key[1])
        if key in mask_stems:
            broken |= {"name-normal-form"} | _broken_rules(mask_stems[key])
        codes = tuple(code for code in FIXABLE_RULES if code in broken and code in rules)
        if not codes:
            continue
        try:
            chosen[key] = edit.clean_stem(key[1]), codes
        except ValueError as error:
            result.unfixed[key] = tuple((code, str(error)) for code in codes)
    wanted = Counter(_folded((key[0], clean)) for key, (clean, _) in chosen.items())
    for key, (clean, codes) in chosen.items():
        folded = _folded((key[0], clean))
        if wanted[folded] > 1 or used[folded] > (folded == _folded(key)):
            reason = f"the new name {clean!r} is taken by another sample or file"
            result.unfixed[key] = tuple((code, reason) for code in codes)
            continue
        result.stems[key], result.fixed[key] = clean, codes
    return result


def _broken_rules(stem: str) -> set[str]:
    return broken_name_rules(stem) | ({"stem-unsafe"} if invalid_stem_reason(stem) else set())


def _folded(key: Key) -> Key:
    """Return a key in the form in which Windows and macOS compare names."""
    return key[0], composed(key[1]).casefold()
