"""Export to labelme: one JSON file beside each image, with mask shapes or polygons."""

import base64
import json
from typing import TYPE_CHECKING, Any

from sceneset.exports.output import Output
from sceneset.exports.types import (
    ExportOptions,
    ExportSample,
    Selection,
    class_of,
    scene_classes,
    scene_folder,
)

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Inside = npt.NDArray[np.bool_]
    Mask = npt.NDArray[np.uint8]

_VERSION = "5.5.0"  # the first with mask shapes was 5.2
_IGNORE, _BACKGROUND = "__ignore__", "_background_"
"""Labels to which labelme's own converters give the values -1 and 0."""


class _Labelme:
    name = "labelme"
    title = "labelme JSON"
    loses = "All persons of an image are one shape or group, because masks don't tell them apart."
    takes = frozenset({"class", "folder", "polygons"})

    def write(self, selection: Selection, options: ExportOptions, out: Output) -> None:
        """Write <phase>/<subset>/ with images and JSON files, and labels.txt."""

        def folder(sample: ExportSample) -> str:
            return f"{sample.phase}/{scene_folder(sample, options)}{sample.subset}"

        def document(sample: ExportSample, mask: "Mask") -> tuple[bytes, int]:
            shapes, wrong = _shapes(mask, class_of(sample, options), is_polygons=options.polygons)
            return _json(_content(sample, shapes)), wrong

        samples = out.place(selection.samples, lambda s: (f"{folder(s)}/{s.image}", None))
        out.leave_out_scenes(samples, options)
        for sample, (data, wrong) in out.each_mask(samples, document):
            out.write_bytes(f"{folder(sample)}/{sample.stem}.json", data)
            out.leave_out_pixels(sample, "pixels", wrong, "differ when labelme draws the polygons")
        labels = [_IGNORE, _BACKGROUND, *scene_classes(selection, options)]
        out.write_text("labels.txt", "".join(f"{label}\n" for label in labels))

    def count(self, out: Output) -> int:
        """Count the JSON files whose image exists."""
        return sum(
            any((out.to / f"{path[:-5]}{end}").is_file() for end in (".jpg", ".png"))
            for path in out.files(".", ".json")
            if "/" in path
        )


def _content(sample: ExportSample, shapes: list[dict[str, Any]]) -> dict[str, Any]:
    known = {"persons": sample.persons, "boxes": sample.boxes, "source": sample.source or None}
    return {
        "version": _VERSION,
        "flags": dict.fromkeys(sample.scenes, True),
        "shapes": shapes,
        "imagePath": sample.image,
        "imageData": None,
        "imageHeight": sample.height,
        "imageWidth": sample.width,
        "sceneset": {  # labelme keeps entries that it does not know
            "subset": sample.subset,
            **{name: value for name, value in known.items() if value is not None},
        },
    }


def _shapes(mask: "Mask", label: str, *, is_polygons: bool) -> tuple[list[dict[str, Any]], int]:
    """Return the shapes of a mask in painting order, and the pixels that polygons get wrong."""
    from sceneset.imaging.polygons import painted_layers
    from sceneset.imaging.shapes import IGNORE, PERSON

    person, ignore = mask == PERSON, mask == IGNORE
    shapes, wrong = [], 0
    if is_polygons and person.any():
        layers, drawn = painted_layers(person.astype(mask.dtype))
        for layer, is_person in layers:
            shapes += [
                _shape(label if is_person else _BACKGROUND, "polygon", ring) for ring in layer
            ]
        # The shape of the ignored pixels is painted later.
        wrong = int(((drawn > 0) != person)[~ignore].sum())
    elif person.any():
        shapes.append(_mask_shape(label, person))
    if ignore.any():
        shapes.append(_mask_shape(_IGNORE, ignore))
    return shapes, wrong


def _mask_shape(label: str, inside: "Inside") -> dict[str, Any]:
    """Return a mask as a bitmap in its bounding box, whose corners are inside the box."""
    import numpy as np

    from sceneset.imaging.encode import bitmap_png

    columns, rows = np.flatnonzero(inside.any(axis=0)), np.flatnonzero(inside.any(axis=1))
    left, top, right, bottom = (int(n) for n in (columns[0], rows[0], columns[-1], rows[-1]))
    data = bitmap_png(inside[top : bottom + 1, left : right + 1])
    shape = _shape(label, "mask", [[left, top], [right, bottom]])
    return shape | {"mask": base64.b64encode(data).decode("ascii")}


def _shape(label: str, kind: str, points: list[list[int]]) -> dict[str, Any]:
    return {
        "label": label,
        "points": points,
        "group_id": 1 if kind == "polygon" and not label.startswith("_") else None,
        "description": "",
        "shape_type": kind,
        "flags": {},
        "mask": None,
    }


def _json(value: object) -> bytes:
    return (json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode()


EXPORTER = _Labelme()
