"""Pictures of what changed between two states, as values: for pages of one file and for sites.

`sceneset.reporting.draw_diff` draws them. They are kept encoded, and only for the changes that are
shown, so memory does not depend on the number of all changes.
"""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sceneset.versions.diff import ChangeKind

if TYPE_CHECKING:
    from sceneset.imaging.mask_change import Box, Counts

PAIRS = (ChangeKind.MASK, ChangeKind.IMAGE)
"""Kinds of changes that are shown before and after."""


@dataclass(frozen=True)
class Photo:
    """A small picture of an image with its mask."""

    width: int
    height: int
    webp: bytes
    """The picture without its mask."""
    mask: bytes
    """The mask as a PNG file that is transparent elsewhere; b"" without mask."""


@dataclass(frozen=True)
class PictureChange:
    """A change of one sample. The texts may come from anywhere: they are shown as text only."""

    kind: ChangeKind
    name: str
    """Subset, phase and stem; those before the change if the sample was removed."""
    old_name: str = ""
    """Those before the change, if they differ."""
    facts: tuple[str, ...] = ()
    """Short facts in the reader's language."""
    iou: float | None = None
    before: Photo | None = None
    """Only if the sample was removed, or its mask or image changed."""
    after: Photo | None = None
    """None if the sample was removed. The same image has the same ``webp`` (``is``) as before."""
    marks: bytes = b""
    """The changed pixels as a PNG file, transparent elsewhere; b"" if they can't be compared."""
    counts: "Counts | None" = None
    """Numbers of changed pixels."""
    box: "Box | None" = None
    """The area around the changed pixels."""
    problems: tuple[str, ...] = ()
    """Why pictures are not shown in full, in the reader's language."""


@dataclass
class PictureGroup:
    """The changes of one kind."""

    kind: ChangeKind
    items: list[PictureChange]
    """The changes that are shown."""
    total: int
    """Number of changes, shown or not."""
    withdrawn: int
    """Number of changes of withdrawn samples."""
    restricted: int
    """Number of changes of other samples that are restricted."""

    @property
    def more(self) -> int:
        """Number of changes that are beyond the limit."""
        return self.total - self.withdrawn - self.restricted - len(self.items)


@dataclass
class PictureDiff:
    """What changed, by kind, in the order of a page."""

    groups: list[PictureGroup] = field(default_factory=list)
    masks: int = 0
    """Number of changed masks."""
    compared: int = 0
    """Number of changed masks whose IoU is known."""
    fetched: int = 0
    """Number of files that were downloaded."""

    @property
    def shown(self) -> int:
        """Number of changes that are shown."""
        return sum(len(group.items) for group in self.groups)

    @property
    def problems(self) -> list[str]:
        """Why pictures are not shown in full, one text for each such change."""
        return [item.problems[0] for group in self.groups for item in group.items if item.problems]

    def as_json(self) -> dict[str, object]:
        """Return the numbers of what is shown and what is not."""
        return {
            "shown": self.shown,
            "incomplete": len(self.problems),
            "fetched": self.fetched,
            "groups": {
                str(group.kind): {
                    "total": group.total,
                    "shown": len(group.items),
                    "not_shown": group.more,
                    "withdrawn": group.withdrawn,
                    "restricted": group.restricted,
                }
                for group in self.groups
            },
        }
