"""Give samples another phase, or remove them, with everything that names them."""

from collections.abc import Iterable, Mapping, Sequence

from sceneset.catalog.dropped import DROPPED_FILE, dropped_text, read_dropped
from sceneset.catalog.lineage import lineage_row
from sceneset.catalog.reader import Catalog
from sceneset.catalog.sample_choice import Chosen, Key
from sceneset.catalog.scan_table import rows_from_table
from sceneset.edits.draft import Draft
from sceneset.edits.references import file_names, follow_samples, with_renamed_exceptions
from sceneset.edits.sample_files import SampleFiles
from sceneset.edits.scene_tables import fitted_entry, stage_entry
from sceneset.edits.subset_change import SubsetChange
from sceneset.errors import FindingsError
from sceneset.schemas.dropped import DroppedRow
from sceneset.schemas.finding import Finding, capped, finding
from sceneset.schemas.scan_row import ScanRow
from sceneset.schemas.tag import Tag
from sceneset.schemas.terms import Phase
from sceneset.storage.dvc_digests import Digest, digest_mismatches, digests_of_scan

Keys = Mapping[str, Mapping[Key, Key | None]]
"""The new phase and stem of changed samples, by subset; None for a sample that is removed."""


def move_samples(catalog: Catalog, draft: Draft, phases: Mapping[str, Mapping[Key, Phase]]) -> int:
    """Note that samples belong to another phase; return how many change.

    Args:
        catalog: The registry.
        draft: Where the change is noted.
        phases: The new phase of each sample, by subset.

    Raises:
        FindingsError: The phase has a sample of the same stem, or a file of the working tree
            differs from the scan.
    """
    keys: dict[str, dict[Key, Key | None]] = {
        name: {key: (phase, key[1]) for key, phase in moved.items() if key[0] is not phase}
        for name, moved in phases.items()
    }
    change_samples(catalog, draft, keys, operation="move")
    return sum(map(len, keys.values()))


def drop_samples(catalog: Catalog, draft: Draft, chosen: Chosen, reason: str) -> int:
    """Note that samples are removed, and why; return how many.

    Their blobs stay in DVC's cache and on the remote, where old versions need them.

    Raises:
        FindingsError: A file of the working tree differs from the scan, and would be deleted.
    """
    record_dropped(
        catalog,
        draft,
        (
            DroppedRow(subset=name, sample=f"{phase}/{stem}", image_md5=md5.hex(), reason=reason)
            for name, keys in chosen.items()
            for phase, stem, md5 in _images(catalog, name)
            if (phase, stem) in keys
        ),
    )
    keys: Keys = {name: dict.fromkeys(found) for name, found in chosen.items()}
    change_samples(catalog, draft, keys, operation="drop")
    return sum(map(len, keys.values()))


def record_dropped(catalog: Catalog, draft: Draft, rows: Iterable[DroppedRow]) -> None:
    """Note rows of the record of what was taken out of new versions."""
    text = dropped_text([*read_dropped(catalog.root), *rows])
    draft.write(catalog.root / DROPPED_FILE, text.encode())


def _images(catalog: Catalog, name: str) -> Iterable[tuple[str, str, bytes]]:
    columns = ("phase", "stem", "image_md5")
    table = catalog.scan(name, columns)
    return zip(*(table[column].to_pylist() for column in columns), strict=True)


def change_samples(catalog: Catalog, draft: Draft, keys: Keys, *, operation: str) -> None:
    """Note new names of samples, or their removal, in all files that name them.

    Args:
        catalog: The registry.
        draft: Where the change is noted.
        keys: The changed samples.
        operation: What the lineage says about samples with another name.

    Raises:
        FindingsError: A new name is taken, or a file of the working tree differs from the scan.
    """
    edit = _SampleEdit(catalog, draft, operation)
    for name, changed in sorted(keys.items()):
        if changed:
            edit.change_subset(name, changed)
    edit.finish()


class _SampleEdit:
    """One change of the samples of some subsets."""

    def __init__(self, catalog: Catalog, draft: Draft, operation: str) -> None:
        self._catalog, self._draft, self._operation = catalog, draft, operation
        self._change, self._files = SubsetChange(catalog, draft), SampleFiles(catalog, draft)
        self._places: dict[tuple[str, str, str], tuple[str, str, str]] = {}
        self._paths: dict[str, str] = {}
        self._findings: list[Finding] = []

    def change_subset(self, name: str, changed: Mapping[Key, Key | None]) -> None:
        """Note the change of one subset; keep what is wrong."""
        table = self._catalog.scan(name)
        findings = outdated_scan_findings(self._catalog, name, digests_of_scan(table))
        rows = rows_from_table(table)
        pairs = [(row, _changed_row(row, changed)) for row in rows]
        findings += _name_findings(name, [new for _, new in pairs if new], changed)
        if findings:
            self._findings += findings
            return
        for old, new in pairs:
            if new is None:
                self._files.delete(name, old)
            elif new is not old:
                self._files.move(name, old, new)
                self._places[name, *old.key] = (name, *new.key)
                self._paths |= file_names(name, old, new)
        remaining = sorted((new for _, new in pairs if new), key=lambda row: row.key)
        if not remaining:
            self._change.remove_subset(name)
            return
        before = self._catalog.tags(name)
        after = _changed_tags(before, changed)
        self._change.replace_samples(name, remaining, after)
        self._change.follow_deliveries(name, changed)
        lineage = [
            lineage_row(old, new, self._operation)
            for old, new in pairs
            if new and new.key != old.key
        ]
        if lineage:
            self._change.record_lineage(name, lineage)
        self._stage_entry(name, changed, before, after)

    def _stage_entry(
        self,
        name: str,
        changed: Mapping[Key, Key | None],
        before: Sequence[Tag],
        after: Sequence[Tag],
    ) -> None:
        catalog = self._catalog
        entry = fitted_entry(catalog.vocabulary, catalog.entry(name), before, after)
        entry = with_renamed_exceptions(entry, changed, stems={tag.stem for tag in after})
        stage_entry(catalog, self._draft, entry)

    def finish(self) -> None:
        """Note what follows from the changes of all subsets.

        Raises:
            FindingsError: What was wrong.
        """
        if findings := self._findings + self._files.findings:
            raise FindingsError(findings)
        self._change.stage_lists()
        if self._places:
            follow_samples(self._catalog, self._draft, self._places, self._paths)


def outdated_scan_findings(
    catalog: Catalog, name: str, digests: Mapping[str, Digest]
) -> list[Finding]:
    """Report .dvc files of a subset that record other files than were scanned."""
    return digest_mismatches(
        catalog.paths,
        name,
        digests,
        "records other files than were scanned",
        f"run `dvc repro scan@{name}` where its images are, then run the command again",
    )


def _changed_row(row: ScanRow, changed: Mapping[Key, Key | None]) -> ScanRow | None:
    if row.key not in changed:
        return row
    new = changed[row.key]
    if new is None:
        return None
    phase, stem = new
    update: dict[str, object] = {"phase": phase, "stem": stem}
    if stem != row.stem:
        update |= {
            "image": stem + row.image.removeprefix(row.stem),
            "mask": stem + row.mask.removeprefix(row.stem),
        }
    return row.model_copy(update=update)


def _name_findings(
    name: str, rows: Sequence[ScanRow], changed: Mapping[Key, Key | None]
) -> list[Finding]:
    """Report new names that another sample has; file systems may ignore case."""
    by_name: dict[tuple[Phase, str], list[ScanRow]] = {}
    for row in rows:
        by_name.setdefault((row.phase, row.stem.casefold()), []).append(row)
    new = {(phase, stem.casefold()) for phase, stem in filter(None, changed.values())}
    taken = [by_name[key][0] for key in sorted(new) if len(by_name[key]) > 1]
    return capped(
        taken,
        lambda row: finding(
            "sample-exists",
            f"{row.phase} would have two samples called {row.stem!r}",
            subset=name,
            phase=row.phase,
            stem=row.stem,
            hint="rename one of them, or leave it out of the change",
        ),
    )


def _changed_tags(before: Sequence[Tag], changed: Mapping[Key, Key | None]) -> list[Tag]:
    after = []
    for tag in before:
        key = changed.get(tag.key, tag.key)
        if key is not None:
            after.append(tag.model_copy(update={"phase": key[0], "stem": key[1]}))
    return sorted(after, key=lambda tag: tag.key)
