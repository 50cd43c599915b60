"""Compare corrected images and masks with those of a subset, before any is taken."""

from statistics import fmean
from typing import NamedTuple

from sceneset.catalog.reader import Catalog
from sceneset.catalog.scan_table import rows_from_table, table_from_rows
from sceneset.delivery.replacements import Replacements
from sceneset.delivery.types import QUARANTINE_CODES
from sceneset.delivery.withdrawn import withdrawn_findings
from sceneset.edits.compare_files import Comparison, NewFile
from sceneset.imaging.pillow_warnings import no_warnings
from sceneset.progress import Progress
from sceneset.rules.policy import apply_policy, read_waivers
from sceneset.rules.sample_rules import sample_findings
from sceneset.schemas.finding import Finding, errors_of
from sceneset.schemas.scan_row import ScanRow
from sceneset.storage.files import md5_of
from sceneset.storage.object_store import WORKERS
from sceneset.threads import map_in_threads


class Replaced(NamedTuple):
    """A sample that gets other files."""

    old: ScanRow
    new: ScanRow
    files: tuple[NewFile, ...]
    """The delivered files that are taken."""
    iou: float | None
    """Overlap of the old and the new mask; None if the mask stays, or has another size."""


class Examined(NamedTuple):
    """A comparison of corrected files with a subset."""

    replaced: list[Replaced]
    unchanged: int
    """Number of delivered samples that are the same already."""
    findings: list[Finding]
    left_out: list[Finding]
    """Errors whose samples are left out, with --quarantine."""
    identity: tuple[str, ...]
    """Digest of all delivered files: equal for equal deliveries."""

    def overlaps(self) -> list[tuple[float, str]]:
        """Return the IoU of each changed mask with its sample, the least one first."""
        return sorted(
            (sample.iou, f"{sample.new.phase}/{sample.new.stem}")
            for sample in self.replaced
            if sample.iou is not None
        )

    def mean_iou(self) -> float | None:
        """Return the mean IoU of the changed masks; None without one."""
        found = self.overlaps()
        return fmean(value for value, _ in found) if found else None


def examine(
    catalog: Catalog,
    name: str,
    delivered: Replacements,
    *,
    quarantine: bool,
    progress: Progress,
) -> Examined:
    """Compare delivered files with those of the samples, by hash and then by pixels.

    Only files that differ are decoded. The other file of such a sample, and its old mask, are read
    from the working tree, from DVC's cache or from the remote; what is downloaded is not kept.

    Args:
        catalog: The registry.
        name: The subset.
        delivered: The corrected files.
        quarantine: Leave out samples with errors.
        progress: Called with the samples that have other files.

    Raises:
        FindingsError: A file that is needed is nowhere, or the scan can't be read.
        DvcError: The remote can't be reached.
    """
    rows = {row.key: row for row in rows_from_table(catalog.scan(name))}
    keys = sorted({key for files in delivered.files.values() for key in files})
    comparison = Comparison(catalog, name, delivered, rows)
    digests = dict(zip(keys, comparison.digests(keys), strict=True))
    differing = [key for key in keys if comparison.differs(key, digests[key])]
    with no_warnings():
        found = map_in_threads(
            lambda key: comparison.compare(key, digests[key]), differing, WORKERS
        )
        compared = list(progress(found, len(differing), "check"))
    findings = [*delivered.findings, *(p for one in compared for p in one.findings)]
    new = [one.new for one in compared if one.new]
    findings += sample_findings(table_from_rows(new, 0), catalog.params)
    findings += withdrawn_findings(new, catalog.tombstones)
    waivers = [
        waiver.model_copy(update={"subset": ""})  # findings on a delivery name no subset
        for waiver in read_waivers(catalog.root)
        if waiver.subset == name
    ]
    findings = apply_policy(findings, catalog.params, waivers)
    errors = [p for p in errors_of(findings) if p.stem or p.code in QUARANTINE_CODES]
    bad = {(p.phase, p.stem) for p in errors}
    replaced = [
        Replaced(one.old, one.new, one.files, one.iou)
        for one in compared
        if one.new and one.old.key not in bad
    ]
    unchanged = len(keys) - len(differing)
    unchanged += sum(one.new is None and not errors_of(one.findings) for one in compared)
    text = "\n".join(f"{key} {digests[key]}" for key in keys)
    identity = (",".join(delivered.files), md5_of(text.encode()))
    return Examined(replaced, unchanged, findings, errors if quarantine else [], identity)
