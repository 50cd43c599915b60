"""Fixing a subset of the registry: files, scan, tags and .dvc files, changed as one."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sceneset.catalog.reader import Catalog
from sceneset.catalog.scan_table import scan_rows
from sceneset.edits.fix_delivery import Asked, Fixed
from sceneset.edits.fix_sample import Files, Key, Names, mend, renamed
from sceneset.edits.subset_change import Change, finish, put_lock, put_rows
from sceneset.errors import FindingsError, fail
from sceneset.progress import Progress
from sceneset.quality.sample_rules import COLUMNS, sample_findings
from sceneset.scanning.measure_sample import Content, Loaded, Pair, measure_bytes
from sceneset.schemas.scan_row import ScanRow
from sceneset.storage.blobs import Blobs
from sceneset.storage.dvc_digests import digests_of_scan, recorded_otherwise
from sceneset.storage.files import md5_of
from sceneset.storage.locking import writing
from sceneset.storage.transaction import Redo

if TYPE_CHECKING:
    import pyarrow as pa


def fix_subsets(
    catalog: Catalog,
    names: Sequence[str],
    asked: Asked,
    *,
    apply: bool,
    progress: Progress,
) -> list[Fixed]:
    """Return what has one right answer in subsets; with ``apply``, change it, as one.

    Cut off at any line, the same call ends it. Only samples that rules find something in are read,
    from the working tree or DVC's cache; files of the working tree are changed where they are.

    Raises:
        ProblemsFoundError: an image is neither here nor there, or is another than was scanned.
        DvcError: the pipeline does not run through.
    """
    if not apply:
        return list(_Fixing(catalog, asked, None).subsets(names, progress))
    with writing(catalog.paths.work) as lock:
        redo = Redo(catalog.paths)
        if redo.is_ready:
            finish(catalog.root, redo, lock)
        work = _Fixing(Catalog(catalog.root), asked, Change())
        fixed = list(work.subsets(names, progress))
        if work.made and work.made.new:
            put_lock(catalog, work.made)
            for md5, listing in work.made.listings.items():
                work.blobs.keep(md5, listing)
            notes = {"asked": "fix", "blobs": [], "files": work.files}
            redo.prepare(work.made.new, work.made.gone, notes)
            finish(catalog.root, redo, lock)
    return fixed


class _Fixing:
    """Subsets being fixed: what becomes of their samples, and of the files where that is noted."""

    def __init__(self, catalog: Catalog, asked: Asked, made: Change | None) -> None:
        self.catalog, self.asked, self.made = catalog, asked, made
        self.blobs = Blobs(catalog.root)
        self.files: dict[str, str] = {}
        """Files of the working tree that are to hold other blobs."""

    def subsets(self, names: Sequence[str], progress: Progress) -> Iterator[Fixed]:
        """Yield what is fixed, subset by subset."""
        for name in names:
            table = self.catalog.scan(name)
            self._refuse_unscanned(name, table)
            rows = {row.key: row for row in scan_rows(table)}
            wanted = [code for code in self.asked.rules if code.startswith("name-")]
            stems = renamed([*rows], wanted)
            told = self._told(name)
            found = [row for key, row in rows.items() if key in told]
            new = dict(rows)
            for row in progress(found, len(found), "fix"):
                fixed, after = self._sample(name, row, stems)
                if fixed.done or fixed.left:
                    yield fixed
                new[row.key] = after
            if self.made and new != rows:
                tags = [
                    tag.model_copy(update={"stem": new[tag.key].stem}) if tag.key in new else tag
                    for tag in self.catalog.tags(name)
                ]
                put_rows(self.catalog, name, list(new.values()), tags, self.made)

    def _refuse_unscanned(self, name: str, table: "pa.Table") -> None:
        wrong = recorded_otherwise(
            self.catalog.paths,
            name,
            digests_of_scan(table),
            "records other files than were scanned",
            f"run `dvc repro scan@{name}` where its images are, then fix again",
        )
        if wrong:
            raise FindingsError(wrong)

    def _told(self, name: str) -> set[Key]:
        """Return the samples that a rule which is asked for finds something in."""
        table = self.catalog.scan(name, COLUMNS)
        found = sample_findings(table, self.catalog.params, subset=name, notes=True)
        return {(p.phase, p.stem) for p in found if p.code in self.asked.rules}

    def _sample(self, name: str, row: ScanRow, stems: Names) -> tuple[Fixed, ScanRow]:
        """Mend one sample; return what was done, and its row after it."""
        folder = self.catalog.paths.subset(name)
        parts = [folder / part / row.phase for part in ("img_dir", "ann_dir")]
        old = [parts[0] / row.image, parts[1] / row.mask]
        image, mask = map(self._bytes, old, (row.image_md5, row.mask_md5))
        asked = self.asked
        files = Files(old[0].suffix, image, mask)
        mended = mend(files, asked.rules, asked.limits, asked.frame)
        stem = stems.stems.get(row.key, row.stem)
        fixed = Fixed(
            row.phase,
            row.stem,
            stem,
            (*mended.done, *stems.done.get(row.key, ())),
            (*mended.left, *stems.left.get(row.key, ())),
            subset=name,
        )
        if not fixed.done or self.made is None:
            return fixed, row
        new = [parts[0] / (stem + old[0].suffix), parts[1] / f"{stem}.png"]
        after = (mended.files.image, mended.files.mask or b"")
        data = dict(zip(new, after, strict=True))
        pair = Pair(row.phase, stem, new[0], new[1], self.catalog.root)
        contents = {path: Content(bytes_) for path, bytes_ in data.items()}
        measured = measure_bytes(pair, Loaded(contents), asked.limits)
        if measured.row is None:
            raise FindingsError(measured.findings)
        self._note(old, data)
        return fixed, measured.row

    def _bytes(self, path: Path, md5: str) -> bytes:
        """Return a blob from the working tree or DVC's cache, and refuse changes nobody tracks."""
        shown = self.catalog.paths.shown(path)
        data = path.read_bytes() if path.is_file() else None
        if data is not None and md5_of(data) != md5:
            fail(
                "scan-incomplete",
                "is another file than was scanned",
                file=shown,
                hint="`dvc checkout` restores it; if the change is meant, `dvc add` its "
                "folder and run `dvc repro`, then fix again",
            )
        data = data if data is not None else self.blobs.cached(md5)
        if data is None:
            fail(
                "file-missing",
                "is neither in the working tree nor in DVC's cache",
                file=shown,
                hint=f"`dvc pull {Path(shown).parents[1]}.dvc` gets it",
            )
        return data

    def _note(self, old: Sequence[Path], new: Mapping[Path, bytes]) -> None:
        """Keep the blobs of a mended sample, and note which files are to hold them."""
        assert self.made is not None, "it is being applied"
        for was, (path, data) in zip(old, new.items(), strict=True):
            md5 = md5_of(data)
            self.blobs.keep(md5, data)
            if was.exists():
                self.files[self.catalog.paths.shown(path)] = md5
            if was != path:
                self.made.gone.append(was)
