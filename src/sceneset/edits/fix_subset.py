"""Fix subsets of the registry: images, masks, scan, tags and .dvc files in one transaction."""

from collections import ChainMap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sceneset.catalog.lineage import has_other_files, lineage_row
from sceneset.catalog.reader import Catalog
from sceneset.catalog.scan_table import rows_from_table
from sceneset.counts import counted
from sceneset.edits.draft import Draft
from sceneset.edits.fix_sample import Key, NewStems, SampleFiles, choose_stems, fix_files
from sceneset.edits.fix_types import FixedSample, FixOptions
from sceneset.edits.references import file_names, follow_samples, with_renamed_exceptions
from sceneset.edits.scene_tables import stage_entry
from sceneset.edits.subset_change import SubsetChange
from sceneset.errors import FindingsError, fail
from sceneset.imaging.mask_values import is_void
from sceneset.progress import Notify, Progress, no_notice
from sceneset.rules.sample_columns import SAMPLE_COLUMNS
from sceneset.rules.sample_rules import sample_findings
from sceneset.scanning.measure_sample import Content, LoadedPair, Pair, measure_loaded
from sceneset.schemas.lineage import LineageRow
from sceneset.schemas.scan_row import ScanRow
from sceneset.schemas.terms import Phase
from sceneset.storage.blobs import Blobs
from sceneset.storage.dvc_digests import digest_mismatches, digests_of_scan
from sceneset.storage.files import md5_of
from sceneset.storage.transaction import Command, FollowUp, Transaction
from sceneset.storage.transaction_record import Record, read_record

if TYPE_CHECKING:
    import pyarrow as pa


def fix_subsets(
    catalog: Catalog,
    names: Sequence[str],
    options: FixOptions,
    *,
    apply: bool,
    progress: Progress,
    notify: Notify = no_notice,
) -> list[FixedSample] | None:
    """Find what can be fixed in subsets, and fix all of it as one change.

    Only samples with findings are read, from the working tree or DVC's cache. Files of the working
    tree are replaced in place; files that are not checked out are changed in the cache alone.

    Args:
        catalog: The registry.
        names: The subsets.
        options: What to fix.
        apply: Change the files. Without it nothing is written.
        progress: Reports the number of samples with findings, subset by subset.
        notify: Called if an interrupted command was finished or rolled back.

    Returns:
        The samples with something that is fixed, or that can't be fixed; None if an interrupted
        run of the same command was finished, which `notify` describes.

    Raises:
        FindingsError: An image is neither in the working tree nor in the cache, or differs from
            the scan.
        DvcError: A stage of the pipeline fails.
    """
    if not apply:
        return list(_SubsetFix(catalog, options, None).samples(names, progress))
    frame = options.mask_frame or ""
    words = ["--map", "255=1"] if options.map_255 else []
    command = Command.of("fix", *names, "--rules", *sorted(options.rules), "--masks", frame, *words)
    interrupted = read_record(catalog.paths)
    with Transaction.begin(catalog.paths, command, notify=notify, progress=progress) as transaction:
        if transaction is None:
            notify(_completed(interrupted, names))
            return None
        catalog = catalog.again()
        samples = list(_SubsetFix(catalog, options, transaction).samples(names, progress))
        if any(sample.fixed for sample in samples):
            transaction.commit(FollowUp(reproduce=True))
    return samples


def _completed(record: Record | None, names: Sequence[str]) -> str:
    """Return what an interrupted run had to do, which is done now."""
    subsets = ", ".join(names)
    if record is None:  # another process finished it meanwhile
        return f"an interrupted run of this command was finished: {subsets}"
    written = counted(len(record.writes), "file was", "files were")
    deleted = f"{len(record.deletes):,} deleted"
    return (
        f"an interrupted run of this command was finished: {subsets}, {written} written, {deleted}"
    )


class _SubsetFix:
    """The fix of some subsets; with a transaction, the new files are staged there."""

    def __init__(
        self, catalog: Catalog, options: FixOptions, transaction: Transaction | None
    ) -> None:
        self._catalog, self._options, self._transaction = catalog, options, transaction
        self._blobs = Blobs(catalog.root)

    def samples(self, names: Sequence[str], progress: Progress) -> Iterator[FixedSample]:
        """Yield the fixed samples, subset by subset; then stage the files of the registry."""
        change = SubsetChange(self._catalog, self._transaction) if self._transaction else None
        for name in names:
            table = self._catalog.scan(name)
            self._refuse_outdated_scan(name, table)
            rows = {row.key: row for row in rows_from_table(table)}
            # Other rules about names are errors when a delivery is added: no subset breaks them.
            name_rules = [code for code in self._options.rules if code.startswith("name-")]
            stems = choose_stems([*rows], name_rules)
            keys = self._keys_with_findings(name)
            if self._options.map_255 and "mask-0-255" in self._options.rules:
                keys |= {key for key, row in rows.items() if is_void(row.person, row.ignore)}
            found = [row for key, row in rows.items() if key in keys]
            new = dict(rows)
            lineage: list[LineageRow] = []
            for row in progress(found, len(found), "fix"):
                sample, new[row.key] = self._fix_sample(name, row, stems)
                if has_other_files(row, new[row.key]):
                    reason = f"fix: {' '.join(sample.fixed)}"
                    lineage.append(lineage_row(row, new[row.key], reason))
                if sample.fixed or sample.unfixed:
                    yield sample
            if change and new != rows:
                tags = [
                    tag.model_copy(update={"stem": new[tag.key].stem}) if tag.key in new else tag
                    for tag in self._catalog.tags(name)
                ]
                change.replace_samples(name, list(new.values()), tags)
                change.record_lineage(name, lineage)
                self._follow_names(change, name, new)
        if change:
            change.stage_lists()

    def _follow_names(
        self, change: SubsetChange, name: str, new: Mapping[tuple[Phase, str], ScanRow]
    ) -> None:
        """Stage what else names samples that got another stem."""
        renamed = {key: row.key for key, row in new.items() if row.key != key}
        if not renamed or self._transaction is None:
            return
        change.follow_deliveries(name, renamed)
        draft = Draft(self._catalog.paths)
        entry = self._catalog.entry(name)
        stage_entry(self._catalog, draft, with_renamed_exceptions(entry, renamed))
        rows = {row.key: row for row in rows_from_table(self._catalog.scan(name))}
        places = {
            (name, str(phase), stem): (name, str(new_phase), new_stem)
            for (phase, stem), (new_phase, new_stem) in renamed.items()
        }
        files = [file_names(name, rows[key], new[key]) for key in renamed]
        follow_samples(self._catalog, draft, places, dict(ChainMap(*files)))
        draft.stage(self._transaction)

    def _refuse_outdated_scan(self, name: str, table: "pa.Table") -> None:
        findings = digest_mismatches(
            self._catalog.paths,
            name,
            digests_of_scan(table),
            "records other files than were scanned",
            f"run `dvc repro scan@{name}` where its images are, then fix again",
        )
        if findings:
            raise FindingsError(findings)

    def _keys_with_findings(self, name: str) -> set[Key]:
        """Return the samples on which one of the rules to fix has a finding."""
        table = self._catalog.scan(name, SAMPLE_COLUMNS)
        found = sample_findings(table, self._catalog.params, subset=name, notes=True)
        return {(p.phase, p.stem) for p in found if p.code in self._options.rules}

    def _fix_sample(self, name: str, row: ScanRow, stems: NewStems) -> tuple[FixedSample, ScanRow]:
        """Fix one sample and stage its files; return the result and the new scan row."""
        folder = self._catalog.paths.subset(name)
        folders = [folder / part / row.phase for part in ("img_dir", "ann_dir")]
        old = [folders[0] / row.image, folders[1] / row.mask]
        image, mask = map(self._read, old, (row.image_md5, row.mask_md5))
        options = self._options
        files = SampleFiles(old[0].suffix, image, mask)
        # Masks of 0 and 255 are in a subset only if others use 1: 255 then means ignored.
        result = fix_files(
            files, options.rules, options.limits, options.mask_frame, map_255=options.map_255
        )
        stem = stems.stems.get(row.key, row.stem)
        sample = FixedSample(
            row.phase,
            row.stem,
            stem,
            (*result.fixed, *stems.fixed.get(row.key, ())),
            (*result.unfixed, *stems.unfixed.get(row.key, ())),
            subset=name,
        )
        if not sample.fixed or self._transaction is None:
            return sample, row
        new = {
            folders[0] / (stem + old[0].suffix): result.files.image,
            folders[1] / f"{stem}.png": result.files.mask or b"",
        }
        measured_row = self._measure(row.phase, stem, new)
        self._stage(old, new, self._transaction)
        return sample, measured_row

    def _measure(self, phase: Phase, stem: str, files: Mapping[Path, bytes]) -> ScanRow:
        """Return the scan row of a fixed sample."""
        image, mask = files
        pair = Pair(phase, stem, image, mask, self._catalog.root)
        contents = {path: Content(data) for path, data in files.items()}
        measured = measure_loaded(pair, LoadedPair(contents), self._options.limits)
        measured_row = measured.row or measured.void_row
        if measured_row is None:
            raise FindingsError(measured.findings)
        return measured_row

    def _read(self, path: Path, md5: str) -> bytes:
        """Return a file from the working tree or DVC's cache; refuse changes nobody tracks."""
        name = self._catalog.paths.relative(path)
        data = path.read_bytes() if path.is_file() else None
        if data is not None and md5_of(data) != md5:
            fail(
                "scan-incomplete",
                "differs from the file that was scanned",
                file=name,
                hint="`dvc checkout` restores it; if the change is intended, `dvc add` its "
                "folder and run `dvc repro`, then fix again",
            )
        data = data if data is not None else self._blobs.cached(md5)
        if data is None:
            fail(
                "file-missing",
                "is neither in the working tree nor in DVC's cache",
                file=name,
                hint=f"`dvc pull {Path(name).parents[1]}.dvc` gets it",
            )
        return data

    def _stage(
        self, old: Sequence[Path], new: Mapping[Path, bytes], transaction: Transaction
    ) -> None:
        """Put the fixed files into the cache, and stage those that are checked out."""
        for old_path, (path, data) in zip(old, new.items(), strict=True):
            md5 = md5_of(data)
            self._blobs.add_to_cache(md5, data)
            if old_path.exists():
                transaction.write_blob(path, md5)
            if old_path != path:
                transaction.delete(old_path)
