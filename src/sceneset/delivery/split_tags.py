"""Turn delivered split files into rows of the scene table and tags, and compare them with tags."""

from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from functools import partial

from sceneset.catalog.split_selection import samples_by_row
from sceneset.catalog.subset_folder import Key
from sceneset.schemas.finding import MAX_ALIKE, Finding, capped, finding
from sceneset.schemas.scene import SplitName, Vocabulary
from sceneset.schemas.subset import SplitRow
from sceneset.schemas.tag import SceneMembership, Tag
from sceneset.schemas.terms import TOTAL, Kind, Persons, Phase


class SplitTags:
    """Collects the split files of a delivery, and derives rows and tags from them."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.delivered: dict[str, tuple[SplitRow, set[Key]]] = {}
        """Each row of the scene table with its samples, by the file the row is written to."""
        self._origins: dict[str, set[str]] = {}
        """The delivered files that a row comes from, by the file the row is written to."""
        self._memberships: dict[Key, set[tuple[str, Persons | None]]] = {}
        self._sources: dict[Key, set[str]] = {}
        self._lines: dict[str, Mapping[Key, int]] = {}
        """The line of each sample, by the name of the delivered file."""

    @property
    def rows(self) -> list[SplitRow]:
        """The rows of the scene table that the files describe."""
        return [row for row, _ in self.delivered.values()]

    def add_file(
        self,
        file: str,
        shown: str,
        name: SplitName,
        lines: Mapping[Key, int],
        row: SplitRow | None,
    ) -> list[Finding]:
        """Add a split file as one row, or as one row for each phase if it mixes phases.

        Args:
            file: The file's name.
            shown: The file's path as findings name it.
            name: Scene, persons and phase of the file, from --entry or from the file's name.
            lines: The samples that the file lists, each with its line.
            row: The file's row in --entry, if it has one.
        """
        self._lines[file] = lines
        phases = sorted({phase for phase, _ in lines}, key=list(Phase).index)
        first = name.phase or (phases[0] if phases else Phase.TRAIN)
        # A file that has another name of its scene (skiing.txt) becomes the file of the scene.
        is_written = row is not None or self.vocabulary.parse_split_file(file) is not None
        for phase in dict.fromkeys((first, *phases)):
            is_first = phase is first
            keeps_name = is_first and is_written
            target = file if keeps_name else self.vocabulary.split_file(*name[:2], phase)
            new_row = (
                row
                if row and is_first
                else SplitRow(scene=name.scene, persons=name.persons, phase=phase, file=target)
            )
            self._add_row(new_row, target, shown, {key for key in lines if key[0] is phase}, name)
        findings = []
        if not is_written:
            target = self.vocabulary.split_file(*name[:2], first)
            findings.append(
                finding(
                    "split-name",
                    f"is read as {self.vocabulary.reading_name(name)}; the registry writes its "
                    f"samples to {target}",
                    file=shown,
                    hint=f"training configs must name {target}",
                )
            )
        if len(phases) < 2:
            return findings
        return [
            *findings,
            finding(
                "split-phases",
                f"lists samples of {' and '.join(phases)}; it becomes one file for each phase",
                file=shown,
                hint="readers load one phase from one file",
            ),
        ]

    def _add_row(
        self, row: SplitRow, file: str, shown: str, keys: set[Key], name: SplitName
    ) -> None:
        if file in self.delivered:
            row, others = self.delivered[file]
            keys |= others
        self.delivered[file] = (row, keys)
        self._origins.setdefault(file, set()).add(shown)
        for key in keys:
            if name.scene != TOTAL or name.persons:
                self._memberships.setdefault(key, set()).add((name.scene, name.persons))
            if row.source:
                self._sources.setdefault(key, set()).add(row.source)

    def incomplete_findings(self, images: Collection[Key], *, needs_all: bool) -> list[Finding]:
        """Report images that are missing from the file that lists all samples of their phase.

        Args:
            images: All images of the delivery.
            needs_all: Report each image by itself, so that it can be left out.
        """
        limit = len(images) if needs_all else MAX_ALIKE
        findings = []
        for file, (row, keys) in self.delivered.items():
            if row.scene != TOTAL or row.persons or row.source:
                continue
            shown = min(self._origins[file])
            # A stem that exists in train and val is listed once: one line can't name two samples.
            listed_stems = {
                stem
                for other, other_keys in self.delivered.values()
                for _, stem in other_keys
                if other.is_total and shown in self._origins[other.file]
            }
            missing = (
                key
                for key in sorted(images)
                if key[0] is row.phase and key not in keys and key[1] not in listed_stems
            )
            report = partial(_not_listed, file, shown)
            findings += capped(missing, report, limit=limit)
        return findings

    def tag(self, key: Key, kind: Kind) -> Tag:
        """Return the tag of a sample; if files disagree on persons, it contains both answers."""
        memberships = self._memberships.get(key, set())
        # A file of a scene adds nothing to the scene's single and multi files.
        specific = {scene for scene, persons in memberships if persons}
        memberships = {(s, p) for s, p in memberships if p or s not in specific}
        answers = {persons for _, persons in memberships}
        persons = next(iter(answers)) if len(answers) == 1 else None
        is_crop = kind is Kind.CROP
        order = self.vocabulary.order
        sources = self._sources.get(key, set())
        return Tag.model_construct(
            phase=key[0],
            stem=key[1],
            scenes=tuple(
                SceneMembership(s, None if p is persons else p)
                for s, p in sorted(memberships, key=lambda m: (order[m[0]], str(m[1])))
                if s != TOTAL
            ),
            persons=persons or (Persons.SINGLE if is_crop and not answers - {None} else None),
            boxes=1 if is_crop else None,
            source=next(iter(sources)) if len(sources) == 1 else "",
        )

    def difference_findings(
        self, rows: Iterable[SplitRow], tags: Sequence[Tag], samples: Container[Key], hint: str
    ) -> list[Finding]:
        """Report delivered files that list other samples than the tags select for their row.

        Only ``samples`` are compared, so that samples that are left out are no difference.
        """
        findings = []
        for row, selected in samples_by_row(rows, tags):
            if row.file not in self.delivered or row.selection[:2] == (TOTAL, ""):
                continue  # ``incomplete_findings`` checks files of all samples
            listed = {key for key in self.delivered[row.file][1] if key in samples}
            tagged = {tag.key for tag in selected}
            differing = sorted(listed ^ tagged)
            if differing:
                findings.append(
                    finding(
                        "split-differs",
                        f"lists {len(listed)} sample{'s' if len(listed) != 1 else ''}, but the "
                        f"tags select {len(tagged)}; first difference: {differing[0][1]}",
                        file=f"split_dir/{row.file}",
                        row=self._lines.get(row.file, {}).get(differing[0]),
                        hint=hint,
                    )
                )
        return findings


def _not_listed(file: str, shown: str, key: Key) -> Finding:
    phase, stem = key
    return finding(
        "split-incomplete",
        f"{file} does not list {stem}",
        file=shown,
        phase=phase,
        stem=stem,
        hint="add the line, or remove the sample from the delivery",
    )
