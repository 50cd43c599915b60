"""Read delivered split files: check each line, and find the sample that each stem names."""

import io
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from sceneset.catalog.subset_folder import Key, printable
from sceneset.schemas.finding import MAX_ALIKE, Finding, capped, finding
from sceneset.schemas.names import composed, invalid_stem_reason
from sceneset.schemas.terms import Phase
from sceneset.storage.files import MAX_TEXT, read_bytes

_BOM = b"\xef\xbb\xbf"
_MAX_BYTES = MAX_TEXT


@dataclass
class SplitLines:
    """The valid lines of one split file, and the findings on the others."""

    shown: str
    """The path of the file as findings name it."""
    stems: dict[str, int] = field(default_factory=dict)
    """The row of each stem, from 1."""
    _reported: dict[str, list[Finding]] = field(default_factory=lambda: defaultdict(list))
    _counts: Counter[str] = field(default_factory=Counter)
    """Findings by rule: the first ones, and how many there are."""

    def report(self, code: str, message: str, row: int | None, hint: str, stem: str = "") -> None:
        """Add a finding; beyond the first 100 of a rule, findings are only counted."""
        self._counts[code] += 1
        if self._counts[code] <= MAX_ALIKE:
            place = printable(stem)
            self._reported[code].append(
                finding(code, message, file=self.shown, row=row, hint=hint, field=place)
            )

    @property
    def findings(self) -> list[Finding]:
        """The findings, with one for each rule that counts those that are not listed."""
        return [
            found
            for code, reported in self._reported.items()
            for found in capped(reported, lambda found: found, total=self._counts[code])
        ]


def read_split_lines(path: Path, shown: str) -> SplitLines:
    """Read a split file as the strictest reader does.

    Args:
        path: The split file.
        shown: Its path as findings name it.

    Raises:
        FindingsError: The file can't be read at all.
    """
    lines = SplitLines(shown)
    report = lines.report
    for row, raw in _raw_lines(path, shown, report):
        try:
            stem = raw.decode().strip()
        except UnicodeDecodeError:
            report("split-encoding", "is not UTF-8", row, "save the file as UTF-8")
            continue
        reason = invalid_stem_reason(stem)
        if not stem:
            report(
                "split-blank-line",
                "is blank; readers take it for a sample without a name",
                row,
                "delete the line",
            )
        elif reason:
            report("split-unsafe-line", reason, row, "write the stem of an image", stem)
        elif stem in lines.stems:
            report(
                "split-duplicate-line",
                f"is on line {lines.stems[stem]} already",
                row,
                "delete one of the two lines: readers count both",
                stem,
            )
        else:
            lines.stems[stem] = row
    return lines


def _raw_lines(path: Path, shown: str, report: Callable[..., None]) -> Iterator[tuple[int, bytes]]:
    """Yield the lines of a file with their row numbers; report what is wrong with the file."""
    data = read_bytes(path, shown, limit=_MAX_BYTES)
    if data.startswith(_BOM):
        report(
            "split-encoding",
            "starts with a byte order mark, which readers take for part of the first stem",
            1,
            "save the file as UTF-8 without BOM",
        )
        data = data.removeprefix(_BOM)
    if b"\r\n" in data:
        report("split-line-ends", "has Windows line endings (CRLF)", None, "it is written with LF")
    # One line at a time: a list of a billion blank lines would need 8 times the file's size.
    for row, line in enumerate(io.BytesIO(data), 1):
        yield row, line.removesuffix(b"\n")


def resolve_stems(
    lines: SplitLines,
    samples: Collection[Key],
    phase: Phase | None,
    suffixes: Iterable[str],
) -> dict[Key, int]:
    """Return the samples that the stems of a split file name, with their rows.

    Stems that name no sample are added to ``lines.findings``.

    Args:
        lines: The lines of the file.
        samples: All samples of the delivery.
        phase: The phase that the file's name says, if any. A stem that exists in several phases
            names the sample of this phase, or of train.
        suffixes: Suffixes that people may have left on a stem.
    """
    phases = sorted(Phase, key=lambda other: other is not (phase or Phase.TRAIN))
    keys: dict[Key, int] = {}
    forms: dict[Key, Key] | None = None  # most deliveries don't need it
    for stem, row in lines.stems.items():
        key = next(((p, stem) for p in phases if (p, stem) in samples), None)
        if key:
            keys[key] = row
            continue
        if forms is None:
            forms = {(p, composed(s)): (p, s) for p, s in samples}
        name = composed(stem)
        if other := next((forms[p, name] for p in phases if (p, name) in forms), None):
            lines.report(
                "split-unknown-stem",
                f"differs from the name of its image in {other[0]} in Unicode normal form alone, "
                "so no reader finds the image",
                row,
                "`sceneset fix` gives image, mask and split lines the same name, in NFC",
                stem,
            )
            continue
        bare = next((stem.removesuffix(s) for s in suffixes if stem.endswith(s)), "")
        is_sample = bare and any((p, bare) in samples for p in Phase)
        hint = _hint_on_unknown(bare if is_sample else "")
        lines.report("split-unknown-stem", "names no image", row, hint, stem)
    return keys


def _hint_on_unknown(bare: str) -> str:
    if bare:
        return f"write {bare}, without the suffix"
    return "correct or delete the line"
