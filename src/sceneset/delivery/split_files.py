"""Read delivered split files: check each line, and find the sample that each stem names."""

import unicodedata
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from sceneset.catalog.subset_folder import Key, printable
from sceneset.schemas.finding import Finding, finding
from sceneset.schemas.names import invalid_stem_reason
from sceneset.schemas.terms import Phase
from sceneset.storage.files import read_bytes

_BOM = b"\xef\xbb\xbf"
_MAX_BYTES = 1 << 30


@dataclass
class SplitLines:
    """The valid lines of one split file, and the findings on the others."""

    stems: dict[str, int] = field(default_factory=dict)
    """The row of each stem, from 1."""
    findings: list[Finding] = field(default_factory=list)


def read_split_lines(path: Path, shown: str) -> SplitLines:
    """Read a split file as the strictest reader does.

    Args:
        path: The split file.
        shown: Its path as findings name it.

    Raises:
        FindingsError: The file can't be read at all.
    """
    lines = SplitLines()

    def report(code: str, message: str, row: int | None, hint: str, stem: str = "") -> None:
        lines.findings.append(
            finding(code, message, file=shown, row=row, hint=hint, field=stem and printable(stem))
        )

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


def _raw_lines(path: Path, shown: str, report: Callable[..., None]) -> Iterable[tuple[int, bytes]]:
    """Return the lines of a file with their row numbers; report what is wrong with the file."""
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
    lines = data.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    return enumerate(lines, 1)


def resolve_stems(
    lines: SplitLines,
    shown: str,
    samples: Collection[Key],
    phase: Phase | None,
    suffixes: Iterable[str],
) -> dict[Key, int]:
    """Return the samples that the stems of a split file name, with their rows.

    Stems that name no sample are added to ``lines.findings``.

    Args:
        lines: The lines of the file.
        shown: The path of the file as findings name it.
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
            forms = {(p, unicodedata.normalize("NFC", s)): (p, s) for p, s in samples}
        composed = unicodedata.normalize("NFC", stem)
        if other := next((forms[p, composed] for p in phases if (p, composed) in forms), None):
            lines.findings.append(
                finding(
                    "split-unknown-stem",
                    f"differs from the name of its image in {other[0]} in Unicode normal form "
                    "alone, so no reader finds the image",
                    file=shown,
                    row=row,
                    field=printable(stem),
                    hint="`sceneset fix` gives image, mask and split lines the same name, in NFC",
                )
            )
            continue
        bare = next((stem.removesuffix(s) for s in suffixes if stem.endswith(s)), "")
        is_sample = bare and any((p, bare) in samples for p in Phase)
        lines.findings.append(
            finding(
                "split-unknown-stem",
                "names no image",
                file=shown,
                row=row,
                field=printable(stem),
                hint=_hint_on_unknown(bare if is_sample else ""),
            )
        )
    return keys


def _hint_on_unknown(bare: str) -> str:
    if bare:
        return f"write {bare}, without the suffix"
    return "correct or delete the line"
