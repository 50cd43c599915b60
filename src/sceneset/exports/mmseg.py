"""Export for mmsegmentation: files as `sceneset pull` lays them out, and configs."""

from collections.abc import Iterator
from pathlib import Path

from sceneset.exports.mmseg_config import Part, config_0x, config_1x, licence_comment
from sceneset.exports.output import Output
from sceneset.exports.types import ExportOptions, ExportSample, Key, Selection, unique_names

_SPLIT = "selection_"
"""Start of the names of the split files that list the exported samples."""


class _Mmseg:
    name = "mmseg"
    title = "mmsegmentation 1.x and 0.x"
    loses = "Scenes and persons are in split files only."
    takes = frozenset({"merged"})

    def write(self, selection: Selection, options: ExportOptions, out: Output) -> None:
        """Write a dataset for each subset and phase; or one folder, with a dataset per suffix."""
        names: dict[Key, str] = {}
        if options.merged:
            names = unique_names(selection.samples, per_phase=True)

        def paths(sample: ExportSample) -> tuple[str, str]:
            if not options.merged:
                return sample.image_path, sample.mask_path
            name = f"{sample.phase}/{names[sample.key]}"
            return f"img_dir/{name}{sample.suffix}", f"ann_dir/{name}.png"

        samples = out.place(selection.samples, paths)
        if options.merged:
            out.write_samples(samples, lambda sample: paths(sample)[0])
        else:
            _write_split_files(selection, out)
        parts: dict[Part, list[str]] = {}
        for sample in samples:
            part = _part_of(sample, is_merged=options.merged)
            parts.setdefault(part, []).append(names.get(sample.key, sample.stem))
        for part, stems in parts.items():
            out.write_text(part.split, "".join(f"{stem}\n" for stem in stems))
        if not samples:
            return
        datasets = sorted(parts, key=lambda part: part.split)
        comment = licence_comment(selection.licences)
        out.write_text("mmseg_1x.py", config_1x(datasets, selection.colour, comment))
        out.write_text("mmseg_0x.py", config_0x(datasets, selection.colour, comment))
        if not any(part.phase == "val" for part in datasets):
            out.notes.append("no validation sample is selected, so the configs have no val dataset")

    def count(self, out: Output) -> int:
        """Count the lines of the split files of the configs whose image and mask exist."""
        return sum(
            (base / f"ann_dir/{phase}/{stem}.png").is_file()
            and any((base / f"img_dir/{phase}/{stem}{end}").is_file() for end in (".jpg", ".png"))
            for base, phase, stem in _listed(out.to)
        )


def _write_split_files(selection: Selection, out: Output) -> None:
    """Write the split files that a pull writes: one for each row of a scene table."""
    for path, text in selection.split_texts(out.bad_samples).items():
        if text:  # mmsegmentation fails on an empty split file
            out.write_text(path, text)
        else:
            (out.to / path).unlink(missing_ok=True)


def _part_of(sample: ExportSample, *, is_merged: bool) -> Part:
    suffix, phase = sample.suffix, sample.phase
    if is_merged:  # img_suffix is one for each dataset
        return Part(phase, "", suffix, f"split_dir/{_SPLIT}{phase}_{suffix[1:]}.txt")
    return Part(phase, sample.subset, suffix, f"{sample.subset}/split_dir/{_SPLIT}{phase}.txt")


def _listed(to: Path) -> Iterator[tuple[Path, str, str]]:
    """Yield the lines of the split files of the configs, with their folder and phase."""
    for pattern in (f"split_dir/{_SPLIT}*.txt", f"*/split_dir/{_SPLIT}*.txt"):
        for path in sorted(to.glob(pattern)):
            phase = path.stem.removeprefix(_SPLIT).partition("_")[0]
            if phase in {"train", "val", "test"}:
                for stem in path.read_text("utf-8").split("\n")[:-1]:
                    yield path.parents[1], phase, stem


EXPORTER = _Mmseg()
