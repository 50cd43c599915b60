"""Read the elements of a CVAT XML file: its head, and the shapes of its images."""

import re
from dataclasses import dataclass, field

from sceneset.formats.ellipses import ellipse
from sceneset.formats.xml_files import Element
from sceneset.imaging.shapes import Broken, Polygon, Runs, Shape


@dataclass
class Task:
    """What the head of a file says."""

    name: str = ""
    names: dict[str, str] = field(default_factory=dict)
    """The name of each task of a project, by its id."""
    size: tuple[int, int] | None = None
    frames: int = 0


def task_of(meta: Element) -> Task:
    """Return what the head of a file says."""
    task = Task()
    for head in ("task", "job", "project"):
        if found := meta.find(head):
            task.name = task.name or found.words("name")
            frames = (
                whole_number(found.words("size"), 0),
                whole_number(found.words("stop_frame")) + 1,
            )
            task.frames = max(task.frames, *frames)
            size = found.find("original_size")
            if size:
                width, height = (whole_number(size.words(key)) for key in ("width", "height"))
                task.size = (width, height)
            for child in (found.find("tasks") or found).children:
                if child.name == "task":
                    task.names[child.words("id")] = child.words("name")
    size = meta.find("original_size")  # older exports
    if size and task.size is None:
        task.size = (whole_number(size.words("width")), whole_number(size.words("height")))
    task.name = task.name or meta.words("source")
    return task


def drawn_shape(element: Element, value: int, instance: int, size: tuple[int, int] | None) -> Shape:
    """Return the shape of a polygon, ellipse or mask; broken if it can't be read."""
    attributes = element.attributes
    try:
        if element.name == "polygon":
            return Polygon(_points(attributes.get("points", "")), "coco", value, instance)
        if element.name == "ellipse":
            cx, cy, rx, ry = (float(attributes[key]) for key in ("cx", "cy", "rx", "ry"))
            angle = float(attributes.get("rotation", "0"))
            points = ellipse(cx, cy, rx, ry, angle)
            return Polygon(_clipped(points, size) if size else points, "coco", value, instance)
        left, top, width, height = (
            int(attributes[key]) for key in ("left", "top", "width", "height")
        )
        runs = tuple(int(run) for run in attributes.get("rle", "").split(",") if run.strip())
    except KeyError as error:
        return Broken(f"the {element.name} has no {error.args[0]}")
    except ValueError:
        return Broken(f"the {element.name} has something else than numbers")
    return Runs(runs, "rows", (left, top, width, height), value, instance)


def _points(text: str) -> tuple[float, ...]:
    points: list[float] = []
    for pair in filter(None, (pair.strip() for pair in text.split(";"))):
        x, comma, y = pair.partition(",")
        if not comma:
            raise ValueError(pair)
        points += (float(x), float(y))
    return tuple(points)


def _clipped(points: tuple[float, ...], size: tuple[int, int]) -> tuple[float, ...]:
    """Return the part of an ellipse inside of the image; annotators may draw beyond its edges."""
    return tuple(min(max(v, 0.0), float(size[i % 2])) for i, v in enumerate(points))


def whole_number(text: str | None, otherwise: int = -1) -> int:
    """Return a whole number of at most nine digits, or another value if it is none."""
    match = re.fullmatch(r"-?[0-9]{1,9}", text or "")
    return int(match[0]) if match else otherwise
