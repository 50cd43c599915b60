"""A delivery, checked whole: the subset it would become, and all that is wrong with it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from sceneset.registry.catalog import unknown_scene
from sceneset.registry.checks import entry_problems, persons_conflicts
from sceneset.registry.layout import Key, Layout, printable, read_layout
from sceneset.registry.measure import Measured, Pair, measure_all
from sceneset.registry.splitfiles import read_lines, resolve
from sceneset.registry.tagsfile import read_tags
from sceneset.registry.views import rows_of, table_order
from sceneset.registry.yamlfile import load
from sceneset.schemas.base import Kind, Persons, Phase
from sceneset.schemas.params import Limits
from sceneset.schemas.problem import Problem, ProblemsFoundError, errors, in_order, problem
from sceneset.schemas.sample import ScanRow
from sceneset.schemas.scene import TOTAL, SplitName, Vocabulary
from sceneset.schemas.subset import SplitRow, Subset, SubsetDraft
from sceneset.schemas.tag import InScene, Tag

LEAVABLE = frozenset(
    {
        "stray-file",
        "stem-unsafe",
        "stem-duplicate",
        "suffix",
        "mask-missing",
        "image-missing",
        "split-encoding",
        "split-blank-line",
        "split-unsafe-line",
        "split-duplicate-line",
        "split-unknown-stem",
        "split-incomplete",
        "file-unreadable",
        "image-unreadable",
        "image-format",
        "image-too-large",
        "size-differs",
        "mask-mode",
        "mask-values",
        "mask-0-255",
    }
)
"""Errors that concern one file, sample or line: a delivery can be taken without it."""

Progress = Callable[[Iterable[Measured], int], Iterable[Measured]]


@dataclass
class Delivery:
    """What a delivery would become.

    ``problems`` holds every finding, ``left_out`` those errors whose files, samples or lines are
    not part of the subset.
    """

    layout: Layout
    entry: Subset | None = None
    tags: list[Tag] = field(default_factory=list)
    rows: list[ScanRow] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    left_out: list[Problem] = field(default_factory=list)


@dataclass(frozen=True)
class Request:
    """What `sceneset add` was asked to take."""

    folder: Path
    name: str
    kind: Kind | None = None
    entry_file: Path | None = None
    tags_file: Path | None = None
    quarantine: bool = False


def read_delivery(
    request: Request, vocabulary: Vocabulary, limits: Limits, progress: Progress
) -> Delivery:
    """Check everything, change nothing; pixels are decoded once, and only here."""
    reading = _Reading(request, vocabulary)
    reading.read_texts()
    measured = reading.measure(limits, progress)
    return reading.finish(measured)


class _Reading:
    """The steps of reading one delivery; findings gather in ``problems``."""

    def __init__(self, request: Request, vocabulary: Vocabulary) -> None:
        self.request, self.vocabulary = request, vocabulary
        self.problems: list[Problem] = []
        self.draft = self._draft()
        suffix = self.draft.img_suffix if self.draft else None
        self.layout = read_layout(request.folder, img_suffix=suffix)
        self.problems += self.layout.problems
        self.delivered: dict[str, tuple[SplitRow, set[Key]]] = {}
        self.members: dict[Key, set[tuple[str, Persons | None]]] = {}
        self.given_tags: list[Tag] | None = None

    @property
    def kind(self) -> Kind:
        return self.request.kind or (self.draft.kind if self.draft else Kind.FULL)

    def _draft(self) -> SubsetDraft | None:
        """Read --entry, or return None; its name and kind may be left to the command."""
        file, kind = self.request.entry_file, self.request.kind
        if file is None:
            return None
        filler = {"name": self.request.name, "kind": kind or Kind.FULL}
        try:
            draft = load(file, SubsetDraft, file.name, defaults=filler)
        except ProblemsFoundError as found:
            self.problems += found.problems
            return None
        for what, said, asked in (
            ("name", draft.name, self.request.name),
            ("kind", draft.kind, kind or draft.kind),
        ):
            if said != asked:
                self.problems.append(
                    problem(
                        "schema",
                        f"is {said}, the command says {asked}",
                        file=file.name,
                        field=what,
                        hint="let both say the same",
                    )
                )
        for row in draft.splits:
            if row.scene not in self.vocabulary.order:
                self.problems.append(unknown_scene(self.vocabulary, row.scene, file=file.name))
        return draft

    def read_texts(self) -> None:
        """Read split files and --tags."""
        rows = {row.file: row for row in self.draft.splits} if self.draft else {}
        known = self.layout.images.keys() | {
            (Phase(p.phase), p.stem) for p in self.layout.problems if p.stem
        }
        for path in self.layout.split_files:
            shown = printable(f"split_dir/{path.name}")
            row = rows.get(path.name)
            says = (
                SplitName(row.scene, row.persons, row.phase)
                if row
                else self.vocabulary.parse_split_file(path.name)
            )
            if says is None:
                self._unknown_file(path.name, shown)
                continue
            lines = read_lines(path, shown)
            keys = resolve(lines, shown, known, says.phase, (self.layout.img_suffix, ".png"))
            self.problems += lines.problems
            self._take_split_file(path.name, shown, says, set(keys), row)
        if self.request.tags_file:
            self._read_tags(self.request.tags_file)

    def _unknown_file(self, file: str, shown: str) -> None:
        near = self.vocabulary.nearest(file.removesuffix(".txt"))
        self.problems.append(
            problem(
                "unknown-split-file",
                "fits no scene of the vocabulary",
                file=shown,
                hint=(f"nearest: {', '.join(near)}; " if near else "")
                + "rename it, add its scene to "
                "registry/scenes.yaml, or give it a row in --entry",
            )
        )

    def _take_split_file(
        self, file: str, shown: str, says: SplitName, keys: set[Key], row: SplitRow | None
    ) -> None:
        """Turn a file's lines into a row, or a row for each phase, and memberships."""
        phases = sorted({phase for phase, _ in keys}, key=list(Phase).index)
        first = says.phase or (phases[0] if phases else Phase.TRAIN)
        if len(phases) > 1:
            self.problems.append(
                problem(
                    "split-phases",
                    f"names samples of {' and '.join(phases)}; each phase gets a file of its own",
                    file=shown,
                    hint="readers load one phase through one file",
                )
            )
        for phase in dict.fromkeys((first, *phases)):
            own = file if phase is first else self.vocabulary.split_file(*says[:2], phase)
            made = (
                row
                if row and phase is first
                else SplitRow(scene=says.scene, persons=says.persons, phase=phase, file=own)
            )
            taken = {key for key in keys if key[0] is phase}
            if own in self.delivered:
                taken |= self.delivered[own][1]
            self.delivered[own] = (made, taken)
            if says.scene != TOTAL:
                for key in taken:
                    self.members.setdefault(key, set()).add((says.scene, says.persons))
            else:
                self._check_total(made, taken, shown)

    def _check_total(self, row: SplitRow, taken: set[Key], shown: str) -> None:
        if row.persons or row.source:
            return
        self.problems += [
            problem(
                "split-incomplete",
                f"{row.file} leaves out {stem}",
                file=shown,
                phase=phase,
                stem=stem,
                hint="add the line, or take the sample out of the delivery",
            )
            for phase, stem in sorted(self.layout.images.keys() - taken)
            if phase is row.phase
        ]

    def _read_tags(self, path: Path) -> None:
        try:
            tags = read_tags(path, path.name)
        except ProblemsFoundError as found:
            self.problems += found.problems
            return
        used = {scene for tag in tags for scene, _ in tag.scenes}
        self.problems += [
            unknown_scene(self.vocabulary, scene, file=path.name)
            for scene in sorted(used - self.vocabulary.by_key.keys())
        ]
        tagged = {tag.key for tag in tags}
        images = self.layout.images.keys()
        here = images | {(p.phase, p.stem) for p in self.layout.problems}
        self.problems += [
            problem(
                "tag-without-image",
                f"{phase} {stem} has tags and no image",
                file=path.name,
                hint="correct or delete the row",
            )
            for phase, stem in sorted(tagged - here)
        ] + [
            problem(
                "image-without-tag",
                f"{phase} {stem} has an image and no tags",
                file=path.name,
                hint=f"add the row {phase},{stem}",
            )
            for phase, stem in sorted(images - tagged)
        ]
        self.given_tags = [tag for tag in tags if tag.key in images]

    def measure(self, limits: Limits, progress: Progress) -> list[ScanRow]:
        """Decode every pair; return the rows of the good ones."""
        layout = self.layout
        pairs = [
            Pair(*key, layout.images[key], layout.masks[key], layout.base) for key in layout.pairs()
        ]
        rows = []
        for measured in progress(measure_all(pairs, limits), len(pairs)):
            self.problems += measured.problems
            if measured.row:
                rows.append(measured.row)
        return rows

    def finish(self, rows: list[ScanRow]) -> Delivery:
        """Decide what is left out, and put entry, tags and findings together."""
        bad = {(p.phase, p.stem) for p in errors(self.problems) if p.stem}
        kept: set[Key] = {row.key for row in rows if row.key not in bad}
        leave = self.request.quarantine
        samples = kept if leave else set(self.layout.images)
        tags = self._tags(samples)
        entry = self._entry(tags) if samples else None
        if entry:
            shown = self.request.entry_file.name if self.request.entry_file else "scene table"
            self.problems += entry_problems(entry, tags, file=shown)
            self.problems += persons_conflicts(tags, subset="", file="split_dir")
            self._compare_split_files(entry, tags)
        elif not errors(self.problems):
            self.problems.append(problem("layout", "holds no sample", file="img_dir"))
        left_out = [p for p in errors(self.problems) if p.code in LEAVABLE] if leave else []
        self.problems += [
            problem(
                "no-scene",
                "stands in no scene, only in the total",
                phase=tag.phase,
                stem=tag.stem,
                file=f"img_dir/{tag.phase}/{tag.stem}{self.layout.img_suffix}",
            )
            for tag in tags
            if not tag.scenes and self.delivered.keys() - {f"{TOTAL}.txt"}
        ]
        return Delivery(
            layout=self.layout,
            entry=entry,
            tags=tags,
            problems=in_order(self.problems),
            rows=[row for row in rows if row.key in samples],
            left_out=in_order(left_out),
        )

    def _tags(self, samples: Iterable[Key]) -> list[Tag]:
        if self.given_tags is not None:
            chosen = set(samples)
            return [tag for tag in self.given_tags if tag.key in chosen]
        return [self._tag(key) for key in sorted(samples)]

    def _tag(self, key: Key) -> Tag:
        """Say what the split files say of a sample; where they disagree, say both."""
        members = sorted(
            self.members.get(key, ()), key=lambda m: (self.vocabulary.order[m[0]], str(m[1]))
        )
        said = {persons for _, persons in members if persons}
        persons = next(iter(said)) if len(said) == 1 else None
        crop = self.kind is Kind.CROP
        return Tag.model_construct(
            phase=key[0],
            stem=key[1],
            scenes=tuple(InScene(s, None if p is persons else p) for s, p in members),
            persons=persons or (Persons.SINGLE if crop and not said else None),
            boxes=1 if crop else None,
            source="",
        )

    def _entry(self, tags: list[Tag]) -> Subset | None:
        """Put the scene table together: --entry's rows, then the delivered files' own."""
        rows = list(self.draft.splits) if self.draft else []
        rows += [row for row, _ in self.delivered.values() if row not in rows]
        have = {row.selects for row in rows}
        wanted: set[tuple[Phase, str, Persons | None]] = {(tag.phase, TOTAL, None) for tag in tags}
        if self.given_tags is not None and not self.delivered and not self.draft:
            wanted |= {(tag.phase, s, p) for tag in tags for s, p in tag.memberships}
        for phase, scene, persons in wanted:
            file = self.vocabulary.split_file(scene, persons, phase)
            row = SplitRow(scene=scene, persons=persons, phase=phase, file=file)
            if row.selects not in have:
                rows.append(row)
        if self.request.quarantine:
            rows = self._rows_with_samples(rows, tags)
        base = self.draft.model_dump() if self.draft else {"name": self.request.name}
        made = base | {
            "kind": self.kind,
            "img_suffix": self.layout.img_suffix,
            "splits": table_order(self.vocabulary, rows),
        }
        try:
            return Subset.model_validate(made)
        except ValueError as error:
            what = str(error).splitlines()
            self.problems.append(
                problem(
                    "row-duplicate",
                    what[2].strip() if len(what) > 2 else what[0],
                    file="split_dir",
                    hint="two split files mean the same row: deliver one of them",
                )
            )
            return None

    def _rows_with_samples(self, rows: list[SplitRow], tags: list[Tag]) -> list[SplitRow]:
        """Leave out rows that lost their last sample, and say so."""
        kept = []
        for row, selected in rows_of(rows, tags):
            if selected:
                kept.append(row)
            else:
                self.problems.append(
                    problem(
                        "row-left-out",
                        f"{row.file} has no sample left; it is no row of the table",
                        file=f"split_dir/{row.file}",
                    )
                )
        return kept

    def _compare_split_files(self, entry: Subset, tags: list[Tag]) -> None:
        """Report delivered split files that the tags don't give again, sample by sample."""
        here = {tag.key for tag in tags}
        for row, selected in rows_of(entry.splits, tags):
            plain_total = row.is_total and not (row.persons or row.source)
            if row.file not in self.delivered or plain_total:
                continue
            delivered = self.delivered[row.file][1] & here
            mine = {tag.key for tag in selected}
            apart = sorted(delivered ^ mine)
            if apart:
                self.problems.append(
                    problem(
                        "split-differs",
                        f"holds {len(delivered)} samples, the tags give {len(mine)}; first "
                        f"difference: {apart[0][1]}",
                        file=f"split_dir/{row.file}",
                        hint="mend the file, or bring the tags that give it with --tags",
                    )
                )
