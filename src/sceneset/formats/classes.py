"""What the class names of an annotation mean, and numbers that may come from anybody."""

from collections.abc import Iterable

from sceneset.counts import counted
from sceneset.errors import fail
from sceneset.formats.types import Options, is_ignore_name, is_person_name
from sceneset.imaging.shapes import BACKGROUND, IGNORE, PERSON

_BACKGROUND_NAMES = frozenset(
    {"_background_", "background", "__background__", "bg", "neutral", "背景"}
)
_MAX_SHOWN = 12
_UNSET = frozenset({"", "0", "0.0", "false", "no", "none", "null"})


def ask_about_crowds(crowds: Iterable[object], options: Options, file: str, mark: str) -> None:
    """Ask what crowds are if every person is one: some tools write each mask like this.

    Args:
        crowds: For each person, whether it is marked as a crowd.
        options: What the user said.
        file: The file that the finding names.
        mark: How crowds are marked.

    Raises:
        FindingsError: Every person is a crowd, and the user did not say what they are.
    """
    marks = [is_set(crowd) for crowd in crowds]
    if options.crowd is None and marks and all(marks):
        fail(
            "format-unclear",
            f"every person is a crowd: {counted(len(marks), 'annotation has', 'annotations have')} "
            f"{mark}",
            file=file,
            hint="add --crowd person if each of them is a person: Datumaro, CVAT and supervision "
            "can write every mask like this; add --crowd ignore if they are groups that nobody "
            "counted",
        )


def is_set(flag: object) -> bool:
    """Return whether a flag such as iscrowd is set; some exporters write it as a text."""
    return str(flag).strip().casefold() not in _UNSET


class Classes:
    """The classes of a delivery, judged by name; collects the names to ask about them."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self.names: dict[str, None] = {}
        """The names that were seen, in their order."""
        self.has_person = False

    def value(self, name: object) -> int:
        """Return the mask value of a class."""
        if is_person_name(name, self._options):
            self.has_person = True
            return PERSON
        if is_ignore_name(name):
            return IGNORE
        text = str(name)[:100].encode("utf-8", "backslashreplace").decode()
        if not is_background_name(text) and len(self.names) < 1000:
            self.names[text] = None
        return BACKGROUND

    def declare(self, names: Iterable[object]) -> None:
        """Take the names in a list of classes, which may be used by no shape."""
        for name in names:
            self.value(name)

    def check(self, file: str) -> None:
        """Ask which class is person, if the delivery has classes and none is.

        Raises:
            FindingsError: No class is a person.
        """
        if self.has_person or not self.names:
            return
        shown = ", ".join(list(self.names)[:_MAX_SHOWN])
        more = ", ..." if len(self.names) > _MAX_SHOWN else ""
        fail(
            "format-unclear",
            f"no class is called person; classes: {shown}{more}",
            file=file,
            hint="say which is person with --person NAME",
        )


def is_background_name(name: str) -> bool:
    """Return whether a class name means background."""
    return name.strip().casefold() in _BACKGROUND_NAMES


def number(value: object) -> float:
    """Return a coordinate; what is no number becomes NaN, which drawing refuses."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return float("nan")
    try:
        return float(value)
    except OverflowError:
        return float("nan")


def score_of(value: object) -> float:
    """Return a score from 0 to 1.

    Raises:
        ValueError: It is no such number.
    """
    score = number(value)
    if not 0 <= score <= 1:  # NaN too
        raise ValueError(f"has the score {str(value)[:40]}, which is no number from 0 to 1")
    return score


def coordinates(points: object) -> tuple[float, ...]:
    """Return x and y by turns of points that are pairs, or objects with x and y."""
    flat: list[float] = []
    for point in points if isinstance(points, list) else ():
        pair = (point.get("x"), point.get("y")) if isinstance(point, dict) else point
        is_pair = isinstance(pair, list | tuple) and len(pair) == 2
        flat += map(number, pair) if is_pair else (float("nan"), float("nan"))
    return tuple(flat)


def size_of(width: object, height: object) -> tuple[int, int] | None:
    """Return the size of the annotated picture, or None if the annotation does not say it."""
    if isinstance(width, bool) or isinstance(height, bool):
        return None
    return (width, height) if isinstance(width, int) and isinstance(height, int) else None
