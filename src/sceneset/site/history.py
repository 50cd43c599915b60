"""What happened to each sample over the versions, for the view of one sample.

``data/history/SUBSET.js`` calls ``sceneset.history(SUBSET, values)`` with::

    {"versions": ["1.0.0", "1.1.0", ""],
     "added": 0,
     "samples": {"train/0001": [[1, "mask"], [2, "renamed", "train/1"]],
                 "train/0002": [[1, "added"]]}}

``versions`` are those that can be read, oldest first; "" is what is not released yet. ``samples``
lists the events of each shown sample that has some, by "phase/stem": the number of the version, the
kind of the change (``sceneset.versions.diff.ChangeKind``), and for moved and renamed samples the
former name: "phase/stem", or "subset/phase/stem" if that was in another subset. A sample without an
"added" event was added with the version ``added``.

Consecutive versions are compared, and only subsets whose files differ are read. Memory holds the
events of the samples that changed, and one comparison.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sceneset.catalog.reader import Catalog
from sceneset.errors import FindingsError
from sceneset.site.sample_keys import SampleKeys
from sceneset.site.sprites import script_call
from sceneset.versions.changed_samples import Place
from sceneset.versions.diff import Change, ChangeKind, sample_changes

Event = list[int | str]
"""The number of a version, the kind of a change, and the former name if there is one."""
_NAMES = {ChangeKind.MOVED, ChangeKind.RENAMED}


@dataclass
class SubsetHistory:
    """What happened to the shown samples of a subset."""

    versions: list[str]
    added: int
    """Number of the version in which its samples were added, unless their events say another."""
    samples: dict[str, list[Event]]

    def script(self, name: str) -> str:
        """Return the text of the data file."""
        values: dict[str, Any] = {
            "versions": self.versions,
            "added": self.added,
            "samples": self.samples,
        }
        return script_call("history", name, values)


@dataclass
class _Timeline:
    """The events of all samples of the version that was read last."""

    births: dict[str, int] = field(default_factory=dict)
    """The version with which each subset came."""
    events: dict[Place, list[Event]] = field(default_factory=dict)

    def begin(self, number: int, old: Iterable[str], new: Iterable[str]) -> None:
        """Note the subsets that a version has and the version before has not."""
        known = set(old)
        self.births |= dict.fromkeys(set(new) - known, number)

    def apply(self, number: int, old_names: Sequence[str], changes: Iterable[Change]) -> int:
        """Add the events of a version; return their number."""
        known = set(old_names)
        renamed: dict[Place, list[Event]] = {}
        added, others, count = [], [], 0
        for change in changes:
            count += 1
            if change.new is None:
                self.events.pop(change.sample.place, None)
            elif change.old is None:
                if change.new.place.subset in known:
                    added.append(change.new.place)
            elif change.kind in _NAMES:
                old, new = change.old.place, change.new.place
                renamed[new] = [*self._explicit(old), [number, str(change.kind), _name(old, new)]]
            else:
                others.append(change)
        # Names can be exchanged, so former names are deleted before any new one is given.
        for change in others:
            if change.new and change.new.place in renamed:
                renamed[change.new.place].append([number, str(change.kind)])
            elif change.new:
                events = self.events.setdefault(change.new.place, [])
                events.append([number, str(change.kind)])
        for place in added:
            self.events[place] = [[number, str(ChangeKind.ADDED)]]
        self.events |= renamed
        return count

    def _explicit(self, place: Place) -> list[Event]:
        """Return the events of a sample before it gets another name, the first one included."""
        events = self.events.pop(place, [])
        if events and events[0][1] == ChangeKind.ADDED:
            return events
        return [[self.births.get(place.subset, 0), str(ChangeKind.ADDED)], *events]


def _name(old: Place, new: Place) -> str:
    return str(old) if old.subset != new.subset else f"{old.phase}/{old.stem}"


def subset_histories(
    catalog: Catalog, versions: Mapping[str, Catalog], shown: Mapping[str, SampleKeys]
) -> dict[str, SubsetHistory]:
    """Return the history of each subset; none without a version that can be read.

    A version that can't be read is left out: what it changed counts for the next one.

    Args:
        catalog: The state that pages show.
        versions: The versions, oldest first, by number.
        shown: The samples that pages show, by subset.
    """
    timeline, numbers = _Timeline(), list[str]()
    last: Catalog | None = None
    for version, state in versions.items():
        try:
            names = state.names
            changes = [] if last is None else list(sample_changes(last, state))
        except FindingsError:
            continue
        before = last.names if last else ()
        timeline.begin(len(numbers), before, names)
        timeline.apply(len(numbers), before, changes)
        numbers.append(version)
        last = state
    if last is None:
        return {}
    try:
        changes = list(sample_changes(last, catalog))
    except FindingsError:
        changes = []
    timeline.begin(len(numbers), last.names, catalog.names)
    if timeline.apply(len(numbers), last.names, changes) or set(catalog.names) - set(last.names):
        numbers.append("")
    return {
        name: SubsetHistory(numbers, timeline.births.get(name, 0), events)
        for name, events in _shown_events(timeline.events, shown).items()
    }


def _shown_events(
    events: Mapping[Place, list[Event]], shown: Mapping[str, SampleKeys]
) -> dict[str, dict[str, list[Event]]]:
    """Return the events of the shown samples, by subset and by phase and stem."""
    by_subset: dict[str, dict[str, list[Event]]] = {name: {} for name in shown}
    for place, some in events.items():
        if place.subset in by_subset:
            by_subset[place.subset][f"{place.phase}/{place.stem}"] = some
    for name, found in by_subset.items():
        if found:
            places = shown[name].places()
            kept = [(places[key], key) for key in found if key in places]
            by_subset[name] = {key: found[key] for _, key in sorted(kept)}
    return by_subset
