"""Export the samples that a query selects: choose, write, count again, and record."""

import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

from sceneset.catalog.query import Query
from sceneset.catalog.reader import Catalog
from sceneset.counts import counted
from sceneset.errors import ExportError, NothingFoundError, UsageError
from sceneset.exports.exporter import Exporter
from sceneset.exports.output import Output
from sceneset.exports.registry import find_exporter
from sceneset.exports.selection import select_samples
from sceneset.exports.types import (
    DEFAULTS,
    SCENE_AS,
    Exported,
    ExportOptions,
    Key,
    LeftOut,
    Selection,
)
from sceneset.progress import Progress, no_progress
from sceneset.schemas.provenance import Restriction
from sceneset.storage.blobs import Blobs
from sceneset.storage.csv_rows import csv_text
from sceneset.storage.files import md5_of, write_text
from sceneset.storage.locking import exclusive_lock
from sceneset.versions.destination import check_destination, write_record
from sceneset.versions.pull import lock_file, query_record, state_record, subset_records

LINKS = ("copy", "hard", "ref")
"""Not "sym": several readers refuse links that lead out of the folder, or follow them wrongly."""
_LEFT_OUT = "left_out.csv"


def export(
    catalog: Catalog,
    query: Query,
    blobs: Blobs,
    name: str,
    to: Path,
    *,
    options: ExportOptions = DEFAULTS,
    left_out: Collection[Restriction] = (),
    link: str = "copy",
    progress: Progress = no_progress,
) -> Exported:
    """Write the samples that a query selects into the folder ``to``, in a format.

    The record sceneset.json is written first, with ``complete: false``, so that only the same
    export can continue in this folder after it was interrupted. In the end, the samples in the
    written files are counted and compared with the selection.

    Args:
        catalog: The registry.
        query: Selects the samples.
        blobs: The cache and the remote to read from.
        name: The format.
        to: The destination.
        options: Options of the format.
        left_out: Samples with one of these restrictions are left out, and those with no-export.
        link: "copy", "hard" or "ref".
        progress: Called with the files or samples.

    Returns:
        What was written. Samples with files that could not be read are left out; ``bad`` lists
        these files.

    Raises:
        UsageError: There is no such format, or it does not support an option.
        NothingFoundError: No sample matches.
        DestinationError: The folder has other content.
        FindingsError: The disk is too small, or a file of the registry can't be read.
        DvcError: The remote can't be reached.
        ExportError: The written files do not hold the selected samples.
    """
    exporter = find_exporter(name)
    _check_options(exporter, options, link)
    with exclusive_lock(lock_file(to)):
        selection = select_samples(catalog, query, {*left_out, Restriction.NO_EXPORT})
        record = _record(catalog, query, exporter, options, selection)
        check_destination(to, record)
        if not selection.samples:
            raise NothingFoundError(_why_nothing(selection))

        def begin() -> None:
            _delete_partial_files(to)
            write_record(to, record)

        out = Output(to, blobs, link, catalog.params.limits, progress=progress, begin=begin)
        exporter.write(selection, options, out)
        _note_turned_images(selection, out)
        return _finish(exporter, selection, out, record)


def _check_options(exporter: Exporter, options: ExportOptions, link: str) -> None:
    if link not in LINKS:
        raise UsageError(f"an export can't be linked by {link!r}; use {', '.join(LINKS)}")
    chosen = options.chosen()
    scene_as = chosen.pop("scene_as", None)
    if scene_as is not None and scene_as not in exporter.takes:
        known = [word for word in SCENE_AS if word == "metadata" or word in exporter.takes]
        raise UsageError(
            f"{exporter.name} can't hold scenes as {scene_as}; "
            f"--scene-as {' or '.join(known)} works"
        )
    for option in chosen.keys() - exporter.takes:
        shown = option.replace("_", "-")
        raise UsageError(f"--{shown} has no meaning for {exporter.name}; leave it out")


def _finish(
    exporter: Exporter, selection: Selection, out: Output, record: dict[str, Any]
) -> Exported:
    """Write what is left out, compare both sides, and complete the record."""
    rows = _left_out(selection, out)
    out.begin()
    if rows:
        write_text(out.to / _LEFT_OUT, csv_text(LeftOut._fields, rows))
    else:
        (out.to / _LEFT_OUT).unlink(missing_ok=True)
    expected = len(selection.samples) - len(out.bad_samples)
    _compare_counts(exporter, out, expected)
    if not out.bad:
        write_record(out.to, record | {"complete": True})
    return Exported(
        format=exporter.name,
        samples=expected,
        withdrawn=len(selection.withdrawn),
        restricted=len(selection.restricted),
        fetched=out.fetched,
        left_out=len(rows),
        bad=dict(sorted(out.bad.items())),
        loses=exporter.loses,
        notes=out.notes,
    )


def _why_nothing(selection: Selection) -> str:
    """Return why no sample is written."""
    text = "no sample matches"
    if selection.withdrawn:
        count = counted(len(selection.withdrawn), "sample is", "samples are")
        text += f"; {count} withdrawn"
    if selection.restricted:
        count = counted(len(selection.restricted), "sample is", "samples are")
        words = ", ".join(sorted(set(selection.restricted.values())))
        text += f"; {count} restricted ({words})"
    return f"{text}; nothing was written"


def _note_turned_images(selection: Selection, out: Output) -> None:
    turned = sum(sample.orientation != 1 for sample in selection.samples)
    if turned:
        out.notes.append(
            f"{counted(turned, 'image has', 'images have')} an EXIF orientation, and the masks fit "
            "the pixels as stored: a reader that turns images misaligns them. `sceneset fix` "
            "turns the pixels instead"
        )


def _compare_counts(exporter: Exporter, out: Output, expected: int) -> None:
    found = exporter.count(out)
    if found != expected:
        raise ExportError(
            f"{out.to}: the written files hold {counted(found, 'sample')}, but "
            f"{expected:,} were exported to {exporter.name}; delete the folder and export again"
        )


def _record(
    catalog: Catalog,
    query: Query,
    exporter: Exporter,
    options: ExportOptions,
    selection: Selection,
) -> dict[str, Any]:
    lines = [f"{sample}\n" for sample in selection.samples]
    lines += [f"{'/'.join(key)}  withdrawn\n" for key in selection.withdrawn]
    lines += [f"{'/'.join(key)}  {why}\n" for key, why in selection.restricted.items()]
    subsets = sorted({sample.subset for sample in selection.samples})
    return {
        "pull": query_record(query, ("img_dir", "ann_dir")),
        "export": {"format": exporter.name, "loses": exporter.loses, **options.chosen()},
        **state_record(catalog),
        "subsets": subset_records(catalog, subsets),
        "licences": dict(selection.licences),
        "samples": len(selection.samples),
        "files": 2 * len(selection.samples),
        "forgotten": len(selection.withdrawn),
        "restricted": len(selection.restricted),
        "digest": md5_of("".join(sorted(lines)).encode()),
        "complete": False,
    }


def _left_out(selection: Selection, out: Output) -> list[LeftOut]:
    rows = [LeftOut(*key, "sample", "it was withdrawn") for key in selection.withdrawn]
    rows += [
        LeftOut(*key, "sample", f"its provenance has the restriction {why}")
        for key, why in selection.restricted.items()
    ]
    reasons: dict[Key, str] = {}
    for sample in selection.samples if out.bad_samples else ():
        if sample.key in out.bad_samples:
            for path in (sample.image_path, sample.mask_path):
                if path in out.bad:
                    reasons.setdefault(sample.key, f"{path}: {out.bad[path]}")
    rows += [LeftOut(*key, "sample", reason) for key, reason in reasons.items()]
    rows += [
        row for row in out.left_out if (row.subset, row.phase, row.stem) not in out.bad_samples
    ]
    return sorted(rows)


def _delete_partial_files(to: Path) -> None:
    """Delete partly written files that a killed process left."""
    for base, _, names in os.walk(to):
        for name in names:
            if name.startswith(".") and name.endswith(".part"):
                Path(base, name).unlink()
