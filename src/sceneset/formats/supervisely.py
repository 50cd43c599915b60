"""Supervisely: <dataset>/ann/<image>.json with bitmaps and polygons, <dataset>/img/<image>.

Source of the form: developer.supervisely.com, "Annotation JSON format".
"""

import base64
import zlib
from collections.abc import Iterator
from typing import Any, TypeGuard

from sceneset.formats.classes import Classes, coordinates, size_of
from sceneset.formats.image_json import (
    Used,
    count_of_files,
    ignored_shapes,
    json_contents,
    missing_image,
    open_png,
    recognized_file,
)
from sceneset.formats.tree import IMAGE_ENDINGS, Tree, phase_of, suffix_of
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

_MAX_BITMAP = 64 << 20  # bytes of a PNG inside of zlib
_WITHOUT_AREA = {"line", "point", "graph", "cuboid", "cuboid_3d", "polyline"}


class _Supervisely:
    name = "supervisely"
    title = "Supervisely"
    loses = "lines, points, cuboids"

    def detect(self, tree: Tree) -> str | None:
        file = recognized_file(tree, _is_supervisely)
        return f"{file} has objects and a size; {count_of_files(tree)} in all" if file else None

    def read(self, tree: Tree, options: Options, report: Report) -> Iterator[FormatSample]:
        classes, used = Classes(options), Used(tree, report)
        for file, content in json_contents(tree, report):
            if file.rpartition("/")[2] == "meta.json":
                classes.declare(_declared(content))
            if not _is_supervisely(content):
                continue
            image = _image(file, tree)
            if image is None:
                missing_image(file.rpartition("/")[2].removesuffix(".json"), file, report)
            elif used.add(image, file):
                yield _sample(image, content, file, classes, report)
        classes.check(tree.root.name)
        used.report_lone_images()


def _is_supervisely(content: object) -> TypeGuard[dict[str, Any]]:
    return (
        isinstance(content, dict)
        and isinstance(content.get("objects"), list)
        and isinstance(content.get("size"), dict)
    )


def _declared(content: object) -> list[object]:
    """Return the names of the classes in meta.json."""
    found = content.get("classes") if isinstance(content, dict) else None
    return [c.get("title") for c in found if isinstance(c, dict)] if isinstance(found, list) else []


def _image(file: str, tree: Tree) -> str | None:
    """Return the image of a file: img/a.jpg of ann/a.jpg.json, or, in old projects, ann/a.json."""
    folder, _, name = file.removesuffix(".json").rpartition("/")
    parent, _, own = folder.rpartition("/")
    is_named = suffix_of(name) in IMAGE_ENDINGS
    for place in ("img", "images"):
        start = f"{parent}/{place}/{name}" if parent else f"{place}/{name}"
        paths = [start] if is_named else [start + ending for ending in IMAGE_ENDINGS]
        if own == "ann" and (found := next(filter(None, map(tree.same, paths)), None)):
            return found
    if is_named:
        return tree.find(name, near=file)
    matches = {found for e in IMAGE_ENDINGS if (found := tree.find(name + e, near=file))}
    return matches.pop() if len(matches) == 1 else None


def _sample(
    image: str, content: dict[str, Any], file: str, classes: Classes, report: Report
) -> FormatSample:
    shapes: list[Shape] = []
    persons, ignored = 0, []
    for number, item in enumerate(content["objects"], 1):
        name = item.get("classTitle") if isinstance(item, dict) else None
        if not isinstance(name, str):
            shapes.append(Broken(f"object {number} has no classTitle"))
            continue
        value, kind = classes.value(name), str(item.get("geometryType"))
        if kind in _WITHOUT_AREA:
            ignored += [kind] * (value != BACKGROUND)
            continue
        persons += value == PERSON
        shapes.append(_shape(item, kind, value, number))
    phase = phase_of(image) or phase_of(file) or Phase.TRAIN
    ignored_shapes(ignored, file, image, phase, report)
    size = content["size"]
    return FormatSample(
        image=image,
        phase=phase,
        mask=Drawing(tuple(shapes), size_of(size.get("width"), size.get("height"))),
        annotation=file,
        persons=persons,
        scenes=tuple(_tags(content)),
    )


def _tags(content: dict[str, Any]) -> Iterator[str]:
    """Yield the names of the image's tags, and their values if these are texts."""
    tags = content.get("tags")
    for tag in tags if isinstance(tags, list) else ():
        if isinstance(tag, dict):
            yield from (t for t in (tag.get("name"), tag.get("value")) if isinstance(t, str))


def _shape(item: dict[str, Any], kind: str, value: int, instance: int) -> Shape:
    points = item.get("points")
    outline = points if isinstance(points, dict) else {}
    ring = coordinates(outline.get("exterior"))
    if kind == "polygon":
        holes = outline.get("interior")
        rings = tuple(map(coordinates, holes)) if isinstance(holes, list) else ()
        return Polygon(_rounded(ring), "cv2", value, instance, tuple(map(_rounded, rings)))
    if kind == "rectangle":
        return Figure(ring, "rectangle", value, instance)
    if kind in {"bitmap", "alpha_mask"}:
        return _bitmap(item.get("bitmap"), value, instance)
    return Broken(f"the geometryType {kind[:40]!r} is unknown")


def _rounded(points: tuple[float, ...]) -> tuple[float, ...]:
    """Return whole coordinates, as the SDK draws them."""
    return tuple(float(round(p)) if abs(p) < 1e9 else p for p in points)


def _bitmap(bitmap: object, value: int, instance: int) -> Shape:
    data = bitmap.get("data") if isinstance(bitmap, dict) else None
    origin = bitmap.get("origin") if isinstance(bitmap, dict) else None
    if not isinstance(data, str) or not isinstance(origin, list) or len(origin) != 2:
        return Broken("the bitmap has no data or no origin")
    if not all(type(o) is int and abs(o) < 1 << 31 for o in origin):
        return Broken("the origin of the bitmap is not two whole numbers")
    try:
        unpacker = zlib.decompressobj()
        raw = unpacker.decompress(base64.b64decode(data, validate=True), _MAX_BITMAP)
        if unpacker.unconsumed_tail:
            return Broken(f"the bitmap has more than {_MAX_BITMAP >> 20} MiB")
        if not unpacker.eof:
            return Broken("the bitmap is truncated")
        open_png(raw)
    except (ValueError, zlib.error) as error:
        return Broken(f"the bitmap can't be read: {error}")
    return Bitmap(raw, origin[0], origin[1], value, instance)


FORMAT = _Supervisely()
