"""Read split files in any encoding, and find the samples that their lines name."""

import codecs
import os
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
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
        self._by_stem: dict[str, list[Key]] = {}
        for key, names in stems.items():
            phase = key[0]
            for name in names:
                self._exact[phase, name] = key
                self._similar.setdefault((phase, similar(name)), key)
            self._by_stem.setdefault(similar(key[1]), []).append(key)

    def all_with_stem(self, stem: str) -> list[Key]:
        """Return the samples of all phases that have this stem."""
        return self._by_stem.get(similar(stem), [])

    def exact(self, stem: str, phase: Phase | None) -> Key | None:
        """Return the sample that `sceneset add` finds for a stem."""
        return self._find(self._exact, stem, phase)

    def find(self, line: str, phase: Phase | None) -> Found | None:
        """Return the sample that a line means, although it may differ in form from the name."""
        stem = line.strip()
        for text in dict.fromkeys((line, stem)):
            if key := self._find(self._exact, text, phase):
                return Found(key, text)
        if key := self._find(self._similar, similar(stem), phase):
            return Found(key, stem)
        bare, suffix = split_suffix(stem)
        if suffix and (key := self._find(self._similar, similar(bare), phase)):
            return Found(key, bare)
        return None

    def _find(self, keys: dict[Key, Key], stem: str, phase: Phase | None) -> Key | None:
        first = phase or Phase.TRAIN
        for other in (first, *(p for p in Phase if p is not first)):
            if key := keys.get((other, stem)):
                return key
        return None


def similar(stem: str) -> str:
    """Return a stem in a form that is the same for names that differ in Unicode form or spaces."""
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


def split_suffix(stem: str) -> tuple[str, str]:
    """Return a stem without the suffix of an image, and that suffix, lower case, or ""."""
    bare, dot, suffix = stem.rpartition(".")
    suffix = f".{suffix.lower()}"
    return (bare, suffix) if dot and suffix in KNOWN_SUFFIXES else (stem, "")
