"""Choose the changes of samples that are shown as pictures.

Withdrawn samples are never shown, whatever state is read, and restricted ones only to those who
may see them. Both are counted.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sceneset.catalog.provenance import restricted
from sceneset.catalog.reader import Catalog
from sceneset.schemas.provenance import Restriction
from sceneset.versions.changed_samples import Place, Sample
from sceneset.versions.diff import Change, ChangeKind
from sceneset.versions.mask_iou import Overlap

ORDER = (
    *(ChangeKind.MASK, ChangeKind.IMAGE, ChangeKind.ADDED, ChangeKind.REMOVED),
    *(ChangeKind.MOVED, ChangeKind.RENAMED, ChangeKind.SCENES, ChangeKind.METADATA),
)
"""Kinds of changes in the order of a page."""
LIMIT = 60
"""Changes of each kind that are shown, unless an option says otherwise."""


@dataclass
class ChosenGroup:
    """The changes of one kind that are shown."""

    kind: ChangeKind
    changes: list[Change]
    """In their order on the page."""
    total: int
    """Number of changes of this kind, shown or not."""
    withdrawn: int = 0
    """Number of changes of withdrawn samples."""
    restricted: int = 0
    """Number of changes of other samples that are restricted."""


def choose_changes(
    old: Catalog,
    new: Catalog,
    changes: Sequence[Change],
    overlaps: Iterable[Overlap],
    *,
    limit: int = LIMIT,
    left_out: Collection[Restriction] = (),
) -> list[ChosenGroup]:
    """Return the changes to show, by kind: of masks those with the lowest IoU, of others a spread.

    Args:
        old: The state before.
        new: The state after.
        changes: All changes.
        overlaps: What is known of the changed masks.
        limit: Changes of each kind.
        left_out: Samples with one of these restrictions are not shown.

    Raises:
        FindingsError: A file of a registry can't be read.
    """
    hidden = [
        _hidden(old, (change.old for change in changes), left_out),
        _hidden(new, (change.new for change in changes), left_out),
    ]
    ious = {id(overlap.change): overlap for overlap in overlaps}
    groups = []
    for kind in ORDER:
        of_kind = [change for change in changes if change.kind is kind]
        if not of_kind:
            continue
        group = ChosenGroup(kind, [], len(of_kind))
        allowed = []
        for change in of_kind:
            sides = [
                reason.get(sample.place)
                for sample, reason in zip((change.old, change.new), hidden, strict=True)
                if sample
            ]
            group.withdrawn += "withdrawn" in sides
            group.restricted += "restricted" in sides and "withdrawn" not in sides
            if not any(sides):
                allowed.append(change)
        if kind is ChangeKind.MASK:
            allowed.sort(key=lambda change: _rank(ious.get(id(change))))
            group.changes = allowed[:limit]
        else:
            count = min(limit, len(allowed))  # spread evenly: neighbors in a video look the same
            group.changes = [allowed[number * len(allowed) // count] for number in range(count)]
        groups.append(group)
    return groups


def _rank(overlap: Overlap | None) -> tuple[int, float]:
    """Return the sort key of a changed mask: those that can't be compared, then the lowest IoU."""
    if overlap is None or overlap.is_missing or overlap.fetch_error:
        return 2, 0
    return (0, 0) if overlap.iou is None else (1, overlap.iou)


def _hidden(
    catalog: Catalog, samples: Iterable[Sample | None], left_out: Collection[Restriction]
) -> dict[Place, str]:
    """Return why samples of a state are not shown; without those that are."""
    by_subset: dict[str, list[Place]] = defaultdict(list)
    for sample in samples:
        if sample:
            by_subset[sample.place.subset].append(sample.place)
    found: dict[Place, str] = {}
    for name, places in by_subset.items():
        covered = restricted(catalog, name, left_out)
        if covered:
            found |= {place: "restricted" for place in places if covered.of(place[1:])}
        if catalog.withdrawn.files:
            scan = catalog.scan(name, ("phase", "stem", "image_md5", "picture"))
            for row, _ in catalog.withdrawn.rows_of(scan):
                found[Place(name, row["phase"], row["stem"])] = "withdrawn"
    return found
