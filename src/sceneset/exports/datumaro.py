"""Export for Datumaro: semantic segmentation with a folder for each phase."""

import json
from typing import TYPE_CHECKING

from sceneset.exports.output import Output
from sceneset.exports.types import ExportOptions, ExportSample, Selection, by_phase, unique_names

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Mask = npt.NDArray[np.uint8]

_IGNORE_INDEX = 2
_META = {
    "labels": ["background", "person", "ignored"],
    "label_map": {"0": "background", "1": "person", "2": "ignored"},
    "segmentation_colors": [[0, 0, 0], [192, 128, 128], [224, 224, 192]],
    "background_label": "0",
}
"""The values of a mask are indices of labels; Datumaro fails on values without a label."""


class _Datumaro:
    name = "datumaro"
    title = "Datumaro (common_semantic_segmentation_with_subset_dirs)"
    loses = (
        "Ignored pixels (255) have the value 2, the label ignored. Scenes and persons are in "
        "samples.csv."
    )
    takes = frozenset[str]()

    def write(self, selection: Selection, options: ExportOptions, out: Output) -> None:  # noqa: ARG002
        """Write <phase>/images/, <phase>/masks/ and <phase>/dataset_meta.json.

        There are no folders for subsets, because Datumaro pairs masks by their file names alone.
        """
        names = unique_names(selection.samples, per_phase=True)

        def image_path(sample: ExportSample) -> str:
            return f"{sample.phase}/images/{names[sample.key]}{sample.suffix}"

        samples = out.place(selection.samples, lambda sample: (image_path(sample), None))
        written = []
        for sample, data in out.each_mask(samples, _index_mask):
            out.write_bytes(f"{sample.phase}/masks/{names[sample.key]}.png", data)
            written.append(sample)
        for phase in by_phase(written):
            out.write_text(f"{phase}/dataset_meta.json", json.dumps(_META, indent=1) + "\n")
        out.write_samples(written, image_path)

    def count(self, out: Output) -> int:
        """Count the masks that have an image."""
        return sum(
            any((out.to / phase / f"images/{mask[:-4]}{end}").is_file() for end in (".jpg", ".png"))
            for phase in ("train", "val", "test")
            for mask in out.files(f"{phase}/masks", ".png")
        )


def _index_mask(_: ExportSample, mask: "Mask") -> bytes:
    from sceneset.imaging.encode import grey_png
    from sceneset.imaging.shapes import IGNORE, PERSON

    return grey_png(mask, {PERSON: PERSON, IGNORE: _IGNORE_INDEX})


EXPORTER = _Datumaro()
