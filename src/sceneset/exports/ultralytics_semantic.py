"""Export for semantic segmentation with Ultralytics: images, masks as they are, and data.yaml."""

from sceneset.exports.output import Output
from sceneset.exports.types import ExportOptions, ExportSample, Selection, scene_folder
from sceneset.exports.yolo_seg import count_pairs, data_yaml


class _UltralyticsSemantic:
    name = "ultralytics-semantic"
    title = "Ultralytics semantic segmentation"
    loses = "Scenes and persons are in samples.csv."
    takes = frozenset({"folder"})

    def write(self, selection: Selection, options: ExportOptions, out: Output) -> None:
        """Write images/, masks/ and data.yaml."""

        def paths(sample: ExportSample) -> tuple[str, str]:
            folder = f"{sample.phase}/{scene_folder(sample, options)}{sample.subset}"
            return f"images/{folder}/{sample.image}", f"masks/{folder}/{sample.stem}.png"

        samples = out.place(selection.samples, paths)
        out.leave_out_scenes(samples, options)
        out.write_samples(samples, lambda sample: paths(sample)[0])
        classes = ["background", "person"]
        out.write_text("data.yaml", data_yaml(samples, classes, out, masks_dir="masks"))

    def count(self, out: Output) -> int:
        """Count the masks that have an image."""
        return count_pairs(out, "masks", ".png")


EXPORTER = _UltralyticsSemantic()
