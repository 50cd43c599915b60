"""A delivery, checked whole: the subset it would become, and all that is wrong with it."""

from collections.abc import Container, Iterable
from pathlib import Path
from typing import Any

from sceneset.catalog.reader import Catalog, unknown_scene
from sceneset.catalog.scan_table import table_of
from sceneset.catalog.split_selection import rows_of, table_order
from sceneset.catalog.subset_folder import Key, printable, read_layout
from sceneset.catalog.tags_csv import tags_with_lines
from sceneset.catalog.tombstones import NEAR, Tombstones
from sceneset.delivery.split_files import read_lines, resolve
from sceneset.delivery.split_tags import Memberships, same_rows
from sceneset.delivery.types import LEAVABLE, Delivery, Request
from sceneset.errors import FindingsError
from sceneset.progress import Progress
from sceneset.quality.consistency import entry_findings, persons_conflicts
from sceneset.quality.kind_rules import kind_findings
from sceneset.quality.policy import in_folder as waivers_of
from sceneset.quality.policy import weighed
from sceneset.quality.sample_rules import sample_findings
from sceneset.scanning.measure_sample import Pair
from sceneset.scanning.process_pool import measure_many
from sceneset.schemas.finding import Finding, errors_of, finding, in_order
from sceneset.schemas.scan_row import ScanRow
from sceneset.schemas.scene import SplitName
from sceneset.schemas.subset import SplitRow, Subset, SubsetDraft
from sceneset.schemas.tag import Tag
from sceneset.schemas.terms import TOTAL, Kind, Persons, Phase
from sceneset.storage.yaml_files import Document, load_document


def read_delivery(request: Request, catalog: Catalog, progress: Progress) -> Delivery:
    """Check everything, change nothing; pixels are decoded once, and only here."""
    reading = _Reading(request, catalog)
    reading.read_texts()
    measured = reading.measure(progress)
    reading.findings += returning(measured, catalog.forgotten)
    return reading.finish(measured)


def returning(rows: Iterable[ScanRow], stones: Tombstones) -> list[Finding]:
    """Report images that were withdrawn, and those that look like one that was."""
    looks = [
        (int(look, 16), stone)
        for stone in stones.values()
        for look in (stone.phash, stone.phash_mirror)
    ]
    found = []
    for row in rows if stones else ():
        look, said = int(row.phash, 16), stones.get(row.image_md5)
        near = (stone for other, stone in looks if (other ^ look).bit_count() <= NEAR)
        alike = None if said else next(near, None)
        if said or alike:
            found.append(
                finding(
                    "forgotten" if said else "forgotten-near",
                    f"was withdrawn: {said.reason}"
                    if said
                    else f"looks like {alike.image if alike else ''}, which was withdrawn",
                    file=f"img_dir/{row.phase}/{row.image}",
                    phase=row.phase,
                    stem=row.stem,
                    hint="leave it out"
                    if said
                    else "look at it; if it shows the same, leave it out",
                )
            )
    return found


class _Reading:
    """The steps of reading one delivery; findings gather in ``problems``."""

    def __init__(self, request: Request, catalog: Catalog) -> None:
        self.request, self.vocabulary, self.params = request, catalog.vocabulary, catalog.params
        self.waivers = [
            waiver.model_copy(update={"subset": ""})  # findings on a delivery name none
            for waiver in waivers_of(catalog.root)
            if waiver.subset == request.name
        ]
        self.findings: list[Finding] = []
        self.brought: list[Finding] = []
        """Findings on --entry and --tags: unlike a delivery's own files, they can't be left out."""
        self.document: Document | None = None
        self.draft = self._draft()
        suffix = self.draft.img_suffix if self.draft else None
        self.layout = read_layout(request.folder, img_suffix=suffix)
        self.findings += [p for p in self.layout.findings if not self._is_brought(p)]
        self.files = Memberships(catalog.vocabulary)
        self.given_tags: list[Tag] | None = None

    @property
    def kind(self) -> Kind:
        return self.request.kind or (self.draft.kind if self.draft else Kind.FULL)

    def _is_brought(self, p: Finding) -> bool:
        """Whether a stray file is what the command names as --entry or --tags."""
        brought = (self.request.entry_file, self.request.tags_file)
        path = self.request.folder / p.file
        return p.code == "stray-file" and any(
            file and file.exists() and path.exists() and file.samefile(path) for file in brought
        )

    def _draft(self) -> SubsetDraft | None:
        """Read --entry, or return None; its name and kind may be left to the command."""
        file, kind = self.request.entry_file, self.request.kind
        if file is None:
            return None
        filler = {"name": self.request.name, "kind": kind or Kind.FULL}
        try:
            draft, self.document = load_document(file, SubsetDraft, file.name, defaults=filler)
        except FindingsError as found:
            self.brought += found.findings
            return None
        for what, said, asked in (
            ("name", draft.name, self.request.name),
            ("kind", draft.kind, kind or draft.kind),
        ):
            if said != asked:
                self.brought.append(
                    finding(
                        "schema",
                        f"is {said}, the command says {asked}",
                        file=file.name,
                        row=self.document.line((what,)),
                        field=what,
                        hint="let both say the same",
                    )
                )
        for number, row in enumerate(draft.splits):
            if row.scene not in self.vocabulary.order:
                unknown = unknown_scene(self.vocabulary, row.scene, file=file.name)
                where = self._where_in_entry(number, ".scene")
                self.brought.append(unknown.model_copy(update=where))
        return draft

    def _where_in_entry(self, number: int, field: str) -> dict[str, Any]:
        """Return where --entry says something of a row of its scene table."""
        place = ("splits", number, field.removeprefix("."))
        line = self.document.line(place) if self.document else None
        return {"field": f"splits[{number + 1}]{field}", "row": line}

    def _where(self, _: int, row: SplitRow, field: str) -> dict[str, Any]:
        """Return where people find a row: in the file they brought, or as a split file."""
        rows = self.draft.splits if self.draft else ()
        if self.request.entry_file and row in rows:
            where = self._where_in_entry(rows.index(row), field)
            return {"file": self.request.entry_file.name} | where
        return {"file": f"split_dir/{row.file}"}

    def read_texts(self) -> None:
        """Read split files and --tags."""
        known = self.layout.images.keys() | {
            (Phase(p.phase), p.stem) for p in self.layout.findings if p.stem
        }
        for path in self.layout.split_files:
            self._read_split_file(path, known)
        self.findings += self.files.incomplete(self.layout.images)
        if self.request.tags_file:
            self._read_tags(self.request.tags_file)

    def _read_split_file(self, path: Path, known: Container[Key]) -> None:
        shown = printable(f"split_dir/{path.name}")
        rows = {row.file: row for row in self.draft.splits} if self.draft else {}
        row = rows.get(path.name)
        says = (
            SplitName(row.scene, row.persons, row.phase)
            if row
            else self.vocabulary.parse_split_file(path.name)
        )
        # An entry that could not be read may have told what the file is.
        if says is None and not (self.request.entry_file and self.draft is None):
            self._unknown_file(path.name, shown)
        try:
            lines = read_lines(path, shown)
        except FindingsError as found:
            self.findings += found.findings
            return
        suffixes = (self.layout.img_suffix, ".png")
        keys = resolve(lines, shown, known, says.phase if says else None, suffixes)
        self.findings += lines.findings
        if says and says.scene in self.vocabulary.order:
            self.findings += self.files.take(path.name, shown, says, set(keys), row)

    def _unknown_file(self, file: str, shown: str) -> None:
        near = self.vocabulary.nearest(file.removesuffix(".txt"))
        self.findings.append(
            finding(
                "unknown-split-file",
                "fits no scene of the vocabulary",
                file=shown,
                hint=(f"nearest: {', '.join(near)}; " if near else "")
                + "rename it, add its scene to "
                "registry/scenes.yaml, or give it a row in --entry",
            )
        )

    def _read_tags(self, path: Path) -> None:
        try:
            found = tags_with_lines(path, path.name)
        except FindingsError as wrong:
            self.brought += wrong.findings
            return
        images = self.layout.images.keys()
        here = images | {(p.phase, p.stem) for p in self.layout.findings}
        for tag, line in found:
            self.brought += [
                unknown_scene(self.vocabulary, scene, file=path.name, row=line)
                for scene in dict.fromkeys(scene for scene, _ in tag.scenes)
                if scene not in self.vocabulary.by_key
            ]
            if tag.key not in here:
                self.brought.append(
                    finding(
                        "tag-without-image",
                        f"{tag.phase} {tag.stem} has tags and no image",
                        file=path.name,
                        row=line,
                        hint="correct or delete the row",
                    )
                )
        self.brought += [
            finding(
                "image-without-tag",
                f"{phase} {stem} has an image and no tags",
                file=path.name,
                hint=f"add the row {phase},{stem}",
            )
            for phase, stem in sorted(images - {tag.key for tag, _ in found})
        ]
        self.given_tags = [tag for tag, _ in found if tag.key in images]

    def measure(self, progress: Progress) -> list[ScanRow]:
        """Decode every pair; return the rows of the good ones."""
        layout = self.layout
        pairs = [
            Pair(*key, layout.images[key], layout.masks[key], layout.base) for key in layout.pairs()
        ]
        rows = []
        for measured in progress(measure_many(pairs, self.params.limits), len(pairs), "check"):
            self.findings += measured.findings
            if measured.row:
                rows.append(measured.row)
        self.findings += sample_findings(table_of(rows, self.params.algorithms.scan), self.params)
        return rows

    def finish(self, rows: list[ScanRow]) -> Delivery:
        """Decide what is left out, and put entry, tags and findings together."""
        # What is left out is decided by weighed findings: a registry may make any rule an error.
        self.findings = weighed(self.findings, self.params, self.waivers)
        bad = {(p.phase, p.stem) for p in errors_of(self.findings) if p.stem}
        leave = self.request.quarantine
        left_out = [p for p in errors_of(self.findings) if p.code in LEAVABLE] if leave else []
        kept: set[Key] = {row.key for row in rows if row.key not in bad}
        samples = kept if leave else set(self.layout.images)
        tags = self._tags(samples)
        entry = self._entry(tags) if samples else None
        if entry:
            self._compare(entry, tags)
            table = table_of((row for row in rows if row.key in samples), 0)
            said_in = self.request.tags_file.name if self.request.tags_file else "split_dir"
            self.findings += [
                p.model_copy(update={"subset": ""})
                for p in kind_findings(entry, tags, table, self.params, folder="", file=said_in)
            ]
        elif not samples and (leave or not errors_of(self.findings)):
            self.findings.append(
                finding(
                    "layout",
                    "holds no good sample",
                    file="img_dir",
                    hint="mend what is told of them",
                )
            )
        self.findings += [
            finding(
                "no-scene",
                "stands in no scene, only in the total",
                phase=tag.phase,
                stem=tag.stem,
                file=f"img_dir/{tag.phase}/{tag.stem}{self.layout.img_suffix}",
            )
            for tag in tags
            if not tag.scenes and any(not row.is_total for row, _ in self.files.delivered.values())
        ]
        return Delivery(
            layout=self.layout,
            entry=entry,
            tags=tags,
            findings=weighed(self.findings + self.brought, self.params, self.waivers),
            rows=[row for row in rows if row.key in samples],
            left_out=in_order(left_out),
        )

    def _tags(self, samples: set[Key]) -> list[Tag]:
        if self.given_tags is not None:
            return [tag for tag in self.given_tags if tag.key in samples]
        return [self.files.tag(key, self.kind) for key in sorted(samples)]

    def _entry(self, tags: list[Tag]) -> Subset | None:
        """Put the scene table together: --entry's rows, then the delivered files' own."""
        order = self.vocabulary.order
        rows = [row for row in self.draft.splits if row.scene in order] if self.draft else []
        rows += [row for row, _ in self.files.delivered.values() if row not in rows]
        have = {row.selects for row in rows}
        wanted: set[tuple[Phase, str, Persons | None]] = {(tag.phase, TOTAL, None) for tag in tags}
        if self.given_tags is not None and not self.files.delivered and not self.draft:
            wanted |= {
                (tag.phase, scene, persons)
                for tag in tags
                for scene, persons in tag.memberships
                if scene in order
            }
        for phase, scene, persons in wanted:
            file = self.vocabulary.split_file(scene, persons, phase)
            row = SplitRow(scene=scene, persons=persons, phase=phase, file=file)
            if row.selects not in have:
                rows.append(row)
        if self.request.quarantine:
            rows = self._rows_with_samples(rows, tags)
        rows = table_order(self.vocabulary, rows)
        twice = same_rows(rows)
        if twice:
            self.findings += twice
            return None
        base = self.draft.model_dump() if self.draft else {"name": self.request.name}
        made = {"kind": self.kind, "img_suffix": self.layout.img_suffix, "splits": rows}
        return Subset.model_validate(base | made)

    def _rows_with_samples(self, rows: list[SplitRow], tags: list[Tag]) -> list[SplitRow]:
        """Leave out rows that lost their last sample, and say so."""
        kept = []
        for row, selected in rows_of(rows, tags):
            if selected:
                kept.append(row)
            else:
                self.findings.append(
                    finding(
                        "row-left-out",
                        f"{row.file} has no sample left; it is no row of the table",
                        file=f"split_dir/{row.file}",
                    )
                )
        return kept

    def _compare(self, entry: Subset, tags: list[Tag]) -> None:
        """Hold scene table, tags and delivered split files against each other."""
        file = self.request.entry_file
        shown = file.name if file else "split_dir"
        self.findings += [
            p.model_copy(update={"subset": ""})  # there is no subset yet to look at
            for p in entry_findings(entry, tags, file=shown, where=self._where)
        ]
        self.findings += persons_conflicts(tags, subset="", file="split_dir")
        self.findings += self.files.differing(
            entry.splits,
            tags,
            {tag.key for tag in tags},
            "mend the tags or the file, or leave --tags out"
            if self.given_tags is not None
            else "split files that mean each other's samples can't be told apart by tags: "
            "bring --tags, or mend the files",
        )
