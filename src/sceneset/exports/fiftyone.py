"""Export for FiftyOne: images, masks, samples.json, and a program that makes a dataset of them.

FiftyOne's own dataset form depends on its version and its database; samples.json does not.
"""

import json

from sceneset.exports.fields import fields_of
from sceneset.exports.output import Output
from sceneset.exports.types import ExportOptions, ExportSample, Selection

_FILE, _PROGRAM = "samples.json", "load_fiftyone.py"
_START = b'{"samples": [\n'
_TEXT = '''\
"""Make a FiftyOne dataset of the samples beside this file.

    python load_fiftyone.py NAME

Each phase alone is an ImageSegmentationDirectory too, without the fields of the samples:

    fo.Dataset.from_dir("train", fo.types.ImageSegmentationDirectory)
"""

import json
import sys
from pathlib import Path

import fiftyone as fo

FOLDER = Path(__file__).resolve().parent
MASK_TARGETS = {1: "person", 255: "ignore"}


def samples():
    """Yield the samples; images and masks stay where they are."""
    for entry in json.loads((FOLDER / "samples.json").read_text("utf-8"))["samples"]:
        image, mask = entry.pop("image"), entry.pop("mask")
        size = {"width": entry.pop("width"), "height": entry.pop("height")}
        yield fo.Sample(
            filepath=str(FOLDER / image),
            tags=[entry["phase"]],
            metadata=fo.ImageMetadata(**size),
            ground_truth=fo.Segmentation(mask_path=str(FOLDER / mask)),
            **entry,
        )


if __name__ == "__main__":
    dataset = fo.Dataset(sys.argv[1], persistent=True)
    dataset.mask_targets = {"ground_truth": MASK_TARGETS}
    dataset.add_samples(samples())
    print(dataset)
'''


class _FiftyOne:
    name = "fiftyone"
    title = "FiftyOne"
    loses = ""
    takes = frozenset[str]()

    def write(self, selection: Selection, options: ExportOptions, out: Output) -> None:  # noqa: ARG002
        """Write <phase>/data/, <phase>/labels/, samples.json and load_fiftyone.py."""
        samples = out.place(selection.samples, _paths)
        with out.open(_FILE) as file:
            file.write(_START)
            for index, sample in enumerate(samples):
                image, mask = _paths(sample)
                entry = {"image": image, "mask": mask} | fields_of(sample)
                text = json.dumps(entry, ensure_ascii=False)
                file.write(((",\n" if index else "") + text).encode())
            file.write(b"\n]}\n")
        out.write_text(_PROGRAM, _TEXT)

    def count(self, out: Output) -> int:
        """Count the samples of samples.json that have both files."""
        found = 0
        with (out.to / _FILE).open("rb") as file:
            for line in file:
                if line.startswith(b'{"image"'):
                    entry = json.loads(line.rstrip(b",\n"))
                    found += all((out.to / entry[kind]).is_file() for kind in ("image", "mask"))
        return found


def _paths(sample: ExportSample) -> tuple[str, str]:
    """Return where image and mask go; FiftyOne pairs them by what follows data/ and labels/."""
    return (
        f"{sample.phase}/data/{sample.subset}/{sample.image}",
        f"{sample.phase}/labels/{sample.subset}/{sample.stem}.png",
    )


EXPORTER = _FiftyOne()
