"""Export for Hugging Face datasets: an image folder or Parquet files, with a dataset card."""

import json
from itertools import islice

from sceneset.counts import counted
from sceneset.errors import UsageError
from sceneset.exports import hf_parquet
from sceneset.exports.fields import fields_of
from sceneset.exports.hf_card import card
from sceneset.exports.output import Output
from sceneset.exports.types import ExportOptions, ExportSample, Selection, by_phase

_LINES = "metadata.jsonl"


class _HuggingFace:
    name = "hf"
    title = "Hugging Face datasets: image folder or Parquet"
    loses = ""
    takes = frozenset({"parquet", "shard_bytes"})

    def write(self, selection: Selection, options: ExportOptions, out: Output) -> None:
        """Write <phase>/metadata.jsonl with images/ and masks/, or data/*.parquet."""
        if options.parquet:
            hf_parquet.write(selection, options, out)
            files = hf_parquet.PATTERN
        else:
            if options.shard_bytes:
                raise UsageError("--shard-bytes has no meaning for image folders; add --parquet")
            _write_folders(selection, out)
            files = "{phase}/**"
        written = [s for s in selection.samples if s.key not in out.bad_samples]
        out.write_text("README.md", card(selection, written, files))

    def count(self, out: Output) -> int:
        """Count the rows, in image folders those with both files."""
        rows = 0
        for path in out.files(".", _LINES):
            folder = (out.to / path).parent
            with (out.to / path).open(encoding="utf-8") as file:
                for line in file:
                    row = json.loads(line)
                    names = row["file_name"], row["mask_file_name"]
                    rows += all((folder / name).is_file() for name in names)
        return rows + hf_parquet.count(out)


def _write_folders(selection: Selection, out: Output) -> None:
    def paths(sample: ExportSample) -> tuple[str, str]:
        image, mask = _names(sample)
        return f"{sample.phase}/{image}", f"{sample.phase}/{mask}"

    samples = out.place(selection.samples, paths)
    unknown = sum(sample.boxes is None for sample in samples)
    if 0 < unknown < len(samples):
        without = counted(unknown, "sample has", "samples have")
        out.notes.append(
            f"{_LINES} leaves out the number of boxes, because {without} none; --parquet keeps it"
        )
    for phase, group in by_phase(samples).items():
        with out.open(f"{phase}/{_LINES}") as file:
            rows = iter(group)
            while block := list(islice(rows, 1000)):
                lines = (_line(sample, has_boxes=not unknown) for sample in block)
                file.write("".join(lines).encode())


def _names(sample: ExportSample) -> tuple[str, str]:
    return f"images/{sample.subset}/{sample.image}", f"masks/{sample.subset}/{sample.stem}.png"


def _line(sample: ExportSample, *, has_boxes: bool) -> str:
    """Return the line of a sample, without nulls and lists: readers guess a column's type.

    They refuse files that differ in it, which a phase without a known value would.
    """
    image, mask = _names(sample)
    row = {"file_name": image, "mask_file_name": mask} | fields_of(sample)
    row |= {"scenes": ";".join(sample.scenes), "persons": sample.persons or ""}
    if not has_boxes:
        del row["boxes"]
    return json.dumps(row, ensure_ascii=False) + "\n"


EXPORTER = _HuggingFace()
