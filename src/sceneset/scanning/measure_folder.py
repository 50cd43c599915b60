"""Measure a folder of images and masks that is not registered."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sceneset.catalog.scan_table import table_from_rows
from sceneset.catalog.subset_folder import read_samples
from sceneset.errors import FindingsError
from sceneset.progress import Progress
from sceneset.scanning.measure_sample import Pair
from sceneset.scanning.process_pool import measure_files
from sceneset.scanning.void_masks import settle_void_masks
from sceneset.schemas.finding import Finding
from sceneset.schemas.params import Limits

if TYPE_CHECKING:
    import pyarrow as pa


class MeasuredFolder(NamedTuple):
    """The measurements of a folder."""

    table: "pa.Table"
    """The columns of a scan, sorted by phase and stem."""
    findings: list[Finding]
    """On all files; those with an error have no row."""


def measure_folder(folder: Path, limits: Limits, progress: Progress) -> MeasuredFolder:
    """Measure all pairs of an image and a mask in img_dir/<phase> and ann_dir/<phase>.

    Args:
        folder: The folder.
        limits: The largest sizes to decode.
        progress: Called with the pairs.

    Raises:
        FindingsError: The folder has another layout, or no image of it can be measured.
    """
    layout = read_samples(folder)
    pairs = [Pair(*key, layout.images[key], layout.masks[key], folder) for key in layout.pairs()]
    findings = list(layout.findings)
    rows = []
    results = progress(measure_files(pairs, limits), len(pairs), f"measure {folder.name}")
    for measured in settle_void_masks(results):
        findings += measured.findings
        if measured.row:
            rows.append(measured.row)
    if not rows:
        raise FindingsError(findings)
    return MeasuredFolder(table_from_rows(rows, 1), findings)
