"""List the images, masks and split files in the folders of a delivery or a subset."""

import os
import unicodedata
from collections import Counter
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path

from sceneset.schemas.finding import Finding, finding
from sceneset.schemas.names import changes_direction, composed, invalid_stem_reason
from sceneset.schemas.terms import Phase

Key = tuple[Phase, str]
Files = list[tuple[Phase, Path]]

IMAGE_SUFFIXES = (".jpg", ".png")
KNOWN_SUFFIXES = {
    ".jpg",
    ".jpeg",
    ".jpe",
    ".jfif",
    ".insp",
    ".png",
    ".bmp",
    ".gif",
    ".tif",
    ".tiff",
    ".webp",
    ".heic",
    ".heif",
    ".avif",
    ".mpo",
    ".ico",
}
_MAX_SHOWN = 300  # characters
JUNK = {".ds_store", "thumbs.db", "desktop.ini"}
"""Files that file managers write, in lower case."""
_LAYOUT_HINT = "the layout is img_dir/<phase>, ann_dir/<phase> and split_dir; phases: " + ", ".join(
    Phase
)
_BLOB_HINT = (
    "links must lead to files of DVC's cache; `dvc checkout` restores them, or `dvc pull` if the "
    "cache does not have the files"
)


@dataclass
class Layout:
    """The files of a delivery by phase and stem; findings show paths relative to ``base``."""

    base: Path
    img_suffix: str = ".jpg"
    images: dict[Key, Path] = field(default_factory=dict)
    masks: dict[Key, Path] = field(default_factory=dict)
    split_files: list[Path] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def pairs(self) -> list[Key]:
        """Return the samples that have both an image and a mask, sorted."""
        return sorted(self.images.keys() & self.masks.keys())

    def report(
        self, code: str, message: str, path: Path, hint: str = "", key: Key | None = None
    ) -> None:
        """Add a finding about ``path``."""
        phase, stem = key or ("", "")
        shown = path.relative_to(self.base).as_posix()
        self.findings.append(
            finding(
                code, message, file=printable(shown), hint=hint, phase=phase, stem=printable(stem)
            )
        )


def printable(text: str) -> str:
    """Return text for a message: one line, invalid bytes escaped, at most 300 characters."""
    ellipsis = "..." if len(text) > _MAX_SHOWN else ""
    text = text[:_MAX_SHOWN]
    try:
        raw = text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a lone surrogate, which JSON can contain
        raw = text.encode("utf-8", "backslashreplace")
    text = raw.decode("utf-8", "backslashreplace") + ellipsis
    return "".join(
        c.encode("unicode_escape").decode()
        if unicodedata.category(c) in {"Cc", "Zl", "Zp"} or changes_direction(c)
        else c
        for c in text
    )


def read_layout(base: Path, *, img_suffix: str | None = None) -> Layout:
    """List all files of a delivery, without following links or opening files."""
    layout = read_samples(base, img_suffix=img_suffix)
    if base.is_dir() and not any((base / name).exists() for name in ("img_dir", "ann_dir")):
        return layout  # not a delivery at all: do not report each of its files
    for entry in _entries(layout, base) if base.is_dir() else ():
        if entry.name == "split_dir":
            _collect_split_files(layout, Path(entry.path))
        elif entry.name not in {"img_dir", "ann_dir", "crops.csv"} and not _is_junk(layout, entry):
            layout.report("stray-file", "is not part of the layout", Path(entry.path), _LAYOUT_HINT)
    return layout


def read_samples(
    base: Path, *, img_suffix: str | None = None, is_blob: Callable[[str], bool] | None = None
) -> Layout:
    """List the files of img_dir and ann_dir only.

    Args:
        base: The folder of the delivery or subset.
        img_suffix: The suffix of images; without it, the most frequent one.
        is_blob: Returns whether the link at a path leads to a blob of DVC's cache. Such a link
            counts as the file that it stands for. A delivery has no such links.
    """
    layout = Layout(base)
    if not base.is_dir():
        layout.findings.append(
            finding("layout", "is not a folder", file=printable(base.name), hint=_LAYOUT_HINT)
        )
        return layout
    (images, invalid_images), (masks, invalid_masks) = (
        _phase_files(layout, base / name, is_blob) for name in ("img_dir", "ann_dir")
    )
    counts = Counter(path.suffix for _, path in images)
    layout.img_suffix = img_suffix or max(IMAGE_SUFFIXES, key=lambda suffix: counts[suffix])
    _pair_files(layout, images, masks, invalid_images, invalid_masks)
    return layout


def layout_of_files(base: Path, images: Files, masks: Files, *, img_suffix: str) -> Layout:
    """Return the layout of files from a list; they need not exist on this machine."""
    layout = Layout(base, img_suffix)
    _pair_files(layout, images, masks)
    return layout


def _pair_files(
    layout: Layout,
    images: Files,
    masks: Files,
    invalid_images: AbstractSet[Key] = frozenset(),
    invalid_masks: AbstractSet[Key] = frozenset(),
) -> None:
    """Fill the layout's images and masks, and report samples that lack one.

    ``invalid_images`` and ``invalid_masks`` have a file that was already reported.
    """
    image_keys = _collect(layout, images, layout.images, layout.img_suffix)
    mask_keys = _collect(layout, masks, layout.masks, ".png")
    _report_unpaired(layout, image_keys | invalid_images, mask_keys | invalid_masks)
    if not images and not layout.findings:
        layout.report("layout", "contains no images", layout.base / "img_dir", _LAYOUT_HINT)


def _collect_split_files(layout: Layout, folder: Path) -> None:
    if folder.is_symlink():
        layout.report("layout", "is not a folder", folder, _LAYOUT_HINT)
        return
    for entry in _entries(layout, folder):
        if entry.name.endswith(".txt") and entry.is_file(follow_symlinks=False):
            layout.split_files.append(Path(entry.path))
        elif not _is_junk(layout, entry):
            layout.report(
                "stray-file",
                "is not a split file",
                Path(entry.path),
                "split files are regular files named <something>.txt",
            )


def _entries(layout: Layout, folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        layout.report("layout", f"can't be listed: {error.strerror}", folder, _LAYOUT_HINT)
        return []


def _is_junk(layout: Layout, entry: os.DirEntry[str]) -> bool:
    # macOS writes ._a.jpg next to a.jpg. Without a.jpg, ._a.jpg may be an image.
    is_macos_copy = (
        entry.name.startswith("._") and Path(entry.path).with_name(entry.name[2:]).exists()
    )
    if is_macos_copy or entry.name.casefold() in JUNK:
        layout.report(
            "junk-file", "is a leftover of an operating system; it is skipped", Path(entry.path)
        )
        return True
    return False


def _phase_files(
    layout: Layout, folder: Path, is_blob: Callable[[str], bool] | None
) -> tuple[Files, set[Key]]:
    """Return the regular files of all phase folders, and report everything else.

    The second value holds the samples whose file is not a regular file. They are reported once,
    and not again as missing.
    """
    files: Files = []
    invalid: set[Key] = set()
    if not folder.is_dir() or folder.is_symlink():
        layout.report("layout", "is not a folder", folder, _LAYOUT_HINT)
        return files, invalid
    for entry in _entries(layout, folder):
        if entry.name not in set(Phase) or not entry.is_dir(follow_symlinks=False):
            if not _is_junk(layout, entry):
                layout.report("stray-file", "is not a phase folder", Path(entry.path), _LAYOUT_HINT)
            continue
        for file in _entries(layout, Path(entry.path)):
            if _is_junk(layout, file):
                continue
            is_link = file.is_symlink()
            if file.is_file(follow_symlinks=False) or (is_link and is_blob and is_blob(file.path)):
                files.append((Phase(entry.name), Path(file.path)))
            else:
                kind = "a link" if is_link else "not a regular file"
                path = Path(file.path)
                key = (
                    (Phase(entry.name), path.stem)
                    if path.suffix.lower() in KNOWN_SUFFIXES
                    else None
                )
                invalid |= {key} if key else set()
                layout.report(
                    "stray-file",
                    f"is {kind}; a phase folder contains only regular files",
                    path,
                    _BLOB_HINT if is_blob else "deliver the files themselves",
                    key,
                )
    return files, invalid


def _collect(layout: Layout, files: Files, into: dict[Key, Path], suffix: str) -> set[Key]:
    """Put the valid files ``into`` a dictionary; return the samples of all image files.

    Files with an invalid name or suffix, and stems that differ only in case or Unicode form, are
    reported.
    """
    seen: set[Key] = set()
    same_name: dict[tuple[Phase, str], list[tuple[Key, Path]]] = {}
    for phase, path in files:
        stem = path.name[: -len(path.suffix)] if path.suffix else path.name
        key = (phase, stem)
        reason = invalid_stem_reason(stem)
        if reason or path.name.startswith("."):
            layout.report(
                "stem-unsafe",
                f"the name {reason or 'starts with a dot'}",
                path,
                "rename the image, its mask and its lines in the split files",
                key,
            )
        elif path.suffix.lower() not in KNOWN_SUFFIXES:
            layout.report("stray-file", "is not an image", path, "remove it from the delivery")
            continue
        elif path.suffix != suffix:
            layout.report(
                "suffix",
                f"has the suffix {path.suffix}, not {suffix}; mmsegmentation reads "
                "files with one exact suffix and would skip this file",
                path,
                f"convert it to {suffix}, or rename it",
                key,
            )
        else:
            into[key] = path
        seen.add(key)
        name = (phase, composed(stem).casefold())
        same_name.setdefault(name, []).append((key, path))
    for group in same_name.values():
        for key, path in group if len(group) > 1 else ():
            others = (printable(other.name) for _, other in group if other is not path)
            layout.report(
                "stem-duplicate",
                f"has the same stem as {' and '.join(others)}",
                path,
                "rename one of the samples",
                key,
            )
            into.pop(key, None)
    return seen


def _report_unpaired(layout: Layout, images: set[Key], masks: set[Key]) -> None:
    lone_masks = {
        (phase, composed(stem)): (phase, stem) for phase, stem in layout.masks.keys() - images
    }
    paired: set[Key] = set()
    for phase, stem in sorted(layout.images.keys() - masks):
        mask = lone_masks.get((phase, composed(stem)))
        if mask:
            paired.add(mask)
            layout.report(
                "mask-missing",
                f"its name and that of its mask differ in Unicode normal form alone (the image is "
                f"in {_form(stem)}, the mask in {_form(mask[1])}), so no reader finds the mask",
                layout.images[phase, stem],
                "`sceneset fix` gives image, mask and split lines the same name, in NFC",
                (phase, stem),
            )
            continue
        layout.report(
            "mask-missing",
            "has no mask",
            layout.images[phase, stem],
            f"add the mask as ann_dir/{phase}/{stem}.png, or remove the image",
            (phase, stem),
        )
    for phase, stem in sorted(layout.masks.keys() - images - paired):
        layout.report(
            "image-missing",
            "has no image",
            layout.masks[phase, stem],
            f"add img_dir/{phase}/{stem}{layout.img_suffix}, or remove the mask",
            (phase, stem),
        )


def _form(stem: str) -> str:
    if unicodedata.is_normalized("NFC", stem):
        return "NFC"
    return "NFD" if unicodedata.is_normalized("NFD", stem) else "neither NFC nor NFD"
