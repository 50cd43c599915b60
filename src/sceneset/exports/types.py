"""What an export writes: samples, selections, options and results."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from sceneset.reporting.provenance import ProvenanceTotals
from sceneset.schemas.stats import GroupStats

if TYPE_CHECKING:
    from sceneset.schemas.stats import Colour

Key = tuple[str, str, str]
"""Subset, phase and stem, which identify a sample."""


@dataclass(frozen=True, slots=True)
class ExportSample:
    """One sample with its files, measurements and tags."""

    subset: str
    phase: str
    stem: str
    image: str
    """File name of the image."""
    image_md5: str
    image_bytes: int
    mask_md5: str
    mask_bytes: int
    width: int
    """Of image and mask as stored, in pixels."""
    height: int
    person: int
    """Number of mask pixels with the value 1, as the scan counted them."""
    ignore: int
    """Number of mask pixels with the value 255."""
    orientation: int
    """EXIF orientation of the image, 1 to 8. The mask fits the pixels as stored."""
    scenes: tuple[str, ...]
    """Keys, in the order of the vocabulary."""
    persons: str | None
    """single, multi, "mixed" if the scenes differ, or None if it is unknown."""
    boxes: int | None
    source: str

    @property
    def key(self) -> Key:
        """Subset, phase and stem."""
        return (self.subset, self.phase, self.stem)

    @property
    def suffix(self) -> str:
        """Suffix of the image, ".jpg" or ".png"."""
        return self.image[len(self.stem) :]

    @property
    def image_path(self) -> str:
        """The image's path in the registry, below the data root."""
        return f"{self.subset}/img_dir/{self.phase}/{self.image}"

    @property
    def mask_path(self) -> str:
        """The mask's path in the registry, below the data root."""
        return f"{self.subset}/ann_dir/{self.phase}/{self.stem}.png"

    @property
    def scene(self) -> str:
        """The first scene, for formats that hold one; "" without a scene."""
        return self.scenes[0] if self.scenes else ""


@dataclass(frozen=True, slots=True)
class Selection:
    """The samples to export, and what is known of them together."""

    samples: list[ExportSample]
    """Sorted by subset, phase and stem."""
    withdrawn: list[Key]
    """Samples that the query selects but that are withdrawn."""
    restricted: Mapping[Key, str]
    """Other selected samples that are left out, each with its restriction."""
    scenes: tuple[str, ...]
    """Keys of all scenes of the samples, in the order of the vocabulary."""
    scene_names: Mapping[str, str]
    """English names of these scenes."""
    colour: "Colour | None"
    """Mean and standard deviation of the pixels of all samples."""
    split_texts: Callable[[set[Key]], Mapping[str, str]]
    """Returns the split files that a pull of the same query writes, by path, without the samples
    given."""
    title: str
    """The selection in words, for cards and comments."""
    version: str
    """Version number, commit or "" for the working tree."""
    licences: Mapping[str, int]
    """The number of samples of each licence, in alphabetical order; "" counts those without."""
    contacts: tuple[str, ...] = ()
    """Who answers questions about the samples."""
    numbers: GroupStats = field(default_factory=lambda: GroupStats(images=0))
    """Statistics of all samples."""
    totals: ProvenanceTotals = field(default_factory=ProvenanceTotals)
    """The provenance of the samples."""
    crops: int = 0
    """Samples of crop subsets."""
    unrecorded: Mapping[str, list[str]] = field(default_factory=dict)
    """Fields of the provenance that subsets do not give, by subset."""


SCENE_AS = ("metadata", "class", "folder")
"""How a format can hold the scenes of a sample."""


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What the user chooses; a format names in ``takes`` what it supports."""

    scene_as: str = "metadata"
    polygons: bool = False
    """Write polygons where the format could hold exact masks."""
    merged: bool = False
    """Write one folder for all subsets."""
    shard_bytes: int | None = None
    """Size at which packing formats start another file; None: the format's default."""
    parquet: bool = False
    """Pack images and masks into Parquet files."""

    def chosen(self) -> dict[str, object]:
        """Return the options that differ from their defaults, by name."""
        return {
            name: getattr(self, name)
            for name in self.__slots__
            if getattr(self, name) != getattr(DEFAULTS, name)
        }


DEFAULTS = ExportOptions()


NO_SCENE = "_none"
"""The folder of samples without a scene; no scene has such a key."""


def scene_folder(sample: ExportSample, options: ExportOptions) -> str:
    """Return "<scene>/" if --scene-as folder is chosen, else ""."""
    return f"{sample.scene or NO_SCENE}/" if options.scene_as == "folder" else ""


def scene_classes(selection: Selection, options: ExportOptions) -> list[str]:
    """Return the names of the classes: "person", and each scene if --scene-as class is chosen.

    With scenes, "person" is the class of samples without one; it is left out if there are none.
    """
    if options.scene_as != "class":
        return ["person"]
    has_other = any(not sample.scenes for sample in selection.samples)
    return ["person"] * has_other + list(selection.scenes)


def class_of(sample: ExportSample, options: ExportOptions) -> str:
    """Return the name of the class of a sample's persons."""
    return sample.scene or "person" if options.scene_as == "class" else "person"


class LeftOut(NamedTuple):
    """A sample, or a detail of one, that the export does not hold."""

    subset: str
    phase: str
    stem: str
    what: str
    """"sample" or the detail: "holes", "ignore", "scenes"..."""
    reason: str


@dataclass
class Exported:
    """The result of an export."""

    format: str
    samples: int = 0
    """Number of samples written."""
    withdrawn: int = 0
    """Number of selected samples that are left out because they were withdrawn."""
    restricted: int = 0
    """Number of other selected samples that are left out because they are restricted."""
    fetched: int = 0
    """Number of blobs downloaded from the remote; the others were in the cache or in place."""
    left_out: int = 0
    """Number of rows of left_out.csv."""
    bad: dict[str, str] = field(default_factory=dict)
    """The reason for each file of the registry that could not be read, by path."""
    loses: str = ""
    """What the format can't hold."""
    notes: list[str] = field(default_factory=list)
    """Other things to know before the files are used."""


def unique_names(samples: Iterable[ExportSample], *, per_phase: bool) -> dict[Key, str]:
    """Return a file name without suffix for each sample, for formats with a single folder.

    The name is the stem. Where stems are equal, also if only upper and lower case differ, all of
    them are ``<subset>__<stem>``, and ``<subset>__<phase>__<stem>`` if these are equal too.

    Args:
        samples: All samples of the export.
        per_phase: Whether each phase has a folder of its own.
    """
    open_keys: list[Key] = [sample.key for sample in samples]
    names: dict[Key, str] = {}
    used: set[tuple[str, str]] = set()

    def place(key: Key, name: str) -> tuple[str, str]:
        return (key[1] if per_phase else "", name.casefold())

    for form in ("{2}", "{0}__{2}", "{0}__{1}__{2}"):
        counts: dict[tuple[str, str], int] = {}
        for key in open_keys:
            slot = place(key, form.format(*key))
            counts[slot] = counts.get(slot, 0) + 1
        still_open = []
        for key in open_keys:
            slot = place(key, form.format(*key))
            if counts[slot] == 1 and slot not in used:
                names[key] = form.format(*key)
            else:
                still_open.append(key)
        used |= {place(key, names[key]) for key in open_keys if key in names}
        open_keys = still_open
    for key in open_keys:  # a stem that looks like one of the names above
        number = 1
        while place(key, name := "__".join((*key, str(number)))) in used:
            number += 1
        names[key] = name
        used.add(place(key, name))
    return names


def by_phase(samples: Sequence[ExportSample]) -> dict[str, list[ExportSample]]:
    """Return the samples of each phase that has some, in the order train, val, test."""
    groups: dict[str, list[ExportSample]] = {}
    for sample in samples:
        groups.setdefault(sample.phase, []).append(sample)
    return {phase: groups[phase] for phase in ("train", "val", "test") if phase in groups}
