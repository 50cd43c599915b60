"""Rename samples in the split files of a delivery: names and lines change together or not at all.

A line names the sample that `sceneset add` would find for it: in the phase of the file's name, or
else in train, val and test. A new name is refused if a line would then name another sample.
"""

from collections.abc import Collection, Iterator, Mapping
from functools import cached_property

from sceneset.catalog.subset_folder import printable
from sceneset.edits.fix_sample import Key
from sceneset.edits.split_texts import SplitText, StemIndex, similar, split_suffix
from sceneset.schemas.terms import Phase


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
        touched = {similar(stem) for key, new in remaining.items() for stem in (key[1], new)}
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
        touched: Old and new stems of the samples that get one, as ``similar`` gives them.
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
        return similar(stem) in self._touched or similar(split_suffix(stem)[0]) in self._touched

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
        others = self._index.all_with_stem(old)
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
        if stem is None and compose and similar(found.stem) == similar(found.key[1]):
            stem = found.key[1]
        if stem not in (None, found.stem) and _can_encode(stem, text.encoding):
            lines[number] = line.replace(found.stem, stem, 1)
            changed.add(found.key)
    return text.bom + "\n".join(lines).encode(text.encoding), changed
