"""Read and check a delivery as a whole: the subset it would become, and all findings on it."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from sceneset.catalog.reader import Catalog
from sceneset.catalog.scan_table import table_from_rows
from sceneset.catalog.split_selection import in_table_order
from sceneset.catalog.subset_folder import Key, printable, read_layout
from sceneset.delivery.crops_file import changed_crops, read_crops_file
from sceneset.delivery.entry_file import read_entry_file
from sceneset.delivery.existing import digests_of_samples, existing_findings, known_rows
from sceneset.delivery.frame_stems import clips_text, with_sources
from sceneset.delivery.scene_table import (
    complete_rows,
    duplicate_row_findings,
    without_empty_rows,
)
from sceneset.delivery.split_files import read_split_lines, resolve_stems
from sceneset.delivery.split_tags import SplitTags
from sceneset.delivery.tags_file import read_tags_file, with_scenes
from sceneset.delivery.types import QUARANTINE_CODES, Delivery, Request
from sceneset.delivery.withdrawn import withdrawn_findings, withdrawn_originals
from sceneset.errors import FindingsError
from sceneset.progress import Progress
from sceneset.quality.kind_rules import kind_findings
from sceneset.quality.rows import with_tag_rows
from sceneset.quality.tag_rules import persons_conflict_findings, scene_table_findings
from sceneset.rules.policy import apply_policy, read_waivers
from sceneset.rules.sample_rules import sample_findings
from sceneset.scanning.measure_sample import Pair
from sceneset.scanning.process_pool import measure_files
from sceneset.scanning.void_masks import settle_void_masks
from sceneset.schemas.delivered import Delivered
from sceneset.schemas.finding import Finding, errors_of, finding, in_order
from sceneset.schemas.params import Limits
from sceneset.schemas.scan_row import ScanRow
from sceneset.schemas.scene import SplitName
from sceneset.schemas.subset import Subset
from sceneset.schemas.tag import Tag
from sceneset.schemas.terms import Kind, Phase

if TYPE_CHECKING:
    from sceneset.formats.convert import Converted


def read_delivery(request: Request, catalog: Catalog, progress: Progress) -> Delivery:
    """Check a delivery completely and return the subset that it would become.

    Nothing is changed. Images and masks are decoded once, here, and not again by `sceneset add`.

    Args:
        request: What to read.
        catalog: The registry that the subset is for.
        progress: Reports the progress of decoding.
    """
    reader = _Reader(request, catalog, progress)
    reader.read_texts()
    rows = reader.measure(progress)
    reader.findings += withdrawn_findings(rows, catalog.tombstones)
    reader.findings += withdrawn_originals(reader.crops, catalog.tombstones)
    reader.findings += existing_findings(rows, request.existing)
    return reader.finish(rows)


def _converted(request: Request, limits: Limits, progress: Progress) -> "Converted | None":
    """Return the samples of a delivery in an annotation format, or None for the Custom layout."""
    if request.form is None or request.work is None:
        return None
    from sceneset.formats.convert import convert
    from sceneset.formats.tree import Tree
    from sceneset.formats.types import Options

    files = request.work / "files"
    tree = request.opened.tree(files) if request.opened else Tree(request.folder, files)
    options = request.options or Options()
    return convert(request.form, tree, options, request.work, limits=limits, progress=progress)


class _Reader:
    """Reads one delivery step by step and collects the findings."""

    def __init__(self, request: Request, catalog: Catalog, progress: Progress) -> None:
        self.request, self.vocabulary, self.params = request, catalog.vocabulary, catalog.params
        self.waivers = [
            waiver.model_copy(update={"subset": ""})  # findings on a delivery name no subset
            for waiver in read_waivers(catalog.root)
            if waiver.subset == request.name
        ]
        self.entry_file = read_entry_file(request, catalog.vocabulary)
        draft = self.entry_file.draft
        self.kind = request.kind or (draft.kind if draft else Kind.FULL)
        img_suffix = draft.img_suffix if draft else None
        if request.into:
            self.kind, img_suffix = request.into.kind, request.into.img_suffix
        self.converted = _converted(request, self.params.limits, progress)
        self.layout = (
            self.converted.layout
            if self.converted
            else read_layout(request.folder, img_suffix=img_suffix)
        )
        self.findings = [p for p in self.layout.findings if not self._is_about_user_file(p)]
        if request.opened:
            self.findings += request.opened.findings
        self.user_findings: list[Finding] = [*self.entry_file.findings]
        """Findings on --entry and --tags. Unlike files of the delivery, these can't be left out."""
        self.crops, findings = ([], []) if self.converted else read_crops_file(request.folder)
        self.user_findings += findings
        self.split_tags = SplitTags(catalog.vocabulary)
        self.user_tags: list[Tag] | None = None
        """The tags of --tags; None if there are none, or they can't be read."""

    def _is_about_user_file(self, p: Finding) -> bool:
        """Return whether a stray file in the delivery is the file of --entry or --tags."""
        path = self.request.folder / p.file
        return p.code == "stray-file" and any(
            file and file.exists() and path.exists() and file.samefile(path)
            for file in (self.request.entry_file, self.request.tags_file)
        )

    def read_texts(self) -> None:
        """Read the split files and --tags."""
        samples = self.layout.images.keys() | {
            (Phase(p.phase), p.stem) for p in self.layout.findings if p.stem
        }
        for path in self.layout.split_files:
            self._read_split_file(path, samples)
        self.findings += self.split_tags.incomplete_findings(
            self.layout.images, needs_all=self.request.quarantine
        )
        if self.request.tags_file:
            self.user_tags, findings = read_tags_file(
                self.request.tags_file,
                self.layout,
                self.vocabulary,
                quarantine=self.request.quarantine,
            )
            self.user_findings += findings
        if self.request.scenes_file and self.converted:
            rows, findings = read_tags_file(
                self.request.scenes_file,
                self.layout,
                self.vocabulary,
                quarantine=self.request.quarantine,
                skipped=("reason",),
            )
            self.user_findings += findings
            if rows is not None:
                self.user_tags = with_scenes(self.converted.tags, rows)

    def _read_split_file(self, path: Path, samples: Collection[Key]) -> None:
        shown = printable(f"split_dir/{path.name}")
        rows = known_rows(self.request.into) if self.request.into else self.entry_file.rows
        row = {row.file: row for row in rows}.get(path.name)
        readings = (
            (SplitName(row.scene, row.persons, row.phase),)
            if row
            else self.vocabulary.split_file_readings(path.name)
        )
        name = readings[0] if len(readings) == 1 else None
        # If --entry can't be read, it may have a row for this file.
        if name is None and not self.entry_file.is_unreadable:
            self._report_unknown_split_file(path.name, shown, readings)
        try:
            lines = read_split_lines(path, shown)
        except FindingsError as error:
            self.findings += error.findings
            return
        suffixes = (self.layout.img_suffix, ".png")
        keys = resolve_stems(lines, samples, name.phase if name else None, suffixes)
        self.findings += lines.findings
        if name and name.scene in self.vocabulary.order:
            self.findings += self.split_tags.add_file(path.name, shown, name, keys, row)

    def _report_unknown_split_file(
        self, file: str, shown: str, readings: Sequence[SplitName]
    ) -> None:
        if readings:
            meanings = " or ".join(self.vocabulary.reading_name(name) for name in readings)
            self.findings.append(
                finding(
                    "unknown-split-file",
                    f"can mean {meanings}",
                    file=shown,
                    hint="rename it to "
                    + " or ".join(
                        self.vocabulary.split_file(*name[:2], name.phase or Phase.TRAIN)
                        for name in readings
                    )
                    + ", or give it a row in --entry",
                )
            )
            return
        nearest = self.vocabulary.nearest(file.removesuffix(".txt"))
        self.findings.append(
            finding(
                "unknown-split-file",
                "matches no scene of the vocabulary",
                file=shown,
                hint=(f"did you mean {', '.join(nearest)}? " if nearest else "")
                + "Rename the file, add its scene to registry/scenes.yaml, or give it a row in "
                "--entry",
            )
        )

    def measure(self, progress: Progress) -> list[ScanRow]:
        """Decode all pairs and return the rows of those without errors."""
        layout = self.layout
        pairs = [
            Pair(*key, layout.images[key], layout.masks[key], layout.base) for key in layout.pairs()
        ]
        rows = []
        results = progress(measure_files(pairs, self.params.limits), len(pairs), "check")
        for measured in settle_void_masks(results):
            self.findings += measured.findings
            if measured.row:
                rows.append(measured.row)
        table = table_from_rows(rows, self.params.algorithms.scan)
        self.findings += sample_findings(table, self.params)
        if self.converted:
            self.findings = [self.converted.located(p) for p in self.findings]
            rows = [self._with_own_names(row) for row in rows]
        return rows

    def _with_own_names(self, row: ScanRow) -> ScanRow:
        """Return the row of a converted sample with the file names that it gets in the registry."""
        names = {"image": f"{row.stem}{self.layout.img_suffix}", "mask": f"{row.stem}.png"}
        return row.model_copy(update=names)

    def finish(self, rows: list[ScanRow]) -> Delivery:
        """Decide what is left out, and combine entry, tags and findings."""
        # Apply the policy first: a registry can make any rule an error, which leaves samples out.
        self.findings = apply_policy(self.findings, self.params, self.waivers)
        self.user_findings += changed_crops(self.crops, rows)
        errors = errors_of(self.findings)
        bad = {(p.phase, p.stem) for p in errors if p.stem}
        quarantine = self.request.quarantine
        left_out = [p for p in errors if p.code in QUARANTINE_CODES] if quarantine else []
        good: set[Key] = {row.key for row in rows if row.key not in bad}
        samples = good if quarantine else set(self.layout.images)
        identity: tuple[str, ...] = ()
        if self.request.into:
            identity = digests_of_samples(rows, self._tags(set(self.layout.images)))
        rows = [row for row in rows if row.key in samples]
        tags = self._tags(samples)
        entry = self._entry(tags) if tags else None  # no tags: each annotation is broken
        if entry:
            self._check_entry(entry, tags, rows)
        elif not samples and (quarantine or not errors):
            self.findings.append(
                finding(
                    "layout",
                    "contains no good sample",
                    file="img_dir",
                    hint="fix the errors listed for its samples",
                )
            )
        if any(not row.is_total for row in self.split_tags.rows):
            self.findings += [self._no_scene_finding(tag) for tag in tags if not tag.scenes]
        findings = self.findings + self.user_findings
        return Delivery(
            layout=self.layout,
            entry=entry,
            tags=tags,
            findings=apply_policy(findings, self.params, self.waivers),
            rows=rows,
            left_out=in_order(left_out),
            delivered=self._delivered(samples),
            crops=[row for row in self.crops if row.key in samples],
            identity=identity,
            says=[
                *(self.request.opened.says if self.request.opened else ()),
                *(self.converted.says if self.converted else ()),
                *clips_text(tags, self.vocabulary),
            ],
        )

    def _delivered(self, samples: set[Key]) -> list[Delivered]:
        if self.converted is None:
            return []
        return [one for key, one in self.converted.delivered.items() if key in samples]

    def _no_scene_finding(self, tag: Tag) -> Finding:
        return finding(
            "no-scene",
            "is in no scene, only in the total",
            phase=tag.phase,
            stem=tag.stem,
            file=f"img_dir/{tag.phase}/{tag.stem}{self.layout.img_suffix}",
        )

    def _tags(self, samples: set[Key]) -> list[Tag]:
        tags = self._given_tags(samples)
        pattern = self.request.source_pattern
        return with_sources(tags, pattern) if pattern else tags

    def _given_tags(self, samples: set[Key]) -> list[Tag]:
        if self.user_tags is not None:
            return [tag for tag in self.user_tags if tag.key in samples]
        if self.converted:
            return sorted((t for t in self.converted.tags if t.key in samples), key=lambda t: t.key)
        return [self.split_tags.tag(key, self.kind) for key in sorted(samples)]

    def _entry(self, tags: list[Tag]) -> Subset | None:
        """Return the subset with its scene table, or None if two rows exclude each other."""
        order, draft = self.vocabulary.order, self.entry_file.draft
        entry_rows = [row for row in self.entry_file.rows if row.scene in order]
        split_rows = [row for row in self.split_tags.rows if row not in entry_rows]
        from_tags = self.user_tags is not None and not split_rows and not self.entry_file.rows
        rows = complete_rows(self.vocabulary, [*entry_rows, *split_rows], tags, from_tags=from_tags)
        if self.request.quarantine:
            rows, findings = without_empty_rows(rows, tags)
            self.findings += findings
        rows = in_table_order(self.vocabulary, rows)
        if duplicates := duplicate_row_findings(rows):
            self.findings += duplicates
            return None
        fields = draft.model_dump() if draft else {"name": self.request.name}
        fields |= {"kind": self.kind, "img_suffix": self.layout.img_suffix, "splits": rows}
        return Subset.model_validate(fields)

    def _check_entry(self, entry: Subset, tags: list[Tag], rows: list[ScanRow]) -> None:
        """Compare scene table, tags, split files and samples with each other."""
        entry_file = self.request.entry_file
        tags_file = self.request.tags_file or self.request.scenes_file
        tags_name = tags_file.name if tags_file else "split_dir"
        table = table_from_rows(rows, 0)
        findings = [
            *scene_table_findings(
                entry,
                tags,
                file=entry_file.name if entry_file else "split_dir",
                locate=self.entry_file.locate,
            ),
            *persons_conflict_findings(tags, subset="", file=tags_name),
            *kind_findings(
                entry,
                tags,
                table,
                self.params,
                folder="",
                file=tags_name,
            ),
        ]
        if tags_file:
            findings = with_tag_rows(findings, tags_file)
        # The subset does not exist yet, so findings must not refer to it.
        self.findings += [p.model_copy(update={"subset": ""}) for p in findings]
        self.findings += self.split_tags.difference_findings(
            entry.splits,
            tags,
            {tag.key for tag in tags},
            "correct the tags or the split file, or omit --tags"
            if self.user_tags is not None
            else "the split files contradict each other and can't be expressed as tags: "
            "correct them, or add --tags",
        )
