"""Find out what the values of mask files mean."""

from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sceneset.counts import counted
from sceneset.errors import UsageError
from sceneset.formats.types import Mapping, Options
from sceneset.imaging.mask_file import Values, read_values
from sceneset.imaging.mask_values import is_soft
from sceneset.imaging.pillow_warnings import no_warnings
from sceneset.imaging.shapes import IGNORE, PERSON

if TYPE_CHECKING:
    import numpy.typing as npt

    Mask = npt.NDArray[np.uint8]

MASK_SUFFIXES = (".png", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".npy", ".mat", ".jpg", ".jpeg")
_MAX_COLOURS = 16  # of each mask
_BORDER = (224, 224, 192)  # of objects in VOC
_WORDS = {"person": PERSON, "ignore": IGNORE, "background": 0}


@dataclass
class Survey:
    """The values that the masks of a delivery use, which show what they mean."""

    masks: int = 0
    values: Counter[int] = field(default_factory=Counter)
    """Number of masks that use a value."""
    soft: str = ""
    """A mask with levels of gray."""
    coloured: str = ""
    """A mask with colours."""
    colours: Counter[int] = field(default_factory=Counter)
    """Number of masks that use a colour, given as 0xRRGGBB."""

    def add(self, path: str, values: Values) -> None:
        """Count the values of one mask."""
        self.masks += 1
        if values.array.ndim == 3:
            self.coloured = self.coloured or path
            codes, counts = np.unique(_codes(values.array), return_counts=True)
            for index in np.argsort(-counts)[:_MAX_COLOURS]:
                self.colours[int(codes[index])] += 1
            return
        used = {int(value) for value in np.unique(values.array)}
        if is_soft(used - {0, 1, 255}):
            self.soft = self.soft or path
        elif len(self.values) < 1000:
            self.values.update(used)

    def mapping(self) -> Mapping | None:
        """Return the meaning if all masks show it without doubt, or None."""
        used = set(self.values)
        if self.soft or self.coloured or not used <= {0, 1, 255}:
            return None
        if 255 in used and 1 not in used:
            return Mapping(person=frozenset({255}))
        return Mapping(person=frozenset({1}), ignore=frozenset({255}))

    def question(self) -> tuple[str, str]:
        """Return what is unclear, and the option that says it."""
        if self.coloured:
            shown = ", ".join(f"#{colour:06x}" for colour, _ in self.colours.most_common(6))
            return (
                f"{self.coloured}: masks have colors ({shown})",
                "say which color is person, for example --map '#c08080=person'",
            )
        if self.soft:
            return (
                f"{self.soft}: masks have levels of gray",
                "give the level from which a pixel is person: --threshold 0.5, or 0.1:0.9",
            )
        shown = ", ".join(str(value) for value in sorted(self.values)[:12])
        more = ", ..." if len(self.values) > 12 else ""
        return (
            f"masks use the values {shown}{more}",
            "give their meaning: --map 15=person,255=ignore, or --map 1..=instance for persons",
        )


def parse_mapping(text: str) -> tuple[Mapping, tuple[tuple[tuple[int, int, int], str], ...]]:
    """Return the mapping of values and that of colours in the text of --map.

    Raises:
        UsageError: The text is no mapping; the message says how to write one.
    """
    sets: dict[str, set[int]] = {name: set() for name in (*_WORDS, "instance")}
    starts: dict[str, int] = {}
    colours: list[tuple[tuple[int, int, int], str]] = []
    for part in filter(None, (part.strip() for part in text.split(","))):
        value, equals, word = (word.strip() for word in part.partition("="))
        if not equals or word not in sets:
            _refuse(part)
        if value.startswith("#") and word in _WORDS:
            try:
                red, green, blue = bytes.fromhex(value[1:])
            except ValueError:
                _refuse(part)
            colours.append(((red, green, blue), word))
        elif value.endswith("..") and value[:-2].isascii() and value[:-2].isdigit():
            if word in {"ignore", "background"} or starts:
                _refuse(part)
            starts[word] = min(int(value[:-2]), 65_535)
        else:
            low, dots, high = value.partition("..")
            bounds = (low, high if dots else low)
            if not all(b.isascii() and b.isdigit() and int(b) <= 65_535 for b in bounds):
                _refuse(part)
            sets[word] |= set(range(int(bounds[0]), int(bounds[1]) + 1))
    mapping = Mapping(
        person=frozenset(sets["person"]),
        instance=frozenset(sets["instance"]),
        ignore=frozenset(sets["ignore"]),
        background=frozenset(sets["background"])
        or frozenset({0} - sets["person"] - sets["ignore"]),
        person_from=starts.get("person"),
        instance_from=starts.get("instance"),
    )
    return mapping, tuple(colours)


def _refuse(part: str) -> None:
    raise UsageError(
        f"--map {part!r}: write VALUE=MEANING, for example 15=person,255=ignore or 1..=instance "
        "or '#c08080=person'; meanings: person, instance (one person each), ignore, background"
    )


def mapped(values: Values, mapping: Mapping | None, options: Options) -> tuple["Mask", int | None]:
    """Return the mask of a file's values, and the number of persons if values are instances.

    Raises:
        ValueError: Colours or levels of gray have no meaning given.
    """
    array = values.array
    if array.ndim == 3:
        return _from_colours(array, options), None
    if options.threshold and values.scale and not (options.mapping or (mapping and mapping.ignore)):
        low, high = options.threshold
        levels = array.astype(np.float64) / values.scale
        mask = np.where(levels >= high, PERSON, np.where(levels >= low, IGNORE, 0))
        return mask.astype(np.uint8), None
    if mapping is None:
        raise ValueError("the meaning of its values is not clear")
    mask = mapping.table()[array]
    if not mapping.instance and mapping.instance_from is None:
        return mask, None
    return mask, sum(mapping.is_instance(int(value)) for value in np.unique(array))


def from_segments(
    ids: "npt.NDArray[np.uint32]", segments: dict[int, int], *, needs_all: bool
) -> "Mask":
    """Return the mask of a picture of ids.

    Args:
        ids: The id of each pixel.
        segments: The mask value of each id.
        needs_all: Whether every id of the table must be in the picture.

    Raises:
        ValueError: Ids of the picture and of the table differ.
    """
    used, inverse, counts = np.unique(ids, return_inverse=True, return_counts=True)
    unknown = [
        (int(i), int(n)) for i, n in zip(used, counts, strict=True) if int(i) not in segments
    ]
    if unknown:
        raise ValueError(
            f"{counted(unknown[0][1], 'pixel')} of the picture have the id {unknown[0][0]}, which "
            f"has no meaning ({counted(len(unknown), 'such id')})"
        )
    missing = segments.keys() - {int(i) for i in used} - {0}
    if needs_all and missing:
        raise ValueError(f"segment {min(missing)} has no pixel in the picture")
    table = np.array([segments[int(i)] for i in used], np.uint8)
    return table[inverse.reshape(ids.shape)]


def count_instances(values: Values, mask: "Mask") -> int:
    """Return how many objects of a file of object numbers or colours are persons of a mask.

    Raises:
        ValueError: The sizes differ.
    """
    array, no_object = values.array, {0, 255}
    if array.ndim == 3:  # Datumaro: a colour for each object; black is none, VOC's border neither
        array = _codes(array)
        no_object = set(_codes(np.array([[[0, 0, 0], _BORDER]], np.uint8)).ravel().tolist())
    if array.shape != mask.shape:
        raise ValueError("the file of object numbers has another size")
    return len(set(np.unique(array[mask == PERSON]).tolist()) - no_object)


def _from_colours(array: "npt.NDArray[np.generic]", options: Options) -> "Mask":
    if not options.colours:
        raise ValueError("it has colors whose meaning is not given")
    codes = _codes(array)
    mask = np.zeros(codes.shape, np.uint8)
    for (red, green, blue), word in options.colours:
        mask[codes == (red << 16 | green << 8 | blue)] = _WORDS[word]
    return mask


def _codes(colours: "npt.NDArray[np.generic]") -> "npt.NDArray[np.uint32]":
    """Return colours of height x width x 3 as numbers 0xRRGGBB."""
    red, green, blue = (colours[..., channel].astype(np.uint32) for channel in range(3))
    return red << np.uint32(16) | green << np.uint32(8) | blue


def survey_of(paths: Iterable[tuple[str, Path]], max_pixels: int) -> Survey:
    """Return the survey of mask files; files that do not decode are left out."""
    survey = Survey()
    with no_warnings():
        for shown, path in paths:
            with suppress(ValueError):  # reported when the mask is converted
                survey.add(shown, read_values(path, max_pixels))
    return survey
