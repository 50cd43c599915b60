"""Read boxes from CVAT XML: images, and tracks of a video."""

from collections.abc import Iterator
from pathlib import Path

from sceneset.catalog.subset_folder import printable
from sceneset.cropping.box_values import checked, floats
from sceneset.cropping.types import Boxes, Detection, Reason, Refusal
from sceneset.formats.classes import size_of
from sceneset.formats.types import Options, is_person_name
from sceneset.formats.xml_files import Element, elements_of
from sceneset.schemas.crop import Sides

_SIDES = ("xtl", "ytl", "xbr", "ybr")


def read_cvat(file: Path, options: Options, about: str) -> Boxes:
    """Return the boxes of persons. Other shapes of persons are listed as refused.

    Args:
        file: The XML file; a track's boxes belong to images called frame_000012.
        options: Further names of labels that mean person.
        about: What the record of crops says of the file.

    Raises:
        FindingsError: The file can't be read, or is no XML.
    """
    boxes = Boxes(about)
    for element in elements_of(file, file.name):
        for image, label, shape, size in _shapes(element):
            if image is None:
                continue
            boxes.images.setdefault(image)
            if shape is None:
                continue
            if not is_person_name(label, options):
                boxes.others[printable(label)[:40]] += 1
                continue
            place = f"{file.name} (line {shape.line})"
            if shape.name != "box":
                detail = f"is a {shape.name}, not a box"
                boxes.refused.append(Refusal(Reason.NOT_A_BOX, image, place, detail))
                continue
            try:
                sides = _box(shape)
            except ValueError as error:
                boxes.refused.append(Refusal(Reason.BROKEN, image, place, str(error)))
                continue
            boxes.detections.append(Detection(image, sides, None, place, size=size))
    return boxes


_Found = tuple[str | None, str, Element | None, tuple[int, int] | None]
"""Image, label, shape and size of the image; no shape for an image without one."""


def _shapes(element: Element) -> Iterator[_Found]:
    if element.name == "image":
        name = element.attributes.get("name")
        size = size_of(*(_whole(element.attributes.get(side)) for side in ("width", "height")))
        yield name, "", None, size
        for child in element.children:
            if child.name != "tag":
                yield name, child.attributes.get("label", ""), child, size
    elif element.name == "track":
        label = element.attributes.get("label", "")
        for child in element.children:
            frame = _whole(child.attributes.get("frame"))
            if child.attributes.get("outside") != "1" and frame is not None:
                yield f"frame_{frame:06}", label, child, None


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None


def _box(shape: Element) -> Sides:
    left, top, right, bottom = floats([shape.attributes.get(side, "") for side in _SIDES])
    [rotation] = floats([shape.attributes.get("rotation", "0")])
    if rotation % 360:
        raise ValueError(f"is rotated by {rotation:g} degrees; a crop has upright sides")
    return checked((left, top, right, bottom))
