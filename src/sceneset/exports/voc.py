"""Export to Pascal VOC: masks as palette PNG, lists of names for each phase."""

from typing import TYPE_CHECKING

from sceneset.exports.output import Output
from sceneset.exports.types import ExportOptions, ExportSample, Selection, by_phase, unique_names

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Mask = npt.NDArray[np.uint8]

_ROOT = "VOCdevkit/VOC2012"  # the only folder where torchvision looks
_SETS = f"{_ROOT}/ImageSets/Segmentation"
PERSON_INDEX, IGNORE_INDEX = 15, 255
"""Of the 21 classes of VOC 2012; 255 is its border, which is not judged."""
_LABEL_MAP = """\
# label:color_rgb:parts:actions
background:0,0,0::
person:192,128,128::
ignored:224,224,192::
"""


class _Voc:
    name = "voc"
    title = "Pascal VOC 2012 segmentation (torchvision, mmsegmentation, CVAT, Datumaro)"
    loses = (
        "There is no SegmentationObject, because masks don't tell persons apart. Scenes and "
        "persons are in samples.csv."
    )
    takes = frozenset[str]()

    def write(self, selection: Selection, options: ExportOptions, out: Output) -> None:  # noqa: ARG002
        """Write JPEGImages/, SegmentationClass/ and ImageSets/Segmentation/<phase>.txt."""
        names = unique_names(selection.samples, per_phase=False)

        def image_path(sample: ExportSample) -> str:
            return f"{_ROOT}/JPEGImages/{names[sample.key]}{sample.suffix}"

        samples = out.place(selection.samples, lambda sample: (image_path(sample), None))
        written = []
        for sample, data in out.each_mask(samples, _palette_mask):
            out.write_bytes(f"{_ROOT}/SegmentationClass/{names[sample.key]}.png", data)
            if sample.suffix != ".jpg":
                reason = f"it is {sample.suffix}; torchvision and mmsegmentation look for .jpg only"
                out.leave_out(sample, "suffix", reason)
            written.append(sample)
        for phase, group in by_phase(written).items():
            out.write_text(
                f"{_SETS}/{phase}.txt", "".join(f"{names[sample.key]}\n" for sample in group)
            )
        out.write_text(f"{_ROOT}/labelmap.txt", _LABEL_MAP)
        out.write_samples(written, image_path)

    def count(self, out: Output) -> int:
        """Count the listed names whose image and mask exist."""
        root = out.to / _ROOT
        return sum(
            (root / f"SegmentationClass/{name}.png").is_file()
            and any((root / f"JPEGImages/{name}{end}").is_file() for end in (".jpg", ".png"))
            for path in sorted((out.to / _SETS).glob("*.txt"))
            for name in path.read_text("utf-8").split("\n")[:-1]
        )


def _palette_mask(_: ExportSample, mask: "Mask") -> bytes:
    from sceneset.imaging.encode import palette_png, voc_palette
    from sceneset.imaging.shapes import IGNORE, PERSON

    return palette_png(mask, voc_palette(), {PERSON: PERSON_INDEX, IGNORE: IGNORE_INDEX})


EXPORTER = _Voc()
