"""labelme: one JSON file for each image, with shapes that are drawn as labelme draws them.

Source of the drawing rules: labelme/utils/shape.py, ``shape_to_mask`` and ``shapes_to_label``.
"""

import base64
import binascii
from collections.abc import Iterator
from typing import Any, TypeGuard

from sceneset.formats.classes import Classes, coordinates, size_of
from sceneset.formats.image_json import (
    Used,
    broken_file,
    clean_name,
    count_of_files,
    ignored_shapes,
    json_contents,
    missing_image,
    open_png,
    recognized_file,
)
from sceneset.formats.own_labels import labels_of
from sceneset.formats.tree import Tree, phase_of, without_suffix
from sceneset.formats.types import FormatSample, Options, Report
from sceneset.imaging.shapes import (
    BACKGROUND,
    PERSON,
    Bitmap,
    Broken,
    Drawing,
    Figure,
    Polygon,
    Shape,
)
from sceneset.schemas.terms import Phase

_LINE_WIDTH = 10  # pixels, the default of labelme's shape_to_mask
_WITHOUT_AREA = {"point", "points", "line"}
_SIGNATURES = ((b"\xff\xd8\xff", ".jpg"), (b"\x89PNG\r\n\x1a\n", ".png"))


class _Labelme:
    name = "labelme"
    title = "labelme"
    loses = "points and lines"

    def detect(self, tree: Tree) -> str | None:
        file = recognized_file(tree, _is_labelme)
        if file is None:
            return None
        return f"{file} has shapes and an imagePath; {count_of_files(tree)} in all"

    def read(self, tree: Tree, options: Options, report: Report) -> Iterator[FormatSample]:
        classes, used = Classes(options), Used(tree, report)
        for file, content in json_contents(tree, report):
            if not _is_labelme(content):
                continue
            image = _image(content, file, tree)
            if image is None:
                missing_image(str(content.get("imagePath")), file, report)
            elif isinstance(image, Broken):
                broken_file(image.message, file, report)
            elif used.add(image, file):
                yield _sample(image, content, file, classes, report)
        classes.check(tree.root.name)
        used.report_lone_images()


def _is_labelme(content: object) -> TypeGuard[dict[str, Any]]:
    return (
        isinstance(content, dict)
        and isinstance(content.get("shapes"), list)
        and "imagePath" in content
    )


def _image(content: dict[str, Any], file: str, tree: Tree) -> str | Broken | None:
    """Return the image of a file: the one it names, the one of its own name, or its imageData."""
    name = content.get("imagePath")
    found = tree.find(name, near=file) if isinstance(name, str) else None
    found = found or next(iter(tree.beside(file)), None)
    data = content.get("imageData")
    if found or not isinstance(data, str) or not data:
        return found
    try:
        raw = base64.b64decode(data, validate=True)
    except (ValueError, binascii.Error):
        return Broken("imageData is not base64")
    suffix = next((s for start, s in _SIGNATURES if raw.startswith(start)), None)
    if suffix is None:
        return Broken("imageData is neither a JPEG nor a PNG")
    path = tree.work / f"{tree.added:07}{suffix}"
    path.write_bytes(raw)
    folder, slash, _ = file.rpartition("/")
    stem = without_suffix(clean_name(name)) if isinstance(name, str) else ""
    return tree.add_file(
        f"{folder}{slash}{stem or without_suffix(file[len(folder + slash) :])}{suffix}", path
    )


def _sample(
    image: str, content: dict[str, Any], file: str, classes: Classes, report: Report
) -> FormatSample:
    shapes: list[Shape] = []
    instances: dict[tuple[str, object], int] = {}
    persons, ignored = set(), []
    for number, item in enumerate(content["shapes"], 1):
        label = item.get("label") if isinstance(item, dict) else None
        if not isinstance(label, str):
            shapes.append(Broken(f"shape {number} has no label"))
            continue
        value, kind = classes.value(label), str(item.get("shape_type") or "polygon")
        if kind in _WITHOUT_AREA:
            ignored += [kind] * (value != BACKGROUND)
            continue
        group = item.get("group_id")
        key = (label, ("shape", number) if group is None else str(group))
        instance = instances.setdefault(key, len(instances) + 1)
        if value == PERSON:
            persons.add(instance)
        shapes.append(_shape(item, kind, value, instance))
    phase = phase_of(image) or phase_of(file) or Phase.TRAIN
    ignored_shapes(ignored, file, image, phase, report)
    return FormatSample(
        image=image,
        phase=phase,
        mask=Drawing(tuple(shapes), size_of(content.get("imageWidth"), content.get("imageHeight"))),
        annotation=file,
        persons=len(persons),
        labels=labels_of(content.get("sceneset")),
    )


def _shape(item: dict[str, Any], kind: str, value: int, instance: int) -> Shape:
    points = coordinates(item.get("points"))
    if kind == "mask":
        return _bitmap(item, points, value, instance)
    if kind in {"polygon", "rotation"} or (kind == "rectangle" and len(points) == 8):
        return Polygon(points, "pil", value, instance)
    if kind in {"rectangle", "circle"}:
        return Figure(points, kind, value, instance)
    if kind == "linestrip":
        return Figure(points, "line", value, instance, _LINE_WIDTH)
    return Broken(f"the shape type {kind[:40]!r} is unknown")


def _bitmap(item: dict[str, Any], points: tuple[float, ...], value: int, instance: int) -> Shape:
    data = item.get("mask")
    try:
        left, top, right, bottom = map(int, points)
        raw = base64.b64decode(data if isinstance(data, str) else "", validate=True)
        width, height = open_png(raw)
    except (ValueError, OverflowError) as error:
        return Broken(f"the mask can't be read: {error}")
    box = (right - left + 1, bottom - top + 1)
    if box != (width, height):
        return Broken(f"the mask is {width} x {height}, but its box is {box[0]} x {box[1]}")
    return Bitmap(raw, left, top, value, instance)


FORMAT = _Labelme()
