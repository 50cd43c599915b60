"""Samples of a delivery in any annotation format, and the protocol that each format follows."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

from sceneset.imaging.shapes import BACKGROUND, IGNORE, PERSON, Drawing
from sceneset.schemas.finding import Finding
from sceneset.schemas.terms import Persons, Phase, fold_name

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from sceneset.formats.tree import Tree

Report = Callable[[Finding], None]
"""Takes the findings of a format while it reads."""


@dataclass(frozen=True, slots=True)
class MaskFile:
    """A mask that is given as a file of pixel values, which the options map."""

    path: str
    """Relative to the delivery."""
    mapping: "Mapping | None" = None
    """The meaning of the values, if the format defines it; otherwise, the options do."""
    segments: "dict[int, int] | None" = None
    """The mask value of each colour (R + 256 G + 65,536 B), if the file is a picture whose colours
    are ids. A colour that is not in the table is an error."""
    instances: str = ""
    """A file of the same size whose values number the objects, to count persons; 0 and 255 are
    none."""


class Mapping(NamedTuple):
    """The meaning of the values of mask files."""

    person: frozenset[int] = frozenset()
    instance: frozenset[int] = frozenset()
    """Values that are one person each."""
    ignore: frozenset[int] = frozenset()
    person_from: int | None = None
    """All values from this one on are person, but those named otherwise."""
    instance_from: int | None = None
    """All values from this one on are one person each, but those named otherwise."""

    def table(self) -> "npt.NDArray[np.uint8]":
        """Return the mask value for each of the values 0 to 65,535."""
        import numpy as np

        table = np.zeros(65_536, np.uint8)
        for start in (self.person_from, self.instance_from):
            if start is not None:
                table[start:] = PERSON
        table[list(self.background)] = BACKGROUND
        table[[*self.person, *self.instance]] = PERSON
        table[list(self.ignore)] = IGNORE
        return table

    background: frozenset[int] = frozenset({0})

    def is_instance(self, value: int) -> bool:
        """Return whether a value stands for one person."""
        if value in self.instance:
            return True
        named = self.person | self.ignore | self.background
        start = self.instance_from
        return start is not None and value >= start and value not in named


class Labels(NamedTuple):
    """Labels of a sample in the terms of the registry, as `sceneset export` writes them."""

    persons: Persons | None
    boxes: int | None
    source: str


@dataclass(slots=True)
class FormatSample:
    """One image of a delivery with what its annotation says."""

    image: str
    """Path of the image, relative to the delivery."""
    phase: Phase
    mask: Drawing | MaskFile
    annotation: str
    """What findings on the mask name: the file of the annotation, perhaps with a place in it."""
    persons: int | None = None
    """Number of persons, if the annotation knows instances."""
    has_crowd: bool = False
    """Whether a region of uncounted persons is marked."""
    source: str = ""
    """The video or session that the image comes from."""
    scenes: tuple[str, ...] = ()
    """Categories of the image that may name scenes. Only proposals use them."""
    captions: tuple[str, ...] = ()
    """Sentences that describe the image. Only proposals use them."""
    labels: Labels | None = None
    """Labels that an export wrote; they count instead of persons, crowds and source."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the user says about a delivery."""

    mapping: Mapping | None = None
    colours: "tuple[tuple[tuple[int, int, int], str], ...]" = ()
    """Meanings of colours in RGB masks: ((r, g, b), "person" or "ignore" or "background")."""
    crowd: str | None = None
    """"ignore" or "person"; None: ignore, but ask if every person is a crowd."""
    annotated_as: str | None = None
    """"stored" or "shown": whether annotations of turned images fit the pixels or the picture."""
    resize_masks: str | None = None
    """"nearest", or None to refuse masks of another size."""
    threshold: tuple[float, float] | None = None
    """Soft masks: below the first it is background, from the second on person, ignore between."""
    names: frozenset[str] = field(default_factory=frozenset)
    """More names of the class person, folded."""
    img_suffix: str = ""
    """The suffix that images must have; "" for the most frequent one."""


class Format(Protocol):
    """One annotation format."""

    name: str
    """The value of --format."""
    title: str
    """The name that people know."""
    # A format may have the attribute `loses` too: what it does not read, in a few words.

    def detect(self, tree: "Tree") -> str | None:
        """Return in words why a delivery looks like this format, or None if it does not."""

    def read(self, tree: "Tree", options: Options, report: Report) -> Iterable[FormatSample]:
        """Yield the samples; report what can't be read, and images without an annotation.

        Raises:
            FindingsError: The delivery as a whole can't be read.
        """


_PERSON_NAMES = frozenset(
    {
        *("person", "persons", "people", "human", "humans", "pedestrian", "pedestrians", "man"),
        *("men", "woman", "women", "child", "children", "boy", "boys", "girl", "girls", "portrait"),
        *("人", "人物", "人体", "人體", "人像", "行人", "男人", "女人", "儿童", "男孩", "女孩"),
    }
)
_IGNORE_NAMES = frozenset(
    {
        *("ignore", "ignored", "void", "don't care", "dontcare", "忽略"),
        *("ignore region", "ignore regions", "ignored region", "ignored regions", "忽略区域"),
    }
)
_NUMBER = re.compile(r" ?[0-9]+$")
"""Behind a class name: users of labelme number persons to keep them separate."""


def is_person_name(name: object, options: Options = Options()) -> bool:
    """Return whether a class name means person; numbers alone never do.

    A number after the name does not matter: person_1 and person_2 are persons.
    """
    folded = _folded(name)
    return bool({folded, _NUMBER.sub("", folded)} & (_PERSON_NAMES | options.names))


def is_ignore_name(name: object) -> bool:
    """Return whether a class name means that pixels are not judged."""
    return _folded(name) in _IGNORE_NAMES


def _folded(name: object) -> str:
    return fold_name(name) if isinstance(name, str) else ""
