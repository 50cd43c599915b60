"""Count different pictures: images that repeat an earlier one of the same group are left out.

An image repeats another if the rules duplicate-bytes and duplicate-near would say so: it has the
same pixels as shown, or looks like it, as it is or mirrored.
"""

from typing import TYPE_CHECKING

import numpy as np

from sceneset.progress import Progress, no_progress
from sceneset.quality.hamming_search import Pairs, search
from sceneset.quality.sample_table import row_ids

if TYPE_CHECKING:
    import numpy.typing as npt

    from sceneset.quality.hamming_search import Hashes
    from sceneset.quality.sample_table import Rows

    Mask = npt.NDArray[np.bool_]


def repeats(
    pictures: "Rows",
    hashes: "Hashes | None" = None,
    near: int = 0,
    *,
    progress: Progress = no_progress,
) -> "Mask":
    """Return for each image whether it repeats an earlier one.

    Memory does not grow with the number of similar pairs.

    Args:
        pictures: One number for each image; equal numbers are the same picture.
        hashes: Images x 2: the perceptual hash of the image and of its mirror image. Without them,
            only the same pictures are repeats.
        near: Largest number of different bits of images that look alike, 0 to 14.
        progress: Called by the search.
    """
    found = np.ones(len(pictures), np.bool_)
    found[np.unique(pictures, return_index=True)[1]] = False
    if hashes is None or not len(hashes):
        return found
    first = np.unique(row_ids(hashes), return_index=True)[1]
    is_repeat = np.ones(len(pictures), np.bool_)
    is_repeat[first] = False

    def collect(pairs: Pairs) -> None:
        # A pair is noted for its later image, whichever of the two was searched for.
        left, right = first[pairs.left], first[pairs.right]
        is_repeat[np.maximum(left, right)[left != right]] = True

    values = hashes[first, 0]
    for side in (values, hashes[first, 1]):
        search(side, values, near, collect, progress=progress)
    return found | is_repeat
