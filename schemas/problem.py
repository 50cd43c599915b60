"""Findings as values: what is wrong, where, and what to do about it."""

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum

from sceneset.schemas.base import Model


class Severity(StrEnum):
    """How much a finding weighs: errors stop a command, warnings do not."""

    ERROR = "error"
    WARNING = "warning"


_ERROR, _WARNING = Severity.ERROR, Severity.WARNING

CODES: dict[str, tuple[Severity, str]] = {
    # the registry's own files
    "file-missing": (_ERROR, "a file the registry needs is not there"),
    "disk-full": (_ERROR, "there is less room than is needed"),
    "file-unreadable": (_ERROR, "a file can't be read, is too large or is not UTF-8"),
    "yaml-broken": (_ERROR, "a YAML file does not parse"),
    "yaml-alias": (_ERROR, "a YAML file uses anchors, aliases or tags"),
    "csv-broken": (_ERROR, "a CSV file does not parse or has other columns"),
    "schema": (_ERROR, "a field has a value its schema refuses"),
    "subset-name": (_ERROR, "a subset's name is not CustomSeg_Person_<date>_<note>"),
    "subset-exists": (_ERROR, "a subset of that name is registered already"),
    "unfinished-add": (_ERROR, "an add was cut off, or is at work"),
    "locked": (_ERROR, "another command is writing"),
    "forgotten": (_ERROR, "an image has been withdrawn"),
    "forgotten-near": (_WARNING, "an image looks like one that has been withdrawn"),
    "unfinished-forget": (_ERROR, "a forget was cut off, or is at work"),
    "not-registered": (_WARNING, "a file belongs to a subset that params.yaml does not list"),
    "unknown-scene": (_ERROR, "a scene is not in the vocabulary"),
    "unknown-split-file": (_ERROR, "a split file's name fits no scene of the vocabulary"),
    "tag-duplicate": (_ERROR, "one sample has two rows of tags"),
    "tag-without-image": (_ERROR, "a row of tags names no image"),
    "image-without-tag": (_ERROR, "an image has no row of tags"),
    "row-duplicate": (_ERROR, "two rows of a scene table share a file or select the same"),
    "row-missing": (_WARNING, "tagged samples stand in no row of the scene table"),
    "row-left-out": (_WARNING, "a row lost its last sample to the quarantine"),
    "row-empty": (_ERROR, "a row of the scene table selects no sample"),
    "count-differs": (_ERROR, "a declared number of images is not the counted one"),
    "persons-conflict": (_WARNING, "a sample is single in one scene and multi in another"),
    "scan-missing": (_ERROR, "a listed subset has no scan"),
    "scan-broken": (_ERROR, "a scan file can't be read or is of another algorithm"),
    "scan-incomplete": (_ERROR, "fewer or other files than registered were found"),
    # training and held-out images
    "leak-bytes": (_ERROR, "a held-out image is trained on"),
    "leak-near": (_ERROR, "a held-out image looks like one that is trained on"),
    "leak-source": (_ERROR, "a held-out image is of a source that is trained on"),
    "leak-tested": (_ERROR, "a training image was a test image of a version"),
    "leak-review": (_WARNING, "a held-out image may be related to one that is trained on"),
    "duplicate-bytes": (_WARNING, "two images of a phase have the same bytes"),
    "duplicate-near": (_WARNING, "two images of a phase look alike"),
    "clip-undeclared": (_WARNING, "images look like frames of a clip and name no source"),
    # releases
    "release-dirty": (_ERROR, "something is not committed"),
    "release-stale": (_ERROR, "the pipeline's outputs are not current"),
    "release-number": (_ERROR, "a version number is not after the last one"),
    "release-same": (_ERROR, "the state has a version already"),
    "release-step": (_ERROR, "a version number moves less than the changes ask for"),
    "blob-absent": (_ERROR, "a blob is not on the remote"),
    "blob-damaged": (_ERROR, "a blob on the remote is not what its name says"),
    "blob-unread": (_ERROR, "a blob can't be read from the remote"),
    # a delivery's folders and files
    "layout": (_ERROR, "a delivery is not in the document's layout"),
    "stray-file": (_ERROR, "a file does not belong where it stands"),
    "junk-file": (_WARNING, "a file an operating system leaves behind; it is not taken"),
    "stem-unsafe": (_ERROR, "a name breaks readers or leaves its folder"),
    "stem-duplicate": (_ERROR, "two files have one stem, or differ in case alone"),
    "suffix": (_ERROR, "a file has another suffix than its folder's"),
    "mask-missing": (_ERROR, "an image has no mask"),
    "image-missing": (_ERROR, "a mask has no image"),
    "split-encoding": (_ERROR, "a split file begins with a byte order mark or is not UTF-8"),
    "split-line-ends": (_WARNING, "a split file has Windows line ends; it is written with LF"),
    "split-blank-line": (_ERROR, "a split file has a blank line"),
    "split-unsafe-line": (_ERROR, "a line of a split file leaves its folder"),
    "split-duplicate-line": (_ERROR, "a split file names one image twice"),
    "split-unknown-stem": (_ERROR, "a line of a split file names no image"),
    "split-phases": (_WARNING, "a split file mixes phases; each phase gets a file of its own"),
    "split-incomplete": (_ERROR, "the file of all samples leaves some out"),
    "split-differs": (_ERROR, "a delivered split file is not what the tags say"),
    "no-scene": (_WARNING, "a sample stands in no scene"),
    # pixels
    "image-unreadable": (_ERROR, "an image or mask can't be decoded to its end"),
    "image-format": (_ERROR, "a file's content is not what its suffix says"),
    "image-too-large": (_ERROR, "a file or picture is beyond the limits of params.yaml"),
    "image-too-small": (_ERROR, "a picture is smaller than anything can be seen in"),
    "image-mode": (_WARNING, "an image is not 8-bit RGB"),
    "image-orientation": (_WARNING, "an image carries an orientation that its mask does not"),
    "size-differs": (_ERROR, "an image and its mask differ in size"),
    "mask-mode": (_ERROR, "a mask is not one channel of 8 bits"),
    "mask-values": (_ERROR, "a mask holds values other than 0, 1 and 255"),
    "mask-0-255": (_ERROR, "a mask writes the person as 255, which readers ignore"),
    "mask-empty": (_WARNING, "a mask shows no person"),
}


class Problem(Model):
    """One finding. ``file`` is relative to the registry or the delivery; ``row`` counts from 1."""

    code: str
    severity: Severity
    message: str
    subset: str = ""
    file: str = ""
    row: int | None = None
    field: str = ""
    hint: str = ""
    phase: str = ""
    stem: str = ""
    """The sample the finding takes with it, where it is about one sample alone."""

    def __str__(self) -> str:
        where = self.file + (f":{self.row}" if self.row else "")
        what = f"{self.field}: {self.message}" if self.field else self.message
        return ": ".join(part for part in (where, what) if part)

    @property
    def sort_key(self) -> tuple[str, str, str, int, str, str]:
        """Errors first, then by place."""
        return (self.severity, self.subset, self.file, self.row or 0, self.code, self.message)


def problem(
    code: str,
    message: str,
    *,
    subset: str = "",
    file: str = "",
    row: int | None = None,
    field: str = "",
    hint: str = "",
    phase: str = "",
    stem: str = "",
) -> Problem:
    """Make a finding with the severity that ``CODES`` gives its code."""
    return Problem(
        code=code,
        severity=CODES[code][0],
        message=message,
        subset=subset,
        file=file,
        row=row,
        field=field,
        hint=hint,
        phase=phase,
        stem=stem,
    )


def in_order(problems: Iterable[Problem]) -> list[Problem]:
    """Sort findings, errors first, each one once."""
    return sorted(set(problems), key=lambda p: p.sort_key)


def errors(problems: Iterable[Problem]) -> list[Problem]:
    """Keep the findings that stop a command."""
    return [p for p in problems if p.severity is Severity.ERROR]


class ProblemsFoundError(Exception):
    """Carries all findings of a run to the edge, where they are shown once."""

    def __init__(self, problems: Iterable[Problem], summary: str = "") -> None:
        self.problems = in_order(problems)
        counts = Counter(p.severity.value for p in self.problems)
        self.summary = summary or ", ".join(
            f"{n} {word}{'s' if n > 1 else ''}" for word, n in sorted(counts.items())
        )
        super().__init__("\n".join([self.summary, *map(str, self.problems)]))
