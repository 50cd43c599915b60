"""Rename samples in the split files of a delivery: names and lines change together or not at all.

A line names the sample that `sceneset add` would find for it: in the phase of the file's name, or
else in train, val and test. A new name is refused if a line would then name another sample.
"""

import codecs
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import cached_property, partial
from pathlib import Path
from typing import NamedTuple

from sceneset.catalog.subset_folder import KNOWN_SUFFIXES, printable
from sceneset.edits.fix_sample import Key
from sceneset.schemas.names import composed
from sceneset.schemas.scene import Vocabulary
from sceneset.schemas.terms import Phase
from sceneset.storage.files import read_bytes

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_OTHER_ENCODINGS = ("gb18030", "big5", "cp932", "euc_kr", "cp1252")


class SplitText(NamedTuple):
    """A split file, decoded."""

    path: Path
    phase: Phase | None
    """The phase in the file's name."""
    bom: bytes
    encoding: str
    text: str
    is_understood: bool
    """False if the encoding is unknown: ``text`` is then Latin-1, and only ASCII is certain."""

    @property
    def shown(self) -> str:
        """The path for messages."""
        return printable(f"split_dir/{self.path.name}")

    def lines(self) -> Iterator[str]:
        """Yield the lines without their line ends."""
        return (line.removesuffix("\r") for line in self.text.split("\n"))


class Found(NamedTuple):
    """The sample that a line names, and the part of the line that is its stem."""

    key: Key
    stem: str


class StemIndex:
    """Finds the sample that a line of a split file names.

    Args:
        stems: The stems of each sample: one, or those of its image and its mask.
    """

    def __init__(self, stems: Mapping[Key, Collection[str]]) -> None:
        self._exact: dict[Key, Key] = {}
        self._similar: dict[Key, Key] = {}
        self._alike: dict[str, list[Key]] = {}
        for key, names in stems.items():
            phase = key[0]
            for name in names:
                self._exact[phase, name] = key
                self._similar.setdefault((phase, _similar(name)), key)
            self._alike.setdefault(_similar(key[1]), []).append(key)

    def alike(self, stem: str) -> list[Key]:
        """Return the samples of all phases that have this stem."""
        return self._alike.get(_similar(stem), [])

    def exact(self, stem: str, phase: Phase | None) -> Key | None:
        """Return the sample that `sceneset add` finds for a stem."""
        return self._find(self._exact, stem, phase)

    def find(self, line: str, phase: Phase | None) -> Found | None:
        """Return the sample that a line means, although it may differ in form from the name."""
        stem = line.strip()
        for text in dict.fromkeys((line, stem)):
            if key := self._find(self._exact, text, phase):
                return Found(key, text)
        if key := self._find(self._similar, _similar(stem), phase):
            return Found(key, stem)
        bare, suffix = _split_suffix(stem)
        if suffix and (key := self._find(self._similar, _similar(bare), phase)):
            return Found(key, bare)
        return None

    def _find(self, keys: dict[Key, Key], stem: str, phase: Phase | None) -> Key | None:
        first = phase or Phase.TRAIN
        for other in (first, *(p for p in Phase if p is not first)):
            if key := keys.get((other, stem)):
                return key
        return None


def _similar(stem: str) -> str:
    return composed(stem.strip())


def read_split_texts(
    folder: Path, vocabulary: Vocabulary | None, index: StemIndex
) -> list[SplitText]:
    """Read the split files of a delivery; links and other files are left out.

    Args:
        folder: The folder split_dir.
        vocabulary: The scenes of the registry, if there is one: some scene may end in "_val".
        index: The samples. A text whose encoding is not declared is read so that all its lines
            name samples.
    """
    if folder.is_symlink() or not folder.is_dir():
        return []
    with os.scandir(folder) as entries:
        paths = [
            Path(entry.path)
            for entry in sorted(entries, key=lambda entry: entry.name)
            if entry.name.endswith(".txt") and entry.is_file(follow_symlinks=False)
        ]
    texts = []
    for path in paths:
        phase = _phase_of(path.name, vocabulary)
        data = read_bytes(path, f"split_dir/{path.name}")
        texts.append(SplitText(path, phase, *_decode(data, partial(index.find, phase=phase))))
    return texts


def _phase_of(name: str, vocabulary: Vocabulary | None) -> Phase | None:
    readings = vocabulary.split_file_readings(name) if vocabulary else ()
    if readings:
        phases = {reading.phase for reading in readings}
        return phases.pop() if len(phases) == 1 else None
    stem = name.removesuffix(".txt")
    return next((p for p in Phase if stem == p or stem.endswith(f"_{p}")), None)


def _decode(data: bytes, find: Callable[[str], Found | None]) -> tuple[bytes, str, str, bool]:
    """Return byte order mark, encoding and text, and whether the encoding is certain."""
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            try:
                return bom, encoding, data.removeprefix(bom).decode(encoding), True
            except UnicodeDecodeError:
                return b"", "latin-1", data.decode("latin-1"), False
    is_wide = b"\0" in data  # UTF-16 without a byte order mark
    if not is_wide:
        try:
            return b"", "utf-8", data.decode(), True
        except UnicodeDecodeError:
            pass
    found: dict[str, str] = {}
    for encoding in ("utf-16-le", "utf-16-be") if is_wide else _OTHER_ENCODINGS:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        lines = (line.removesuffix("\r") for line in text.split("\n"))
        if all(not line.strip() or find(line) for line in lines):
            found.setdefault(text, encoding)
    if len(found) == 1:
        [(text, encoding)] = found.items()
        return b"", encoding, text, True
    return b"", "latin-1", data.decode("latin-1"), False


def refused_renames(
    texts: Collection[SplitText], stems: Mapping[Key, Collection[str]], new_stems: Mapping[Key, str]
) -> dict[Key, str]:
    """Return the samples that must keep their names because of a line, each with the reason.

    Args:
        texts: The split files.
        stems: The stems of all samples; see ``StemIndex``.
        new_stems: New stems by sample.
    """
    index, refused = StemIndex(stems), dict[Key, str]()
    remaining = dict(new_stems)
    while remaining:
        after = StemIndex(
            {key: (remaining[key],) if key in remaining else stems[key] for key in stems}
        )
        found: dict[Key, str] = {}
        touched = {_similar(stem) for key, new in remaining.items() for stem in (key[1], new)}
        for text in texts:
            for key, reason in _Check(text, index, after, remaining, touched).refused():
                if key in remaining:
                    found.setdefault(key, f"{text.shown} {reason}")
        if not found:
            break
        refused |= found
        remaining = {key: stem for key, stem in remaining.items() if key not in found}
    return refused


class _Check:
    """Checks new names against one split file.

    Args:
        text: The split file.
        index: The samples under their old names.
        after: The samples under their new names.
        new: The new stems.
        touched: Old and new stems of the samples that get one, as ``_similar`` gives them.
    """

    def __init__(
        self,
        text: SplitText,
        index: StemIndex,
        after: StemIndex,
        new: Mapping[Key, str],
        touched: Collection[str],
    ) -> None:
        self._text, self._index, self._after = text, index, after
        self._new, self._touched = new, touched

    def refused(self) -> Iterator[tuple[Key, str]]:
        """Yield the samples that must keep their names, with the reason."""
        text = self._text
        if not text.is_understood:
            reason = "is not UTF-8, and its lines could not be changed together with the name"
            is_binary = "\0" in text.text
            yield from ((key, reason) for key in self._new if is_binary or not key[1].isascii())
        for line in text.lines():
            stem = line.strip()
            if stem and (text.is_understood or stem.isascii()) and self._is_touched(stem):
                yield from self._refused_by_line(line, stem)

    def _is_touched(self, stem: str) -> bool:
        return _similar(stem) in self._touched or _similar(_split_suffix(stem)[0]) in self._touched

    def _refused_by_line(self, line: str, stem: str) -> Iterator[tuple[Key, str]]:
        phase = self._text.phase
        found = self._index.find(line, phase)
        if found is None:
            named = self._after.exact(stem, phase)
            if named and named in self._new:
                yield (
                    named,
                    f"lists {printable(stem)!r}, which is no sample now and would be this one",
                )
            return
        key, old = found
        others = self._index.alike(old)
        finals = {_new_stem(other, self._new) for other in others}
        if phase is None and len(finals) > 1 and self._is_mixed:
            reason = f"lists {printable(old)!r}, which may mean any of {len(others)} phases"
            yield from ((other, reason) for other in others)
            return
        new = _new_stem(key, self._new)
        target = self._after.exact(new, phase)
        if not _can_encode(new, self._text.encoding):
            yield key, f"is in {self._text.encoding}, which can't hold {printable(new)!r}"
        elif target != key:
            shown = printable("/".join(target)) if target else "nothing"
            for changed in filter(None, (key, target)):
                yield changed, f"lists {printable(old)!r}, which would name {shown}"

    @cached_property
    def _is_mixed(self) -> bool:
        """Whether the file lists samples that train does not have."""
        lines = (line for line in self._text.lines() if line.strip())
        found = (self._index.find(line, None) for line in lines)
        return any(f is not None and f.key[0] != Phase.TRAIN for f in found)


def _split_suffix(stem: str) -> tuple[str, str]:
    """Return a stem without the suffix of an image, and that suffix, lower case, or ""."""
    bare, dot, suffix = stem.rpartition(".")
    suffix = f".{suffix.lower()}"
    return (bare, suffix) if dot and suffix in KNOWN_SUFFIXES else (stem, "")


def _new_stem(key: Key, new: Mapping[Key, str]) -> str:
    return new.get(key, key[1])


def _can_encode(stem: str, encoding: str) -> bool:
    try:
        stem.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def renamed_lines(
    text: SplitText, index: StemIndex, new: Mapping[Key, str], *, compose: bool
) -> tuple[bytes, set[Key]]:
    """Return a split file with new stems, and the samples whose lines were changed.

    Line ends, white space, encoding and byte order mark stay as they are.

    Args:
        text: The split file.
        index: The samples under their old names.
        new: New stems by sample.
        compose: Change a line also if it differs from its sample in normal form alone.
    """
    changed: set[Key] = set()
    lines = text.text.split("\n")
    for number, line in enumerate(lines):
        if not text.is_understood and not line.isascii():
            continue
        found = index.find(line.removesuffix("\r"), text.phase) if line.strip() else None
        if found is None:
            continue
        stem = new.get(found.key)
        if stem is None and compose and _similar(found.stem) == _similar(found.key[1]):
            stem = found.key[1]
        if stem not in (None, found.stem) and _can_encode(stem, text.encoding):
            lines[number] = line.replace(found.stem, stem, 1)
            changed.add(found.key)
    return text.bom + "\n".join(lines).encode(text.encoding), changed
