"""Export to YOLO segmentation: polygons as shares of width and height, and data.yaml."""

from typing import TYPE_CHECKING

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
from sceneset.storage.yaml_files import dump_yaml

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Mask = npt.NDArray[np.uint8]

_INSIDE = 0.25
"""Added to the coordinates of a pixel: readers that round and readers that truncate get it back."""


class _YoloSeg:
    name = "yolo-seg"
    title = "YOLO segmentation (Ultralytics, supervision)"
    loses = (
        "Holes are filled, ignored pixels (255) are background, and each part of the mask is an "
        "instance. Scenes and persons are in samples.csv."
    )
    takes = frozenset({"class", "folder"})

    def write(self, selection: Selection, options: ExportOptions, out: Output) -> None:
        """Write images/, labels/ and data.yaml. A sample without a person has an empty label."""

        def paths(sample: ExportSample) -> tuple[str, None]:
            return f"images/{_place(sample, options)}{sample.suffix}", None

        classes = scene_classes(selection, options)
        samples = out.place(selection.samples, paths)
        out.leave_out_scenes(samples, options)
        written = []
        for sample, (rings, holes, ignored) in out.each_mask(samples, _outline):
            number = classes.index(class_of(sample, options))
            out.write_bytes(
                f"labels/{_place(sample, options)}.txt",
                "".join(f"{number} {ring}\n" for ring in rings).encode(),
            )
            out.leave_out_pixels(sample, "holes", holes, "in holes of the person became person")
            out.leave_out_pixels(sample, "ignore", ignored, "to ignore became background")
            written.append(sample)
        out.write_samples(written, lambda sample: paths(sample)[0])
        out.write_text("data.yaml", data_yaml(written, classes, out))

    def count(self, out: Output) -> int:
        """Count the label files that have an image."""
        return count_pairs(out, "labels", ".txt")


def _place(sample: ExportSample, options: ExportOptions) -> str:
    return f"{sample.phase}/{scene_folder(sample, options)}{sample.subset}/{sample.stem}"


def _outline(sample: ExportSample, mask: "Mask") -> tuple[list[str], int, int]:
    """Return the outline of each part as text, and the pixels in holes and ignored elsewhere."""
    from sceneset.imaging.polygons import centre_rings, filled
    from sceneset.imaging.shapes import IGNORE, PERSON

    inside = (mask == PERSON).astype(mask.dtype)
    rings = [
        " ".join(
            f"{(x + _INSIDE) / sample.width:.7f} {(y + _INSIDE) / sample.height:.7f}"
            for x, y in ring.tolist()
        )
        for ring in centre_rings(inside)
    ]
    covered = filled(inside) > 0
    ignored = (mask == IGNORE) & ~covered
    return rings, int(covered.sum() - inside.sum()), int(ignored.sum())


def data_yaml(samples: list[ExportSample], classes: list[str], out: Output, **more: object) -> str:
    """Return data.yaml of Ultralytics; its folders are relative to the file."""
    phases = list(by_phase(samples))
    for phase in {"train", "val"}.difference(phases):
        out.notes.append(
            f"no {phase} sample is selected; Ultralytics needs a folder for `{phase}:` in data.yaml"
        )
    folders = {phase: f"images/{phase}" for phase in phases}
    return dump_yaml({**folders, **more, "names": dict(enumerate(classes))})


def count_pairs(out: Output, folder: str, suffix: str) -> int:
    """Return the number of files below a folder that have an image of the same name."""
    return sum(
        any((out.to / f"images/{path[: -len(suffix)]}{end}").is_file() for end in (".jpg", ".png"))
        for path in out.files(folder, suffix)
    )


EXPORTER = _YoloSeg()
