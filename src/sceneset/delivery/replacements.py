"""Find corrected images and masks in a delivery, and the samples that they belong to."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from sceneset.catalog.subset_folder import KNOWN_SUFFIXES, Key, printable
from sceneset.delivery.types import Request
from sceneset.errors import FindingsError
from sceneset.formats.convert import convert
from sceneset.formats.tree import Tree
from sceneset.formats.types import Options
from sceneset.progress import Progress
from sceneset.schemas.finding import Finding, finding
from sceneset.schemas.params import Limits
from sceneset.schemas.terms import Phase

if TYPE_CHECKING:
    from sceneset.schemas.subset import Subset


class Replace(StrEnum):
    """Which files of samples are replaced."""

    MASKS = "masks"
    IMAGES = "images"
    BOTH = "both"

    @property
    def parts(self) -> tuple[str, ...]:
        """The folders whose files are replaced."""
        parts = {Replace.MASKS: ("ann_dir",), Replace.IMAGES: ("img_dir",)}
        return parts.get(self, ("img_dir", "ann_dir"))


Files = dict[str, dict[Key, Path]]
"""Delivered files of samples, by "img_dir" or "ann_dir"."""


@dataclass
class Replacements:
    """The delivered files, each with the sample of the subset that it belongs to."""

    files: Files
    findings: list[Finding] = field(default_factory=list)
    shown: dict[Path, str] = field(default_factory=dict)
    """How findings name the files: by their path in the delivery."""


def find_replacements(
    request: Request, entry: "Subset", what: Replace, limits: Limits, progress: Progress
) -> Replacements:
    """Return the corrected files of a delivery.

    Without an annotation format, these are the files below ann_dir (masks) and img_dir (images); or
    all files, where the delivery has neither folder. A file in a folder called train, val or test
    belongs to the sample of that phase and of its stem; another one to the only sample of its stem.

    Args:
        request: The delivery, its archives extracted.
        entry: The subset.
        what: What is replaced.
        limits: The largest sizes to decode.
        progress: Called with the samples of an annotation format.
    """
    if request.opened is None or request.work is None:
        raise ValueError("the delivery is not opened")
    work = request.work / "files"
    found = Replacements({part: {} for part in what.parts}, [*request.opened.findings])
    matcher = _Matcher(request.existing, found)
    tree = request.opened.tree(work)
    if request.form:
        done = convert(
            request.form,
            tree,
            request.options or Options(),
            request.work,
            limits=limits,
            progress=progress,
        )
        found.findings += done.layout.findings
        for part, delivered in (("img_dir", done.layout.images), ("ann_dir", done.layout.masks)):
            for key, path in delivered.items() if part in found.files else ():
                origin = done.delivered[key]
                file = origin.image if part == "img_dir" else origin.annotation
                # Formats without phases put everything into train.
                phase = key[0] if key in request.existing else None
                matcher.add(part, path, file, phase, key[1])
        return found
    for part in what.parts:
        suffix = entry.img_suffix if part == "img_dir" else ".png"
        for file in _files_of(tree, part, what, found.findings):
            matcher.add_file(part, file, tree.path(file), suffix)
    found.findings += [
        finding(
            "stray-file",
            "is a link or no regular file",
            file=printable(link),
            hint="deliver the files themselves",
        )
        for link in tree.links
    ]
    if not any(found.files.values()) and not found.findings:
        names = " or ".join(found.files)
        found.findings.append(
            finding(
                "layout",
                f"has no files to take for {what}",
                file=printable(tree.root.name),
                hint=f"put them into {names}, in folders named train, val and test",
            )
        )
    return found


def _files_of(tree: Tree, part: str, what: Replace, findings: list[Finding]) -> Iterable[str]:
    """Return the files that may be of a part."""
    has_folders = any(file.startswith(("img_dir/", "ann_dir/")) for file in tree.files)
    if has_folders:
        return [file for file in tree.files if file.startswith(f"{part}/")]
    if what is Replace.BOTH:
        if part == what.parts[0]:
            findings.append(
                finding(
                    "layout",
                    "has neither img_dir nor ann_dir, so it is not clear which files are images",
                    file=printable(tree.root.name),
                    hint="put images into img_dir and masks into ann_dir",
                )
            )
        return []
    return tree.files


class _Matcher:
    """Finds the sample that a delivered file belongs to."""

    def __init__(self, existing: Mapping[Key, object], found: Replacements) -> None:
        self._found = found
        self._first: dict[tuple[str, Key], str] = {}
        """The first file of each sample, by folder."""
        self._by_stem: dict[str, list[Key]] = defaultdict(list)
        for key in existing:
            self._by_stem[key[1]].append(key)

    def add_file(self, part: str, file: str, path: Path, suffix: str) -> None:
        """Add a file that is named after its sample, or report that it can't be one.

        Args:
            part: "img_dir" or "ann_dir".
            file: The path in the delivery.
            path: The path on this machine.
            suffix: The suffix of the files of this part.
        """
        name = Path(file)
        if name.suffix == suffix:
            folder = name.parent.name
            phase = Phase(folder) if folder in set(Phase) else None
            self.add(part, path, file, phase, name.stem)
            return
        if name.suffix.lower() in KNOWN_SUFFIXES:
            code, text = "suffix", f"has the suffix {name.suffix}, not {suffix}"
            hint = f"convert it to {suffix}, or rename it"
        else:
            code, text, hint = "stray-file", "is not an image", "remove it from the delivery"
        self._add_finding(code, text, file, hint)

    def _add_finding(self, code: str, message: str, file: str, hint: str) -> None:
        stem = printable(Path(file).stem)
        self._found.findings.append(
            finding(code, message, file=printable(file), hint=hint, stem=stem)
        )

    def add(self, part: str, path: Path, file: str, phase: Phase | None, stem: str) -> None:
        """Add a file to the sample it belongs to, or report why there is none."""
        self._found.shown[path] = printable(file)
        places = self._by_stem.get(stem, [])
        keys = [key for key in places if phase in {None, key[0]}]
        first = self._first.setdefault((part, keys[0]), file) if len(keys) == 1 else file
        if len(keys) == 1 and first == file:
            self._found.files[part][keys[0]] = path
            return
        code, hint = "sample-unknown", "rename the file after its sample, or remove it"
        if len(keys) == 1:
            code = "stem-duplicate"
            text = f"is a second file for {'/'.join(keys[0])}, beside {printable(first)}"
            hint = "deliver one file for each sample; --quarantine takes none of them"
            self._found.files[part].pop(keys[0], None)
        elif keys:
            text = f"can belong to {' or '.join('/'.join(key) for key in sorted(keys))}"
            hint = "put the file into a folder named after the phase"
        elif places:
            text = f"belongs to no sample: {stem!r} is in {' and '.join(k[0] for k in places)}"
            hint = "put the file into the folder of that phase"
        else:
            text = f"belongs to no sample: the subset has none called {printable(stem)!r}"
        self._add_finding(code, text, file, hint)


def choose_form(tree: Tree) -> Iterator[str]:
    """Yield the annotation formats that fit a delivery of corrected files.

    Folders of masks are corrected masks themselves.
    """
    from sceneset.formats.registry import detect_formats

    try:
        yield from (name for name, _ in detect_formats(tree) if name != "masks")
    except FindingsError:
        return
