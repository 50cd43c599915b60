"""Split files as delivered: each line checked, each stem resolved to a sample."""

from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from sceneset.catalog.subset_folder import Key, printable
from sceneset.schemas.finding import Finding, finding
from sceneset.schemas.names import stem_fault
from sceneset.schemas.terms import Phase
from sceneset.storage.files import read_bytes

_BOM = b"\xef\xbb\xbf"
_MAX_BYTES = 1 << 30


@dataclass
class Lines:
    """The stems of one split file with the row each stands on, and what was wrong."""

    stems: dict[str, int] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)


def read_lines(path: Path, shown: str) -> Lines:
    """Read a split file as the strictest reader does; bad lines become findings, not stems."""
    found = Lines()

    def report(code: str, message: str, row: int | None, hint: str, stem: str = "") -> None:
        found.findings.append(
            finding(code, message, file=shown, row=row, hint=hint, field=stem and printable(stem))
        )

    for row, raw in _raw_lines(path, shown, report):
        try:
            stem = raw.decode().strip()
        except UnicodeDecodeError:
            report("split-encoding", "is not UTF-8", row, "save it as UTF-8")
            continue
        fault = stem_fault(stem)
        if not stem:
            report(
                "split-blank-line",
                "is blank: readers take it for a sample without a name",
                row,
                "delete the line",
            )
        elif fault:
            report("split-unsafe-line", fault, row, "write the plain stem of an image", stem)
        elif stem in found.stems:
            report(
                "split-duplicate-line",
                f"stands on line {found.stems[stem]} already",
                row,
                "delete one of the two: readers count both",
                stem,
            )
        else:
            found.stems[stem] = row
    return found


def _raw_lines(path: Path, shown: str, report: Callable[..., None]) -> Iterable[tuple[int, bytes]]:
    """Return the file's lines with their numbers; what is wrong with the whole is reported."""
    data = read_bytes(path, shown, limit=_MAX_BYTES)
    if data.startswith(_BOM):
        report(
            "split-encoding",
            "begins with a byte order mark, which joins the first name",
            1,
            "save it as UTF-8 without BOM",
        )
        data = data.removeprefix(_BOM)
    if b"\r\n" in data:
        report("split-line-ends", "has Windows line ends", None, "it is written with LF")
    lines = data.split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    return enumerate(lines, 1)


def resolve(
    lines: Lines, shown: str, samples: Container[Key], named: Phase | None, suffixes: Iterable[str]
) -> dict[Key, int]:
    """Return the samples that the stems mean, with their rows.

    A stem that stands in several phases means the one the file is ``named`` for, else train.
    """
    order = sorted(Phase, key=lambda phase: phase is not (named or Phase.TRAIN))
    keys: dict[Key, int] = {}
    for stem, row in lines.stems.items():
        key = next(((p, stem) for p in order if (p, stem) in samples), None)
        if key:
            keys[key] = row
            continue
        bare = next((stem.removesuffix(s) for s in suffixes if stem.endswith(s)), "")
        close = bare and any((phase, bare) in samples for phase in Phase)
        lines.findings.append(
            finding(
                "split-unknown-stem",
                "names no image",
                file=shown,
                row=row,
                field=printable(stem),
                hint=_what_to_write(stem, bare if close else ""),
            )
        )
    return keys


def _what_to_write(stem: str, bare: str) -> str:
    if bare:
        return f"write {bare}, without the suffix"
    if not stem.isascii():
        return "correct or delete the line; accents may be written in two ways (NFC, NFD)"
    return "correct or delete the line"
