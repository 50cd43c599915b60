"""Merge the files of one subset: tags, entry, scan, .dvc files and the records of its samples."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sceneset.catalog.crops import CROPS_FOLDER
from sceneset.catalog.deliveries import DELIVERIES_FOLDER, with_other_keys
from sceneset.catalog.lineage import LINEAGE_FOLDER, parse_lineage
from sceneset.catalog.params_edit import entry_text
from sceneset.catalog.tags_csv import parse_tags, tags_text
from sceneset.edits.merge_run import MergeRun
from sceneset.edits.merge_scans import encode_table, merge_scans, read_table
from sceneset.edits.merge_texts import Key, merge_rows, merge_tags
from sceneset.edits.merge_values import ValueMerge
from sceneset.edits.merge_yaml import Texts, merge_yaml, with_values
from sceneset.edits.withdraw import entry_with_counts
from sceneset.errors import FindingsError
from sceneset.paths import DATA_ROOT
from sceneset.schemas.finding import finding
from sceneset.schemas.subset import Subset
from sceneset.schemas.tag import Tag
from sceneset.storage.dvc_digests import (
    Digest,
    digests_of_scan,
    dvc_file_with_digest,
    listings_of_scan,
    parse_dvc_file,
)
from sceneset.storage.files import md5_of
from sceneset.storage.git_index import OTHER_HEADS, file_at
from sceneset.storage.yaml_files import loads

if TYPE_CHECKING:
    import pyarrow as pa

_FOLDERS = ("img_dir", "ann_dir")


class SubsetMerge:
    """Merges the files of one subset into a run."""

    def __init__(self, run: MergeRun, name: str) -> None:
        self._run, self._name = run, name
        self.digests: dict[str, Digest] = {}
        """New digests of files and folders that dvc.lock records, by path."""
        self._entry = f"registry/subsets/{name}.yaml"
        self._tags = f"registry/tags/{name}.csv"
        self._scan = f"registry/scans/{name}.parquet"
        self._pointers = {part: f"{DATA_ROOT}/{name}/{part}.dvc" for part in _FOLDERS}
        self._renamed = self._renamed_samples()
        self._withdrawn = self._withdrawn_samples()

    def merge(self) -> None:
        """Merge what is unmerged."""
        unmerged = self._run.unmerged
        if self._tags in unmerged:
            self._merge_tags()
        elif self._entry in unmerged:
            self._run.merge_text(self._entry, merge_yaml, subset=self._name)
        for folder in (DELIVERIES_FOLDER, CROPS_FOLDER):
            self._merge_record(f"{folder}/{self._name}.csv")
        if not unmerged.keys().isdisjoint({self._scan, *self._pointers.values()}):
            self._merge_files()

    def _merge_record(self, record: str) -> None:
        """Merge the record of where samples come from, if it is unmerged."""
        if record not in self._run.unmerged:
            return
        text = self._run.merge_text(record, merge_rows, subset=self._name)
        if text:
            kept = with_other_keys(text, dict.fromkeys(self._withdrawn), record)
            self._run.writes[record] = kept.encode()

    def _renamed_samples(self) -> dict[Key, Key]:
        """Return the new names of samples that were renamed or moved, as the lineage records it."""
        name = f"{LINEAGE_FOLDER}/{self._name}.csv"
        text = self._run.current_text(name)
        renamed: dict[Key, Key] = {}
        for row in parse_lineage(text, name) if text else ():
            old, new = (str(row.phase), row.stem), (str(row.new_phase), row.new_stem)
            if old != new:
                renamed[old] = new
        return {old: _last(renamed, old) for old in renamed}

    def _withdrawn_samples(self) -> set[Key]:
        """Return the samples of either side whose image is withdrawn after the merge."""
        if not self._run.withdrawn.files:
            return set()
        root = self._run.paths.root
        scans = [file_at(root, head, self._scan) for head in ("HEAD", *OTHER_HEADS)]
        return {
            (row["phase"], row["stem"])
            for data in scans
            if data is not None
            for row, _ in self._run.withdrawn.rows_of(read_table(data, self._scan))
        }

    def _merge_tags(self) -> None:
        run, name = self._run, self._name
        sides = run.sides(self._tags)
        texts, merge = run.texts(self._tags), run.value_merge()
        tags = merge_tags(texts, self._tags, merge, self._renamed, self._withdrawn)
        run.report(self._tags, merge, subset=name)
        if not tags and None in sides:  # a side withdrew all samples of the subset
            run.deletes.append(self._tags)
            if self._entry in run.unmerged:
                run.deletes.append(self._entry)
            return
        run.writes[self._tags] = tags_text(tags).encode()
        before = [_tags_of(text, self._tags) for text in texts]
        if self._entry in run.unmerged:
            run.merge_text(self._entry, _merge_entry, subset=name)
        text = run.current_text(self._entry)
        if text:
            self._count_again(text, before, tags)

    def _count_again(self, text: str, before: Sequence[Sequence[Tag]], tags: list[Tag]) -> None:
        """Write the entry with the counts of the merged tags."""
        try:
            entry, document = loads(text, Subset, self._entry)
        except FindingsError:
            return  # `check` reports it
        counted = entry_with_counts(entry, before, tags, drop_empty=bool(self._withdrawn))
        if counted == entry:
            return
        if text == entry_text(entry):
            new = entry_text(counted)
        else:
            kept = {row.selection: row for row in counted.splits}
            rows = [
                fields | ({"images": kept[row.selection].images} if "images" in fields else {})
                for fields, row in zip(document.data["splits"], entry.splits, strict=True)
                if row.selection in kept
            ]
            new = with_values(text, document.data | {"splits": rows}, self._entry)
        self._run.writes[self._entry] = new.encode()

    def _merge_files(self) -> None:
        run, paths = self._run, self._run.paths
        if self._scan in run.unmerged:
            sides, merge = run.sides(self._scan), run.value_merge()
            table, algorithm = merge_scans(sides, self._scan, merge, self._renamed, self._withdrawn)
            run.report(self._scan, merge, subset=self._name)
            scanned = [read_table(data, self._scan) for data in sides if data is not None]
            if not len(table):
                self._delete_files()
                return
            data = encode_table(table, algorithm)
            run.writes[self._scan] = data
            self.digests[self._scan] = Digest(md5_of(data), 0, len(data))
        else:
            table = read_table(paths.scan(self._name).read_bytes(), self._scan)
            scanned = [table]
        self._refuse_unscanned(scanned)
        run.listings |= listings_of_scan(table)
        for folder, digest in digests_of_scan(table).items():
            name = self._pointers[folder]
            if name in run.unmerged:
                texts = run.texts(name)
                text = texts.ours or texts.theirs
            else:
                text = run.current_text(name)
            pointer = dvc_file_with_digest(text, digest, name, subset=self._name)
            run.writes[name] = pointer.encode()
            self.digests[name.removesuffix(".dvc")] = digest

    def _delete_files(self) -> None:
        """Remove a subset whose samples are all withdrawn; see ``SubsetChange.remove_subset``."""
        names = [self._scan, *self._pointers.values()]
        self._run.deletes += [name for name in names if name in self._run.unmerged]

    def _refuse_unscanned(self, scanned: Sequence["pa.Table"]) -> None:
        """Report a side whose .dvc files record other files than its scan: they would be lost."""
        for folder, name in self._pointers.items():
            if name not in self._run.unmerged:
                continue
            known = {digests_of_scan(table)[folder].md5 for table in scanned}
            sides = self._run.sides(name)
            for side in ("ours", "theirs"):
                data = getattr(sides, side)
                if data is not None and parse_dvc_file(data.decode(), name).md5 not in known:
                    self._run.findings.append(
                        finding(
                            "scan-incomplete",
                            f"on the side of {side}, it records other files than were scanned",
                            subset=self._name,
                            file=name,
                            hint="abort the merge, run `dvc repro` on that branch where its "
                            "images are, commit, and merge again",
                        )
                    )


def _merge_entry(texts: Texts, shown: str, merge: ValueMerge) -> str:
    """Return a merged entry; its counts are computed from the tags, so they never conflict."""
    text = merge_yaml(texts, shown, merge)
    merge.conflicts = [
        conflict
        for conflict in merge.conflicts
        if not (conflict.place[0] == "splits" and conflict.place[-1] == "images")
    ]
    return text


def _tags_of(text: str, shown: str) -> list[Tag]:
    return [tag for tag, _ in parse_tags(text, shown)] if text else []


def _last(renamed: dict[Key, Key], key: Key) -> Key:
    """Return the last name of a sample that was renamed several times."""
    seen = {key}
    while (new := renamed.get(key)) and new not in seen:
        seen.add(new)
        key = new
    return key
