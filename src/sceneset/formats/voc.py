"""Pascal VOC: JPEGImages, SegmentationClass with a palette, SegmentationObject, ImageSets.

The numbers of the classes come from a file of class names or of colours, if there is one. Without
one, the palette of VOC has VOC's own classes: 15 is person, and 255 the border, which is ignored.
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from typing import NamedTuple

import numpy as np

from sceneset.counts import counted
from sceneset.errors import FindingsError
from sceneset.formats.classes import Classes, is_background_name
from sceneset.formats.image_json import missing_image
from sceneset.formats.mask_folders import report_lone_files
from sceneset.formats.tree import IMAGE_ENDINGS, Tree, lines_of, phase_of, without_suffix
from sceneset.formats.types import FormatSample, Mapping, MaskFile, Options, Report
from sceneset.imaging.mask_file import read_palette, read_values
from sceneset.imaging.shapes import IGNORE, PERSON
from sceneset.schemas.finding import finding
from sceneset.schemas.names import composed
from sceneset.schemas.terms import Phase

_MASKS = ("segmentationclass", "segmentationclasspng", "segmentationclassaug")
_OBJECTS = ("SegmentationObject", "SegmentationObjectPNG")
_IMAGES = ("JPEGImages", "PNGImages", "Images", "images")
_LISTS = ("class_names.txt", "labels.txt", "classes.txt", "label_names.txt")
_COLOURS = "labelmap.txt"
_PHASES = {"train.txt": Phase.TRAIN, "val.txt": Phase.VAL, "test.txt": Phase.TEST}
_VOC_CLASSES = 21
_VOC_PERSON, _VOC_BORDER = 15, 255
_BORDER_COLOUR = (224, 224, 192)
_MAX_TEXT = 64 << 20


class _Voc:
    name = "voc"
    title = "Pascal VOC"
    loses = ""

    def detect(self, tree: Tree) -> str | None:
        folders = _mask_folders(tree)
        if not folders:
            return None
        masks = sum(map(len, folders.values()))
        return f"{counted(masks, 'mask')} below {', '.join(sorted(folders)[:3])}"

    def read(self, tree: Tree, options: Options, report: Report) -> Iterator[FormatSample]:
        used: dict[str, str] = {}
        for folder, masks in sorted(_mask_folders(tree).items()):
            yield from _Folder(folder, masks, tree, options, report).samples(used)


def _mask_folders(tree: Tree) -> dict[str, list[str]]:
    """Return the masks in each folder of masks; a second folder of the same masks is left out."""
    found: dict[str, dict[int, tuple[str, list[str]]]] = defaultdict(dict)
    for folder, files in sorted(tree.folders.items()):
        parent, _, name = folder.rpartition("/")
        masks = [file for file in files if file.casefold().endswith(".png")]
        if name.casefold() in _MASKS and masks:
            found[parent].setdefault(_MASKS.index(name.casefold()), (folder, masks))
    return dict(own[min(own)] for own in found.values())


class _Meaning(NamedTuple):
    """What the values or colours of masks mean."""

    mapping: Mapping | None = None
    colours: dict[tuple[int, int, int], int] | None = None


class _Folder:
    """One folder of masks with what is beside it."""

    def __init__(
        self, folder: str, masks: list[str], tree: Tree, options: Options, report: Report
    ) -> None:
        self.folder, self.tree, self.options, self.report = folder, tree, options, report
        self.masks = masks
        parent = folder.rpartition("/")[0]
        self.start = f"{parent}/" if parent else ""

    def samples(self, used: dict[str, str]) -> Iterator[FormatSample]:
        """Yield the samples; report masks without an image and images without a mask."""
        meaning = self._meaning()
        phases, listed = self._phases()
        own: set[str] = set()
        for mask in self.masks:
            stem = without_suffix(mask.rpartition("/")[2])
            image = self._image(stem)
            if image is None:
                missing_image(stem, mask, self.report)
            elif used.setdefault(image, mask) != mask:
                message = f"is a mask of {image}, which has the mask {used[image]} too"
                self.report(finding("annotation-broken", message, file=mask, hint="keep one"))
            else:
                own.add(image)
                yield FormatSample(
                    image=image,
                    phase=phases.get(composed(stem))
                    or phase_of(image)
                    or phase_of(mask)
                    or Phase.TRAIN,
                    mask=self._mask(mask, stem, meaning),
                    annotation=mask,
                )
        self._report_lone(own, listed)

    def _image(self, stem: str) -> str | None:
        for folder in _IMAGES:
            for ending in IMAGE_ENDINGS:
                if path := self.tree.same(f"{self.start}{folder}/{stem}{ending}"):
                    return path
        near = f"{self.start}x"
        found = [
            image
            for ending in IMAGE_ENDINGS
            if ending.casefold() != ".png"
            and (image := self.tree.find(f"{stem}{ending}", near=near, outside=self.folder))
        ]
        return found[0] if len(found) == 1 else None

    def _mask(self, mask: str, stem: str, meaning: _Meaning) -> MaskFile:
        names = (f"{self.start}{folder}/{stem}.png" for folder in _OBJECTS)
        instances = next(filter(None, map(self.tree.same, names)), "")
        if self.options.mapping or self.options.colours:
            return MaskFile(mask, instances=instances)
        if meaning.colours is None:
            return MaskFile(mask, meaning.mapping, instances=instances)
        segments = {r + 256 * g + 65_536 * b: v for (r, g, b), v in meaning.colours.items()}
        return MaskFile(mask, segments=segments, instances=instances)

    def _meaning(self) -> _Meaning:
        """Return what the masks mean; nothing if this is not clear, so that `add` asks."""
        if self.options.mapping or self.options.colours:
            return _Meaning()
        if colours := self._colours():
            return _Meaning(colours=colours)
        for name in _LISTS:
            for file in (f"{self.start}{name}", name):
                if self.tree.has(file):
                    return _Meaning(self._from_names(file))
        return _Meaning(self._from_palette())

    def _colours(self) -> dict[tuple[int, int, int], int]:
        """Return the meaning of colours in labelmap.txt, as CVAT writes it (name:r,g,b:...:...)."""
        file = next((f for f in (f"{self.start}{_COLOURS}", _COLOURS) if self.tree.has(f)), None)
        if file is None:
            return {}
        classes = Classes(self.options)
        found = {_BORDER_COLOUR: IGNORE}
        number = -1
        for row, line in enumerate(self._lines(file), 1):
            if not line.strip() or line.startswith("#"):
                continue
            number += 1
            name, _, rest = line.partition(":")
            colour = rest.partition(":")[0]
            if ":" in rest and not colour.strip():  # Datumaro: the colour of VOC with this number
                found[_voc_colour(number)] = classes.value(name)
                continue
            try:
                red, green, blue = map(int, colour.split(","))
                in_range = all(0 <= c <= 255 for c in (red, green, blue))
            except ValueError:
                in_range = False
            if not in_range:
                raise FindingsError(
                    [
                        finding(
                            "annotation-broken",
                            "is not a line of the form name:red,green,blue:parts:actions",
                            file=file,
                            row=row,
                            hint="export the file again",
                        )
                    ]
                )
            found[red, green, blue] = classes.value(name)
        classes.check(file)
        return found

    def _from_names(self, file: str) -> Mapping | None:
        """Return the meaning of a list of names, which starts with the background.

        labelme's labels.txt starts with __ignore__, which has the number -1 and is saved as 255.
        """
        names = [line.strip() for line in self._lines(file) if line.strip()]
        if names and names[0] == "__ignore__":
            del names[0]
        if not names or not is_background_name(names[0]):
            return None
        classes = Classes(self.options)
        values = {number: classes.value(name) for number, name in enumerate(names)}
        classes.check(file)
        return Mapping(
            person=frozenset(n for n, value in values.items() if value == PERSON),
            ignore=frozenset({255, *(n for n, value in values.items() if value == IGNORE)}),
        )

    def _from_palette(self) -> Mapping | None:
        """Return VOC's own meaning, if the palette is VOC's and a mask has its number of person."""
        for mask in self.masks:
            if not _is_voc_palette(read_palette(self.tree.path(mask))):
                return None
            with suppress(ValueError):  # reported when it is converted
                used = set(np.unique(read_values(self.tree.path(mask), 1 << 30).array).tolist())
                if any(value >= _VOC_CLASSES and value != _VOC_BORDER for value in used):
                    return None
                if _VOC_PERSON in used:
                    return Mapping(person=frozenset({_VOC_PERSON}), ignore=frozenset({_VOC_BORDER}))
        return None

    def _lines(self, file: str) -> list[str]:
        return lines_of(self.tree, file, limit=_MAX_TEXT)

    def _phases(self) -> tuple[dict[str, Phase], set[str]]:
        """Return the phase of stems in ImageSets/Segmentation, and all stems that are listed."""
        phases: dict[str, Phase] = {}
        listed: set[str] = set()
        folder = f"{self.start}ImageSets/Segmentation"
        for file in self.tree.folders.get(folder, []):
            phase = _PHASES.get(file.rpartition("/")[2])
            for line in self._lines(file) if file.endswith(".txt") else ():
                stem = line.strip().replace("\\", "/").rpartition("/")[2]
                stem = composed(without_suffix(stem) if stem.endswith(IMAGE_ENDINGS) else stem)
                if not stem:
                    continue
                listed.add(stem)
                if phase and phases.setdefault(stem, phase) is not phase:
                    self.report(
                        finding(
                            "annotation-broken",
                            f"{stem[:100]} is listed for {phases[stem]} and for {phase}",
                            file=file,
                            hint="remove it from one of the lists",
                        )
                    )
        return phases, listed

    def _report_lone(self, own: set[str], listed: set[str]) -> None:
        """Report images without a mask: of those listed if there are lists, otherwise of all.

        VOC itself has masks for a sixth of its images, and lists these.
        """
        folders = {image.rpartition("/")[0] for image in own}
        lone = [
            image
            for folder in sorted(folders)
            for image in self.tree.folders[folder]
            if image.endswith(IMAGE_ENDINGS)
            and image not in own
            and (not listed or composed(without_suffix(image.rpartition("/")[2])) in listed)
        ]
        report_lone_files(lone, (), self.report)


def _is_voc_palette(palette: list[tuple[int, int, int]] | None) -> bool:
    """Return whether the first colours of a palette are those of VOC."""
    if palette is None or len(palette) < _VOC_CLASSES:
        return False
    return all(palette[n] == _voc_colour(n) for n in range(_VOC_CLASSES))


def _voc_colour(number: int) -> tuple[int, int, int]:
    """Return a colour of VOC's palette; bits 0, 1, 2, 3... of the number go to r, g, b, r..."""
    channels = [0, 0, 0]
    for bit in range(8):
        channels[bit % 3] |= ((number >> bit) & 1) << (7 - bit // 3)
    return channels[0], channels[1], channels[2]


FORMAT = _Voc()
