"""Export to COCO instances: one JSON file for each phase, masks as run lengths."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sceneset.exports.output import Output
from sceneset.exports.types import (
    ExportOptions,
    ExportSample,
    Selection,
    by_phase,
    class_of,
    scene_classes,
    scene_folder,
)

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Mask = npt.NDArray[np.uint8]

_IMAGES_START = b'],"images": [\n'


class _Coco:
    name = "coco"
    title = "COCO instances (pycocotools, supervision, Detectron2, torchvision)"
    loses = (
        "All persons of an image are one instance, because masks don't tell persons apart. Ignored "
        "pixels (255) are a region with iscrowd=1."
    )
    takes = frozenset({"class", "folder", "polygons"})

    def write(self, selection: Selection, options: ExportOptions, out: Output) -> None:
        """Write images/<phase>/<subset>/ and annotations/instances_<phase>.json."""

        def paths(sample: ExportSample) -> tuple[str, None]:
            return f"images/{sample.phase}/{_file_name(sample, options)}", None

        samples = out.place(selection.samples, paths)
        categories = scene_classes(selection, options)
        out.leave_out_scenes(samples, options)
        number_of = {sample.key: n for n, sample in enumerate(selection.samples, 1)}
        for phase, group in by_phase(samples).items():
            with out.open(_json_path(phase)) as file:
                head = {"description": selection.title, "version": selection.version}
                file.write(b'{"info": ' + _json(head) + b',\n"licenses": [],\n"categories": ')
                file.write(_json([_category(n, name) for n, name in enumerate(categories, 1)]))
                file.write(b',\n"annotations": [\n')
                written: list[ExportSample] = []
                separator = b""
                for sample, shapes in _annotations(group, options, out):
                    number = number_of[sample.key]
                    category = categories.index(class_of(sample, options)) + 1
                    for index, shape in enumerate(shapes):
                        entry = {"id": 2 * number - 1 + index, "image_id": number}
                        file.write(separator + _json(entry | {"category_id": category} | shape))
                        separator = b",\n"
                    written.append(sample)
                file.write(b"\n" + _IMAGES_START)
                for index, sample in enumerate(written):
                    entry = _image(sample, number_of[sample.key], options)
                    file.write((b",\n" if index else b"") + _json(entry))
                file.write(b"\n]}\n")

    def count(self, out: Output) -> int:
        """Count the images in the JSON files whose image file exists."""
        return sum(
            (out.to / "images" / phase / image["file_name"]).is_file()
            for phase in ("train", "val", "test")
            if (out.to / _json_path(phase)).is_file()
            for image in _listed_images(out, phase)
        )


def _listed_images(out: Output, phase: str) -> Iterator[dict[str, Any]]:
    """Yield the images of a file, line by line: the whole may be larger than memory."""
    with (out.to / _json_path(phase)).open("rb") as file:
        for line in file:
            if line == _IMAGES_START:
                break
        for line in file:
            if line.startswith(b"{"):
                image: dict[str, Any] = json.loads(line.rstrip(b",\n"))
                yield image


def _annotations(
    samples: list[ExportSample], options: ExportOptions, out: Output
) -> Iterator[tuple[ExportSample, list[dict[str, Any]]]]:
    """Yield the samples with their annotations: the person, then the ignored pixels."""
    from sceneset.imaging.polygons import edge_rings, filled
    from sceneset.imaging.shapes import IGNORE, PERSON

    def shapes(_: ExportSample, mask: "Mask") -> tuple[list[dict[str, Any]], int]:
        person, ignore = mask == PERSON, mask == IGNORE
        found, lost = [], 0
        if person.any():
            shape = _region(person, is_crowd=False)
            if options.polygons:
                inside = person.astype(mask.dtype)
                shape["segmentation"] = [ring.ravel().tolist() for ring in edge_rings(inside)]
                lost = int(((filled(inside) > 0) & ~person & ~ignore).sum())
            found.append(shape)
        if ignore.any():
            found.append(_region(ignore, is_crowd=True))
        return found, lost

    for sample, (found, lost) in out.each_mask(samples, shapes):
        out.leave_out_pixels(sample, "holes", lost, "in holes of the person became person")
        yield sample, found


def _region(inside: "npt.NDArray[np.bool_]", *, is_crowd: bool) -> dict[str, Any]:
    """Return a region as an annotation with run lengths."""
    import numpy as np

    from sceneset.imaging.rle import encode_coco

    height, width = inside.shape
    columns, rows = np.flatnonzero(inside.any(axis=0)), np.flatnonzero(inside.any(axis=1))
    left, top = int(columns[0]), int(rows[0])
    return {
        "segmentation": {"size": [height, width], "counts": encode_coco(inside)},
        "area": int(np.count_nonzero(inside)),
        "bbox": [left, top, int(columns[-1]) + 1 - left, int(rows[-1]) + 1 - top],
        "iscrowd": int(is_crowd),
    }


def _category(number: int, name: str) -> dict[str, Any]:
    return {"id": number, "name": name, "supercategory": "person"}


def _image(sample: ExportSample, number: int, options: ExportOptions) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "id": number,
        "file_name": _file_name(sample, options),
        "width": sample.width,
        "height": sample.height,
        "subset": sample.subset,
        "stem": sample.stem,
    }
    known = {"persons": sample.persons, "boxes": sample.boxes, "source": sample.source or None}
    entry |= {name: value for name, value in known.items() if value is not None}
    return entry | {"scenes": list(sample.scenes)}


def _file_name(sample: ExportSample, options: ExportOptions) -> str:
    return f"{scene_folder(sample, options)}{sample.subset}/{sample.image}"


def _json_path(phase: str) -> str:
    return f"annotations/instances_{phase}.json"


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


EXPORTER = _Coco()
