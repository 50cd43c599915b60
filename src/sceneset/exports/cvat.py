"""Export to CVAT for images 1.1: an XML file for each phase, with mask elements."""

import re
from collections.abc import Iterator
from html import unescape
from typing import TYPE_CHECKING
from xml.sax.saxutils import quoteattr

from sceneset.exports.output import Output
from sceneset.exports.types import (
    ExportOptions,
    ExportSample,
    Selection,
    by_phase,
    class_of,
    scene_classes,
)

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Inside = npt.NDArray[np.bool_]
    Mask = npt.NDArray[np.uint8]

_IGNORE = "ignore"
_IMAGES = "images"
_IMAGE = re.compile(r"""<image id="[0-9]+" name=("[^"]*"|'[^']*') """)
_START = '<?xml version="1.0" encoding="utf-8"?>\n<annotations>\n'


class _Cvat:
    name = "cvat"
    title = "CVAT for images 1.1"
    loses = (
        "All persons of an image are one mask, because masks don't tell persons apart. Ignored "
        "pixels (255) are a mask of the label ignore. Numbers of persons are in samples.csv."
    )
    takes = frozenset({"class"})

    def write(self, selection: Selection, options: ExportOptions, out: Output) -> None:
        """Write images/ and <phase>.xml; a phase is a task, with its scenes as tags."""

        def image_path(sample: ExportSample) -> str:
            return f"{_IMAGES}/{_image_name(sample)}"

        samples = out.place(selection.samples, lambda sample: (image_path(sample), None))
        out.leave_out_scenes(samples, options)
        classes = [*scene_classes(selection, options), _IGNORE]
        tags = [] if options.scene_as == "class" else list(selection.scenes)
        written = []
        for phase, group in by_phase(samples).items():
            with out.open(f"{phase}.xml") as file:
                file.write((_START + _meta(phase, classes, tags)).encode())
                for number, (sample, masks) in enumerate(out.each_mask(group, _shapes)):
                    file.write(_image(sample, number, masks, options).encode())
                    written.append(sample)
                file.write(b"</annotations>\n")
        out.write_samples(written, image_path)

    def count(self, out: Output) -> int:
        """Count the images in the XML files whose image file exists."""
        return sum(
            (out.to / _IMAGES / name).is_file()
            for phase in ("train", "val", "test")
            if (out.to / f"{phase}.xml").is_file()
            for name in _listed_images(out, phase)
        )


def _image_name(sample: ExportSample) -> str:
    return f"{sample.phase}/{sample.subset}/{sample.image}"


def _meta(phase: str, classes: list[str], tags: list[str]) -> str:
    """Return the head: name and labels of the task."""
    labels = [(name, "mask") for name in classes] + [(name, "tag") for name in tags]
    lines = "".join(
        f"<label><name>{name}</name><type>{kind}</type><attributes></attributes></label>\n"
        for name, kind in labels
    )
    return (
        f"<version>1.1</version>\n<meta>\n<task>\n<name>{phase}</name>\n"
        f"<mode>annotation</mode>\n<subset>{phase}</subset>\n<labels>\n{lines}</labels>\n</task>\n"
        "</meta>\n"
    )


def _image(
    sample: ExportSample, number: int, masks: tuple[str, str], options: ExportOptions
) -> str:
    """Return the element of an image, with the masks of its person and of its ignored pixels."""
    head = f'<image id="{number}" name={quoteattr(_image_name(sample))} subset="{sample.phase}"'
    lines = [f'{head} width="{sample.width}" height="{sample.height}">\n']
    if options.scene_as != "class":
        lines += [f'<tag label="{scene}" source="manual"></tag>\n' for scene in sample.scenes]
    for label, mask in zip((class_of(sample, options), _IGNORE), masks, strict=True):
        if mask:
            lines.append(
                f'<mask label="{label}" source="manual" occluded="0" {mask} z_order="0"></mask>\n'
            )
    return "".join([*lines, "</image>\n"])


def _shapes(_: ExportSample, mask: "Mask") -> tuple[str, str]:
    from sceneset.imaging.shapes import IGNORE, PERSON

    return _mask(mask == PERSON), _mask(mask == IGNORE)


def _mask(inside: "Inside") -> str:
    """Return the attributes of a mask: row-major runs in its box; "" if it is empty."""
    import numpy as np

    from sceneset.imaging.rle import runs_of

    if not inside.any():
        return ""
    columns, rows = np.flatnonzero(inside.any(axis=0)), np.flatnonzero(inside.any(axis=1))
    left, top, right, bottom = (int(n) for n in (columns[0], rows[0], columns[-1], rows[-1]))
    runs = runs_of(inside[top : bottom + 1, left : right + 1].ravel())
    text = ", ".join(map(str, runs.tolist()))
    width, height = right + 1 - left, bottom + 1 - top
    return f'rle="{text}" left="{left}" top="{top}" width="{width}" height="{height}"'


def _listed_images(out: Output, phase: str) -> Iterator[str]:
    """Yield the names of a file's images, line by line: the whole may be larger than memory."""
    with (out.to / f"{phase}.xml").open(encoding="utf-8") as file:
        for line in file:
            if found := _IMAGE.match(line):
                yield unescape(found[1][1:-1])


EXPORTER = _Cvat()
