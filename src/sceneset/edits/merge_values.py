"""Merge values that two branches changed: what only one side changed is taken from that side.

Mappings are merged key by key, and lists by what identifies their items, so two branches that each
add an item are no conflict. A conflict is a value that both sides changed, each in its own way.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

_IDENTITIES = {
    "scenes": ("key",),
    "splits": ("scene", "persons", "phase", "source"),
    "waivers": ("code", "subset", "sample", "file"),
    "forgotten": ("image",),
}
"""The fields that identify an item of a list of mappings, by the name of the list."""


class Side(StrEnum):
    """A side of a merge, as git names it."""

    OURS = "ours"
    THEIRS = "theirs"


class _Missing:
    """The value of a key that a side does not have."""

    def __repr__(self) -> str:
        return "removed"


MISSING = _Missing()


class Conflict(NamedTuple):
    """A value that both sides changed, each in its own way."""

    place: tuple[str, ...]
    """Keys from the top of the file, for example ("train/a", "persons")."""
    ours: Any
    theirs: Any


class ValueMerge:
    """Merges values and collects the conflicts."""

    def __init__(self, prefer: Side | None = None) -> None:
        self.conflicts: list[Conflict] = []
        """What both sides changed, also where a side is preferred."""
        self._prefer = prefer

    def value(self, place: tuple[str, ...], base: Any, ours: Any, theirs: Any) -> Any:
        """Return the merged value of a place; ``MISSING`` stands for a key that is not there."""
        if theirs in (ours, base):
            return ours
        if ours == base:
            return theirs
        if isinstance(ours, dict) and isinstance(theirs, dict):
            return self.mapping(place, base if isinstance(base, dict) else {}, ours, theirs)
        if isinstance(ours, list) and isinstance(theirs, list):
            identity = _identity_of([*ours, *theirs], place[-1] if place else "")
            if identity:
                base = base if isinstance(base, list) else []
                return self.items(place, base, ours, theirs, identity)
        self.conflicts.append(Conflict(place, ours, theirs))
        return theirs if self._prefer is Side.THEIRS else ours

    def mapping(
        self,
        place: tuple[str, ...],
        base: Mapping[Any, Any],
        ours: Mapping[Any, Any],
        theirs: Mapping[Any, Any],
    ) -> dict[Any, Any]:
        """Return a merged mapping, in the order of ours; new keys of theirs follow."""
        merged = {}
        for key in merged_order([*ours], [*theirs]):
            sides = (side.get(key, MISSING) for side in (base, ours, theirs))
            value = self.value((*place, _shown(key)), *sides)
            if value is not MISSING:
                merged[key] = value
        return merged

    def items(
        self,
        place: tuple[str, ...],
        base: Sequence[Any],
        ours: Sequence[Any],
        theirs: Sequence[Any],
        identity: Callable[[Any], Hashable],
    ) -> list[Any]:
        """Return a merged list whose items have an identity."""
        keyed = ({identity(item): item for item in side} for side in (base, ours, theirs))
        return [*self.mapping(place, *keyed).values()]


def merged_order(ours: Sequence[Hashable], theirs: Sequence[Hashable]) -> list[Hashable]:
    """Return the keys of both sides in the order of ours.

    New keys of theirs come after the common key that they follow there, and after the new keys of
    ours at that place.
    """
    common = {*ours} & {*theirs}
    following: dict[Hashable, list[Hashable]] = {}
    last: Hashable = None
    for key in theirs:
        if key in common:
            last = key
        else:
            following.setdefault(last, []).append(key)
    merged: list[Hashable] = []
    pending = following.get(None, [])
    for key in ours:
        if key in common:
            merged += pending
            pending = following.get(key, [])
        merged.append(key)
    return merged + pending


def _identity_of(items: Iterable[Any], name: str) -> Callable[[Any], Hashable] | None:
    """Return what identifies the items of a list; None if the list is one value."""
    items = list(items)
    if all(isinstance(item, str | int | float | None) for item in items):
        return lambda item: item
    fields = _IDENTITIES.get(name)
    if not fields or not all(isinstance(item, dict) for item in items):
        return None

    def identity(item: Mapping[str, Any]) -> Hashable:
        return tuple(str(item.get(field) or "") for field in fields)

    return identity


def _shown(key: object) -> str:
    return " ".join(filter(None, map(str, key))) if isinstance(key, tuple) else str(key)
