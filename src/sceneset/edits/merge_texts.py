"""Merge the text files of a registry by their meaning: entries, tags, waivers, tombstones...

Each function takes the texts of a merge and a ``ValueMerge``, which collects what both sides
changed. The texts come out as the program writes them. YAML files are merged in ``merge_yaml``.
"""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sceneset.catalog.lineage import lineage_text, parse_lineage
from sceneset.catalog.tags_csv import parse_tags, tags_text
from sceneset.catalog.tombstones import parse_tombstones, tombstones_text
from sceneset.edits.merge_values import MISSING, ValueMerge
from sceneset.edits.merge_yaml import Texts
from sceneset.schemas.tag import Tag
from sceneset.schemas.tombstone import Tombstone
from sceneset.storage.csv_rows import csv_text
from sceneset.versions.used import parse_used, used_text

_VERSION_HEADING = re.compile(r"### (\d+)\.(\d+)\.(\d+)")
_FIELDS_OF_TAG = ("persons", "boxes", "source", "origin")
Key = tuple[str, str]


def merge_tombstones(texts: Texts, shown: str, merge: ValueMerge) -> str:
    """Return merged tombstones; a picture that a side withdrew stays withdrawn.

    If both sides withdrew it, for other reasons or with other masks, all of these are kept.
    """
    base, ours, theirs = (
        parse_tombstones(text, f"{shown} ({side})")
        for text, side in zip(texts, texts._fields, strict=True)
    )
    both = {
        image: _joined(ours[image], theirs[image])
        for image in ours.keys() & theirs.keys()
        if ours[image] != theirs[image] and base.get(image) not in {ours[image], theirs[image]}
    }
    merged = merge.mapping((), base, ours | both, theirs | both)
    return tombstones_text(merged.values())


def _joined(first: Tombstone, second: Tombstone) -> Tombstone:
    reasons = dict.fromkeys(sorted({first.reason, second.reason}))
    return first.model_copy(
        update={
            "picture": first.picture or second.picture,
            "masks": tuple(sorted({*first.masks, *second.masks})),
            "reason": "; ".join(reasons)[:200].strip(),
        }
    )


def merge_tags(
    texts: Texts, shown: str, merge: ValueMerge, renamed: Mapping[Key, Key], withdrawn: set[Key]
) -> list[Tag]:
    """Return merged tags, each field for itself and each scene for itself.

    Args:
        texts: The three texts.
        shown: The path in messages.
        merge: Collects conflicts.
        renamed: New names of samples that a side renamed or moved, by phase and stem.
        withdrawn: Samples that a side withdrew; what the other side changed of them is dropped.

    Raises:
        FindingsError: A side is not valid.
    """
    base, ours, theirs = rekeyed(
        [
            {tag.key: tag for tag, _ in parse_tags(text, f"{shown} ({side})")} if text else {}
            for text, side in zip(texts, texts._fields, strict=True)
        ],
        renamed,
    )
    merged = []
    for key in sorted(ours.keys() | theirs.keys()):
        sides = [side.get(key) for side in (base, ours, theirs)]
        if None in sides[1:] and key in withdrawn:
            continue
        if (tag := _merged_tag(key, sides, merge)) is not None:
            merged.append(tag)
    return merged


def merge_tags_alone(texts: Texts, shown: str, merge: ValueMerge) -> str:
    """Return merged tags where nothing else of the merge is known."""
    return tags_text(merge_tags(texts, shown, merge, {}, set()))


def _merged_tag(key: Key, sides: Sequence[Tag | None], merge: ValueMerge) -> Tag | None:
    base, ours, theirs = sides
    if theirs in (ours, base):
        return ours and _named(ours, key)
    if ours == base:
        return theirs and _named(theirs, key)
    fields = [_tag_fields(tag) for tag in sides]
    merged = merge.value(("/".join(key),), *fields)
    if not isinstance(merged, dict):
        return None
    scenes = tuple(merged.pop("scenes").items())
    tag = ours or theirs
    assert tag, "a sample that no side has is not merged"
    return _named(tag, key).model_copy(update={**merged, "scenes": scenes})


def _named(tag: Tag, key: Key) -> Tag:
    return tag if tag.key == key else tag.model_copy(update={"phase": key[0], "stem": key[1]})


def _tag_fields(tag: Tag | None) -> Any:
    if tag is None:
        return MISSING
    return {"scenes": dict(tag.scenes)} | {name: getattr(tag, name) for name in _FIELDS_OF_TAG}


def rekeyed(sides: Sequence[dict[Key, Any]], renamed: Mapping[Key, Key]) -> list[dict[Key, Any]]:
    """Return the rows of base, ours and theirs under the names that samples have after the merge.

    A sample counts as renamed where one side has its new name, and base and the other side have
    its old one.
    """
    base, ours, theirs = map(dict, sides)
    for old, new in renamed.items():
        if old in base and new not in base:
            for one, other in ((ours, theirs), (theirs, ours)):
                if new in one and old not in one and old in other and new not in other:
                    base[new], other[new] = base.pop(old), other.pop(old)
                    break
    return [base, ours, theirs]


def merge_rows(texts: Texts, _shown: str, merge: ValueMerge, keys: int = 2) -> str:
    """Return a merged CSV file whose first columns identify a row, sorted by them."""
    header: list[str] = []
    sides: list[dict[Any, dict[str, str]]] = []
    for text in texts:
        rows = csv.reader(io.StringIO(text, newline=""))
        header = next(rows, header)
        sides.append({tuple(row[:keys]): dict(zip(header, row, strict=False)) for row in rows})
    merged = merge.mapping((), *sides)
    return csv_text(header, (merged[key].values() for key in sorted(merged)))


def merge_lineage(texts: Texts, shown: str, _merge: ValueMerge) -> str:
    """Return the lineage of both sides: rows are only ever added."""
    sides = zip(texts[1:], texts._fields[1:], strict=True)
    return lineage_text(
        row for text, side in sides if text for row in parse_lineage(text, f"{shown} ({side})")
    )


def merge_used(texts: Texts, _shown: str, _merge: ValueMerge) -> str:
    """Return the log of runs of both sides."""
    return used_text([row for text in texts[1:] for row in parse_used(text)])


def merge_changelog(texts: Texts, _shown: str, merge: ValueMerge) -> str:
    """Return a merged CHANGELOG.md: the sections of both sides, versions from new to old."""
    merged = merge.mapping((), *map(_sections, texts))
    headings = [*merged]
    places = [n for n, heading in enumerate(headings) if _VERSION_HEADING.fullmatch(heading)]
    versions = sorted((headings[n] for n in places), key=_version_of, reverse=True)
    for place, heading in zip(places, versions, strict=True):
        headings[place] = heading
    parts = (f"{heading}\n\n{merged[heading]}".strip() for heading in headings)
    return "\n\n".join(filter(None, parts)) + "\n"


def _version_of(heading: str) -> tuple[int, ...]:
    found = _VERSION_HEADING.fullmatch(heading)
    return tuple(map(int, found.groups())) if found else ()


def _sections(text: str) -> dict[str, str]:
    """Return the text below each heading; what stands before the first one has the heading ""."""
    sections, heading = {"": ""}, ""
    for line in text.replace("\r\n", "\n").split("\n"):
        if re.match(r"#{1,3} ", line):
            heading = line.rstrip()
            sections.setdefault(heading, "")
        else:
            sections[heading] += f"{line}\n"
    return {heading: body.strip("\n") for heading, body in sections.items()}


def merge_union(texts: Texts, _shown: str, _merge: ValueMerge) -> str:
    """Return the lines of both sides, each once, in the order of ours."""
    lines: Iterable[str] = (line for text in texts[1:] for line in text.splitlines())
    return "".join(f"{line}\n" for line in dict.fromkeys(lines))


def merge_index(texts: Texts, _shown: str, _merge: ValueMerge) -> str:
    """Return the .dvc file of one side's table of a version: the next release writes it again."""
    return texts.ours or texts.theirs
