"""What delivered split files say of samples, turned into tags, and compared with them again."""

from collections.abc import Container, Iterable, Sequence

from sceneset.catalog.split_selection import rows_of
from sceneset.catalog.subset_folder import Key
from sceneset.schemas.finding import Finding, finding
from sceneset.schemas.scene import SplitName, Vocabulary
from sceneset.schemas.subset import SplitRow
from sceneset.schemas.tag import InScene, Tag
from sceneset.schemas.terms import TOTAL, Kind, Persons, Phase


class Memberships:
    """Gathers split files one by one; ``delivered`` holds each row with its samples, by file."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.delivered: dict[str, tuple[SplitRow, set[Key]]] = {}
        self._came_from: dict[str, set[str]] = {}
        self._members: dict[Key, set[tuple[str, Persons | None]]] = {}
        self._sources: dict[Key, set[str]] = {}

    def take(
        self, file: str, shown: str, says: SplitName, keys: set[Key], row: SplitRow | None
    ) -> list[Finding]:
        """Turn a file's lines into a row, or a row for each phase, and memberships.

        ``row`` is what the entry says of the file, ``says`` what is known of it in any case.
        """
        phases = sorted({phase for phase, _ in keys}, key=list(Phase).index)
        first = says.phase or (phases[0] if phases else Phase.TRAIN)
        for phase in dict.fromkeys((first, *phases)):
            own = file if phase is first else self.vocabulary.split_file(*says[:2], phase)
            made = (
                row
                if row and phase is first
                else SplitRow(scene=says.scene, persons=says.persons, phase=phase, file=own)
            )
            taken = {key for key in keys if key[0] is phase}
            if own in self.delivered:
                made, others = self.delivered[own]
                taken |= others
            self.delivered[own] = (made, taken)
            self._came_from.setdefault(own, set()).add(shown)
            for key in taken:
                if says.scene != TOTAL or says.persons:
                    self._members.setdefault(key, set()).add((says.scene, says.persons))
                if made.source:
                    self._sources.setdefault(key, set()).add(made.source)
        if len(phases) < 2:
            return []
        return [
            finding(
                "split-phases",
                f"names samples of {' and '.join(phases)}; each phase gets a file of its own",
                file=shown,
                hint="readers load one phase through one file",
            )
        ]

    def incomplete(self, images: Iterable[Key]) -> list[Finding]:
        """Report samples that a delivered file of all samples of their phase leaves out."""
        findings = []
        for file, (row, taken) in self.delivered.items():
            if row.scene != TOTAL or row.persons or row.source:
                continue
            [shown] = sorted(self._came_from[file])[:1]
            # One line can't name two samples: a stem of train and val stands in it once.
            said = {
                stem
                for other, keys in self.delivered.values()
                for _, stem in keys
                if other.is_total and shown in self._came_from[other.file]
            }
            findings += [
                finding(
                    "split-incomplete",
                    f"{file} leaves out {stem}",
                    file=shown,
                    phase=phase,
                    stem=stem,
                    hint="add the line, or take the sample out of the delivery",
                )
                for phase, stem in sorted(images)
                if phase is row.phase and (phase, stem) not in taken and stem not in said
            ]
        return findings

    def tag(self, key: Key, kind: Kind) -> Tag:
        """Say what the split files say of a sample; where they disagree, say both."""
        members = self._members.get(key, set())
        told_apart = {scene for scene, persons in members if persons}
        # A row of single and multi alike adds nothing to one that tells them apart.
        members = {(s, p) for s, p in members if p or s not in told_apart}
        said = {persons for _, persons in members}
        persons = next(iter(said)) if len(said) == 1 else None
        crop = kind is Kind.CROP
        order = self.vocabulary.order
        sources = self._sources.get(key, set())
        return Tag.model_construct(
            phase=key[0],
            stem=key[1],
            scenes=tuple(
                InScene(s, None if p is persons else p)
                for s, p in sorted(members, key=lambda m: (order[m[0]], str(m[1])))
                if s != TOTAL
            ),
            persons=persons or (Persons.SINGLE if crop and not said - {None} else None),
            boxes=1 if crop else None,
            source=next(iter(sources)) if len(sources) == 1 else "",
        )

    def differing(
        self, rows: Iterable[SplitRow], tags: Sequence[Tag], samples: Container[Key], hint: str
    ) -> list[Finding]:
        """Report files whose samples, as far as they are taken, are not what the tags select."""
        findings = []
        for row, selected in rows_of(rows, tags):
            if row.file not in self.delivered or row.selects[:2] == (TOTAL, ""):
                continue  # what a file of all leaves out, ``incomplete`` says
            delivered = {key for key in self.delivered[row.file][1] if key in samples}
            mine = {tag.key for tag in selected}
            apart = sorted(delivered ^ mine)
            if apart:
                findings.append(
                    finding(
                        "split-differs",
                        f"holds {len(delivered)} samples, the tags give "
                        f"{len(mine)}; first difference: {apart[0][1]}",
                        file=f"split_dir/{row.file}",
                        hint=hint,
                    )
                )
        return findings


def same_rows(rows: Iterable[SplitRow]) -> list[Finding]:
    """Report rows that select the same samples, or share a file, by the names of their files."""
    findings = []
    seen: dict[object, SplitRow] = {}
    for row in rows:
        for what in (row.selects, row.file.casefold()):
            first = seen.setdefault(what, row)
            if first is not row:
                words = " ".join(filter(None, row.selects))
                findings.append(
                    finding(
                        "row-duplicate",
                        f"{first.file} and {row.file} are both the row {words!r}"
                        if first.selects == row.selects
                        else f"two rows are written to {row.file}",
                        file=f"split_dir/{row.file}",
                        hint="two files mean the same row: deliver one of them",
                    )
                )
                break
    return findings
