"""How far a mask and a model's map of persons disagree.

A model that sees a person is good evidence; one that sees nobody is not, because it is blind to
small, distant and many people. So what the model does not see counts only as far as it found the
rest of the mask. Cells where the model is undecided, and thin differences along outlines, do not
count at all.
"""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sceneset.imaging.cells import area_mean, largest_part, opened
from sceneset.imaging.shapes import IGNORE, PERSON

if TYPE_CHECKING:
    import numpy.typing as npt

    Mask = npt.NDArray[np.uint8]
    Map = npt.NDArray[np.float32]

SURE, SURELY_NOT = 0.7, 0.3
"""A cell is a person from the first probability on, and background below the second one."""
_THIN = 0.02
"""Differences narrower than this share of the longer side do not count."""
_SMALL = 0.02
"""Share of the picture that is added to the area of persons, so that specks have low scores."""
_BLIND = 0.1
"""A model that finds less than this share of a mask gives no hint on what it does not see."""
UNMARKED = 0.01
"""Share of the picture from which a part that only the model sees is shown as a person."""
_DIGITS = 4  # libraries of other versions may differ in later digits


class Disagreement(NamedTuple):
    """What differs between a mask and what a model sees. Shares are those of the picture."""

    score: float
    """0: no difference; 1: the model sees nothing but persons without a mask."""
    iou: float
    """Of the two areas, without ignored pixels; 1 if both are empty."""
    marked: float
    """Share of person pixels in the mask."""
    seen: float
    """Share that the model sees as person."""
    unmarked: float
    """Share that the model sees as person and the mask has as background."""
    unseen: float
    """Share that the mask has as person and the model as background."""
    part: float
    """Share of the largest connected part of what is unmarked."""
    box: tuple[float, float, float, float]
    """Left, top, right and bottom of that part, from 0 to 1, in the picture as shown."""
    found: float
    """Share of the mask that the model sees."""
    is_full: bool = False
    """Whether the model takes the whole picture for a person."""

    @property
    def is_blind(self) -> bool:
        """Whether the model does not see the persons of the mask."""
        return self.marked > 0 and self.found < _BLIND

    @property
    def hint(self) -> str:
        """What to look for, in words."""
        if self.part >= UNMARKED:
            return "empty mask" if self.marked == 0 else "person without mask"
        if self.unseen * self.found > self.unmarked:
            return "mask without person"
        return "outline" if self.score > 0 else ""


def disagreement(mask: "Mask", persons: "Map") -> Disagreement:
    """Compare a mask with what a model sees.

    Args:
        mask: height x width, as shown: 1 is person, 255 is ignored.
        persons: Probability of a person, rows x columns, of the same picture.
    """
    rows, columns = persons.shape
    size = (columns, rows)
    kept = area_mean(mask != IGNORE, size)
    marked_share = area_mean(mask == PERSON, size)
    marked = 2 * marked_share >= kept
    marked &= kept > 0
    seen = persons >= 0.5
    width = round(_THIN * max(size)) | 1
    unmarked = opened((persons >= SURE) & ~marked & (kept > 0), width)
    unseen = opened((persons < SURELY_NOT) & marked, width)

    def share(cells: "npt.NDArray[np.bool_]") -> float:
        area: float = kept[cells].sum(dtype=np.float64)
        return float(area) / cells.size

    both, either = share(marked & seen), share(marked | seen)
    of_mask = share(marked)
    found = both / of_mask if of_mask else 0.0
    wrong = share(unmarked) + found * share(unseen)
    part, box = largest_part(unmarked, kept)
    return Disagreement(
        score=round(wrong / (either + _SMALL), _DIGITS),
        iou=round(both / either if either else 1.0, _DIGITS),
        marked=round(float((mask == PERSON).mean()), 6),
        seen=round(share(seen), _DIGITS),
        unmarked=round(share(unmarked), _DIGITS),
        unseen=round(share(unseen), _DIGITS),
        part=round(part, _DIGITS),
        box=box,
        found=round(found, _DIGITS),
        is_full=bool(seen.all()),
    )
