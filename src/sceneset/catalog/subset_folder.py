"""A delivery's folders as they are: which images, masks and split files stand where."""

import os
import unicodedata
from collections import Counter
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path

from sceneset.schemas.finding import Finding, finding
from sceneset.schemas.names import stem_fault
from sceneset.schemas.terms import Phase

Key = tuple[Phase, str]
Files = list[tuple[Phase, Path]]

IMAGE_SUFFIXES = (".jpg", ".png")
_PICTURES = {
    ".jpg",
    ".jpeg",
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
_LONGEST_SHOWN = 300  # characters
_JUNK = {".ds_store", "thumbs.db", "desktop.ini"}
_LAYOUT_HINT = "the layout is img_dir/<phase>, ann_dir/<phase> and split_dir, phases " + ", ".join(
    Phase
)


@dataclass
class Layout:
    """What stands in a delivery. Keys are (phase, stem); findings name files from ``base``."""

    base: Path
    img_suffix: str = ".jpg"
    images: dict[Key, Path] = field(default_factory=dict)
    masks: dict[Key, Path] = field(default_factory=dict)
    split_files: list[Path] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def pairs(self) -> list[Key]:
        """Return every sample that has both its files, sorted."""
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
    """Return what can be shown of ``text``: one line, escapes for odd bytes, cut where too long."""
    dots = "..." if len(text) > _LONGEST_SHOWN else ""
    raw = text[:_LONGEST_SHOWN].encode("utf-8", "surrogateescape")
    text = raw.decode("utf-8", "backslashreplace") + dots
    return "".join(
        repr(c)[1:-1] if unicodedata.category(c) in {"Cc", "Zl", "Zp"} else c for c in text
    )


def read_layout(base: Path, *, img_suffix: str | None = None) -> Layout:
    """Walk a delivery without following links; nothing is opened."""
    layout = read_samples(base, img_suffix=img_suffix)
    if base.is_dir() and not any((base / name).exists() for name in ("img_dir", "ann_dir")):
        return layout  # it is another folder altogether: its files need not be told one by one
    for entry in _entries(layout, base) if base.is_dir() else ():
        if entry.name == "split_dir":
            _split_files(layout, Path(entry.path))
        elif entry.name not in {"img_dir", "ann_dir"} and not _is_junk(layout, entry):
            layout.report("stray-file", "is not part of the layout", Path(entry.path), _LAYOUT_HINT)
    return layout


def read_samples(base: Path, *, img_suffix: str | None = None) -> Layout:
    """Walk img_dir and ann_dir alone; the commonest suffix of images counts unless one is given."""
    layout = Layout(base)
    if not base.is_dir():
        layout.findings.append(
            finding("layout", "is no folder", file=printable(base.name), hint=_LAYOUT_HINT)
        )
        return layout
    (images, odd_images), (masks, odd_masks) = (
        _phase_files(layout, base / name) for name in ("img_dir", "ann_dir")
    )
    counts = Counter(path.suffix for _, path in images)
    layout.img_suffix = img_suffix or max(IMAGE_SUFFIXES, key=lambda suffix: counts[suffix])
    _sort_out(layout, images, masks, odd_images, odd_masks)
    return layout


def listed_samples(base: Path, images: Files, masks: Files, *, img_suffix: str) -> Layout:
    """Return the layout of files that are listed, and may not be here."""
    layout = Layout(base, img_suffix)
    _sort_out(layout, images, masks)
    return layout


def _sort_out(
    layout: Layout,
    images: Files,
    masks: Files,
    odd_images: AbstractSet[Key] = frozenset(),
    odd_masks: AbstractSet[Key] = frozenset(),
) -> None:
    seen_images = _collect(layout, images, layout.images, layout.img_suffix)
    seen_masks = _collect(layout, masks, layout.masks, ".png")
    _unpaired(layout, seen_images | odd_images, seen_masks | odd_masks)
    if not images and not layout.findings:
        layout.report("layout", "holds no images", layout.base / "img_dir", _LAYOUT_HINT)


def _split_files(layout: Layout, folder: Path) -> None:
    if folder.is_symlink():
        layout.report("layout", "is no folder", folder, _LAYOUT_HINT)
        return
    for entry in _entries(layout, folder):
        if entry.name.endswith(".txt") and entry.is_file(follow_symlinks=False):
            layout.split_files.append(Path(entry.path))
        elif not _is_junk(layout, entry):
            layout.report(
                "stray-file",
                "is no split file",
                Path(entry.path),
                "split files are plain files called <something>.txt",
            )


def _entries(layout: Layout, folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        layout.report("layout", f"can't be listed: {error.strerror}", folder, _LAYOUT_HINT)
        return []


def _is_junk(layout: Layout, entry: os.DirEntry[str]) -> bool:
    # macOS puts ._a.jpg beside a.jpg; alone, it may be a picture that somebody means.
    fork = entry.name.startswith("._") and Path(entry.path).with_name(entry.name[2:]).exists()
    if fork or entry.name.casefold() in _JUNK:
        layout.report(
            "junk-file", "is left by an operating system; it is not taken", Path(entry.path)
        )
        return True
    return False


def _phase_files(layout: Layout, folder: Path) -> tuple[Files, set[Key]]:
    """Return the plain files of every phase folder; report all that is something else.

    The samples that such a thing stands for come second: they miss nothing more.
    """
    files: Files = []
    odd: set[Key] = set()
    if not folder.is_dir() or folder.is_symlink():
        layout.report("layout", "is no folder", folder, _LAYOUT_HINT)
        return files, odd
    for entry in _entries(layout, folder):
        if entry.name not in set(Phase) or not entry.is_dir(follow_symlinks=False):
            if not _is_junk(layout, entry):
                layout.report("stray-file", "is no phase folder", Path(entry.path), _LAYOUT_HINT)
            continue
        for file in _entries(layout, Path(entry.path)):
            if _is_junk(layout, file):
                continue
            if file.is_file(follow_symlinks=False):
                files.append((Phase(entry.name), Path(file.path)))
            else:
                what = "a link" if file.is_symlink() else "no plain file"
                path = Path(file.path)
                key = (Phase(entry.name), path.stem) if path.suffix.lower() in _PICTURES else None
                odd |= {key} if key else set()
                layout.report(
                    "stray-file",
                    f"is {what}; files stand in the phase folder itself",
                    path,
                    "deliver the files themselves",
                    key,
                )
    return files, odd


def _collect(layout: Layout, files: Files, into: dict[Key, Path], suffix: str) -> set[Key]:
    """Sort files into samples; return every stem that was seen, taken or not."""
    seen: set[Key] = set()
    alike: dict[tuple[Phase, str], list[tuple[Key, Path]]] = {}
    for phase, path in files:
        stem = path.name[: -len(path.suffix)] if path.suffix else path.name
        key = (phase, stem)
        fault = stem_fault(stem)
        if fault or path.name.startswith("."):
            layout.report(
                "stem-unsafe",
                f"its name {fault or 'begins with a dot'}",
                path,
                "rename it, its mask and its lines in the split files",
                key,
            )
        elif path.suffix.lower() not in _PICTURES:
            layout.report("stray-file", "is no picture", path, "take it out of the delivery")
            continue
        elif path.suffix != suffix:
            layout.report(
                "suffix",
                f"ends in {path.suffix}, not {suffix}: mmsegmentation reads "
                "one exact suffix for all, and never finds it",
                path,
                f"convert or rename it to {suffix}",
                key,
            )
        else:
            into[key] = path
        seen.add(key)
        same = (phase, unicodedata.normalize("NFC", stem).casefold())
        alike.setdefault(same, []).append((key, path))
    for group in alike.values():
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


def _unpaired(layout: Layout, images: set[Key], masks: set[Key]) -> None:
    for phase, stem in sorted(layout.images.keys() - masks):
        layout.report(
            "mask-missing",
            "has no mask",
            layout.images[phase, stem],
            f"annotate it as ann_dir/{phase}/{stem}.png, or take it out",
            (phase, stem),
        )
    for phase, stem in sorted(layout.masks.keys() - images):
        layout.report(
            "image-missing",
            "has no image",
            layout.masks[phase, stem],
            f"deliver img_dir/{phase}/{stem}{layout.img_suffix}, or take it out",
            (phase, stem),
        )
