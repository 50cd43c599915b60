"""Hugging Face: parquet files with images and masks in them, and imagefolder with metadata.

Source of the form: huggingface.co/docs/datasets, "Create an image dataset"; images in parquet are
structs of bytes and path.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

from sceneset.errors import FindingsError, fail
from sceneset.formats.image_json import Used, clean_name, missing_image
from sceneset.formats.mask_folders import report_lone_files
from sceneset.formats.metadata_lines import metadata_rows
from sceneset.formats.own_labels import labels_of
from sceneset.formats.tree import Tree, phase_of, without_suffix
from sceneset.formats.types import FormatSample, MaskFile, Options, Report
from sceneset.schemas.finding import Finding, finding
from sceneset.schemas.terms import Phase

MASK_NAMES = (
    *("mask", "masks", "segmentation_mask", "semantic_mask", "label_mask", "annotation", "gt"),
    *("semantic_segmentation", "segmentation", "seg", "mask_image", "label", "labels", "matte"),
)
_IMAGE_NAMES = ("image", "img", "picture", "pixel_values", "file", "jpg", "png")
_CATEGORIES = ("scene", "scenes", "category", "categories", "label", "labels", "scene_category")
_OWN = ("subset", "persons", "boxes", "source")  # see own_labels.py
_SENTENCES = ("caption", "captions", "text", "description")
_SIGNATURES = (
    *((b"\xff\xd8\xff", ".jpg"), (b"\x89PNG\r\n\x1a\n", ".png"), (b"BM", ".bmp")),
    *((b"GIF8", ".gif"), (b"II*\0", ".tif"), (b"MM\0*", ".tif")),
)
_METADATA = ("metadata.jsonl", "metadata.csv")
_BATCH = 16  # rows that are held in memory
_MAX_GROUP = 16 << 30  # bytes of a row group, which is read as a whole


class _HuggingFace:
    name = "hf"
    title = "Hugging Face parquet or imagefolder"
    loses = "other columns"

    def detect(self, tree: Tree) -> str | None:
        parquet = tree.with_suffix(".parquet")
        for file in parquet[:3]:
            try:
                image, mask = _Parquet(file, tree).columns
            except FindingsError:
                continue
            if image and mask:
                return f"{file} has images in the column {image} and masks in {mask}"
        for file in _metadata_files(tree)[:3]:
            try:
                row = next(metadata_rows(tree, file, _unread), None)
            except FindingsError:
                continue
            if row and (column := _mask_column(row[1])):
                return f"{file} names images and, in the column {column}, their masks"
        return None

    def read(self, tree: Tree, options: Options, report: Report) -> Iterator[FormatSample]:
        del options
        used = Used(tree, report)
        images: set[str] = set()
        masks: set[str] = set()
        found = False
        for file in tree.with_suffix(".parquet"):
            parquet = _Parquet(file, tree)
            if all(parquet.columns):
                found = True
                yield from parquet.samples(report)
        for file in _metadata_files(tree):
            for row, values in metadata_rows(tree, file, report):
                found = True
                sample = _folder_sample(tree, f"{file} (line {row})", values, report)
                if sample is None or not used.add(sample.image, sample.annotation):
                    continue
                images.add(sample.image)
                if isinstance(sample.mask, MaskFile) and sample.mask.path:
                    masks.add(sample.mask.path)
                    sample.annotation = sample.mask.path
                    yield sample
        if not found:
            fail(
                "layout",
                "there is no parquet or metadata file with images and masks",
                file=tree.root.name,
            )
        _report_lone(tree, images, masks, report)


def _report_lone(tree: Tree, images: set[str], masks: set[str], report: Report) -> None:
    """Report pictures beside images or masks of the metadata that no line names."""
    image_folders = {file.rpartition("/")[0] for file in images}
    mask_folders = {file.rpartition("/")[0] for file in masks} - image_folders
    lone = [file for file in tree.images if file not in images and file not in masks]
    report_lone_files(
        (file for file in lone if file.rpartition("/")[0] in image_folders),
        (file for file in lone if file.rpartition("/")[0] in mask_folders),
        report,
    )


def _unread(_: Finding) -> None:
    """Take a finding that is reported when the delivery is read."""


def _metadata_files(tree: Tree) -> list[str]:
    return [file for file in tree.files if file.rpartition("/")[2] in _METADATA]


def _mask_column(row: Mapping[str, object]) -> str:
    """Return the column of a row of metadata that names the mask: mask_file_name."""
    columns = [f"{name}_file_name" for name in MASK_NAMES]
    return next((c for c in (*columns, "mask") if isinstance(row.get(c), str) and row[c]), "")


def _folder_sample(
    tree: Tree, place: str, values: Mapping[str, Any], report: Report
) -> FormatSample | None:
    """Return the sample of a line, with an empty path if its mask is missing; report what is."""
    file = place.rpartition(" (line ")[0]
    name, column = values.get("file_name") or values.get("image_file_name"), _mask_column(values)
    image = _beside(tree, file, name)
    if image is None:
        missing_image(name if isinstance(name, str) else "", place, report)
        return None
    mask = _beside(tree, file, values.get(column)) if column else None
    phase = phase_of(image) or phase_of(file) or Phase.TRAIN
    if mask is None:
        shown = str(values.get(column))[:200] if column else ""
        report(
            finding(
                "mask-missing",
                f"there is no mask {shown!r}" if shown else "the line names no mask",
                file=place,
                hint="add the mask, or leave the sample out with --quarantine",
                phase=phase,
                stem=without_suffix(image.rpartition("/")[2]),
            )
        )
    return FormatSample(
        image=image,
        phase=phase,
        mask=MaskFile(mask or ""),
        annotation=place,
        source=_text(values.get("source")),
        scenes=_words(values, _CATEGORIES),
        captions=_words(values, _SENTENCES),
        labels=labels_of(values),
    )


def _beside(tree: Tree, file: str, name: object) -> str | None:
    """Return the file that a line of metadata names, relative to the folder of the metadata."""
    if not isinstance(name, str) or not name:
        return None
    folder = file.rpartition("/")[0]
    path = PurePosixPath(folder, name.replace("\\", "/")).as_posix()
    return tree.same(path) or tree.find(name, near=file)


def _words(values: Mapping[str, Any], columns: tuple[str, ...]) -> tuple[str, ...]:
    words: list[str] = []
    for column in columns:
        value = values.get(column)
        words += [v for v in (value if isinstance(value, list) else [value]) if isinstance(v, str)]
    return tuple(filter(None, words))


def _text(value: object) -> str:
    return " ".join(value.split())[:200] if isinstance(value, str) else ""


class _Parquet:
    """One parquet file."""

    def __init__(self, file: str, tree: Tree) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        self.file, self.tree = file, tree
        self.errors = (pa.ArrowException, OSError, ValueError)
        try:
            self.parquet = pq.ParquetFile(tree.path(file), memory_map=False)
            self.schema = self.parquet.schema_arrow
            meta = self.parquet.metadata
            groups = [meta.row_group(n).total_byte_size for n in range(meta.num_row_groups)]
        except self.errors as error:
            self._fail(error)
        if max(groups, default=0) > _MAX_GROUP:
            self._fail(f"a row group has more than {_MAX_GROUP:,} bytes")
        self.columns = self._columns()

    def _fail(self, error: object) -> None:
        text = (str(error).splitlines() or ["it is empty"])[0][:200]
        fail(
            "annotation-broken",
            f"is no parquet file that can be read: {text}",
            file=self.file,
            hint="get the file again",
        )

    def _columns(self) -> tuple[str, str]:
        """Return the columns of images and of masks; "" if there is none."""
        import pyarrow as pa

        structs = [
            f.name
            for f in self.schema
            if pa.types.is_struct(f.type) and {"bytes", "path"} <= {child.name for child in f.type}
        ]
        mask = next((n for n in MASK_NAMES if n in structs), "")
        others = [name for name in structs if name != mask]
        image = next(
            (n for n in _IMAGE_NAMES if n in others), others[0] if len(others) == 1 else ""
        )
        return image, mask

    def _class_names(self) -> dict[str, list[str]]:
        """Return the names of the classes of columns that hold their numbers."""
        metadata = self.schema.metadata or {}
        try:
            features = json.loads(metadata.get(b"huggingface", b"{}"))["info"]["features"]
        except (ValueError, KeyError, TypeError, RecursionError):
            return {}
        return {
            name: [str(n) for n in feature["names"]]
            for name, feature in (features.items() if isinstance(features, dict) else ())
            if isinstance(feature, dict) and isinstance(feature.get("names"), list)
        }

    def samples(self, report: Report) -> Iterator[FormatSample]:
        """Yield the rows; their images and masks are written into the work folder."""
        image, mask = self.columns
        classes = self._class_names()
        known = [
            name
            for name in self.schema.names
            if name in {*_CATEGORIES, *_SENTENCES, *_OWN, "file_name"} - {image, mask}
        ]
        phase = phase_of(self.file) or Phase.TRAIN
        row = 0
        try:
            for batch in self.parquet.iter_batches(_BATCH, columns=[image, mask, *known]):
                for values in batch.to_pylist():
                    row += 1
                    for name in known:
                        names, value = classes.get(name, []), values[name]
                        if type(value) is int and 0 <= value < len(names):
                            values[name] = names[value]
                    yield from self._sample(row, values, phase, report)
        except self.errors as error:
            self._fail(f"{error} (after row {row})")

    def _sample(
        self, row: int, values: dict[str, Any], phase: Phase, report: Report
    ) -> Iterator[FormatSample]:
        place = f"{self.file} (row {row})"
        structs = [values[column] or {} for column in self.columns]
        given = values.get("file_name") or structs[0].get("path")
        name = clean_name(given) if isinstance(given, str) else ""
        stem = without_suffix(name) or f"{without_suffix(clean_name(self.file))}_{row:07}"
        folder = without_suffix(self.file)
        files = []
        for column, struct in zip(self.columns, structs, strict=True):
            is_image = column == self.columns[0]
            found, problem = self._file(struct, f"{folder}/{'' if is_image else 'masks/'}{stem}")
            if problem:
                code = "image-missing" if is_image else "mask-missing"
                hint = "leave the row out with --quarantine, or get the file again"
                message = f"the column {column} {problem}"
                report(finding(code, message, file=place, hint=hint, phase=phase, stem=stem))
                return
            files.append(found)
        yield FormatSample(
            image=files[0],
            phase=phase,
            mask=MaskFile(files[1]),
            annotation=place,
            source=_text(values.get("source")),
            scenes=_words(values, tuple(c for c in _CATEGORIES if c != self.columns[1])),
            captions=_words(values, _SENTENCES),
            labels=labels_of(values),
        )

    def _file(self, struct: dict[str, Any], name: str) -> tuple[str, str]:
        """Return the file of an image in a row, and why there is none."""
        data, path = struct.get("bytes"), struct.get("path")
        if not data:
            found = self.tree.find(path, near=self.file) if isinstance(path, str) else None
            return found or "", "" if found else "is empty"
        if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
            suffix = ".webp"
        else:
            suffix = next((s for start, s in _SIGNATURES if data.startswith(start)), "")
        if not suffix:
            return "", "has bytes that are no image"
        target = self.tree.work / f"{self.tree.added:07}{suffix}"
        target.write_bytes(data)
        return self.tree.add_file(f"{name}{suffix}", target), ""


FORMAT = _HuggingFace()
