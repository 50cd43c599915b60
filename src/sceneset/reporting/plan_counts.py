"""Count images, different pictures and sources of each scene, number of persons and phase."""

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sceneset.progress import Progress, no_progress
from sceneset.quality.repeats import repeats
from sceneset.reporting.plan_samples import NO_END, PHASES, Cell, PlanSamples, picture_ids
from sceneset.schemas.terms import Phase

if TYPE_CHECKING:
    import numpy.typing as npt

    from sceneset.quality.sample_table import Rows
    from sceneset.reporting.plan_samples import Members

    Floats = npt.NDArray[np.float64]

MOST_COMPARED = 1_000_000
"""With more images, look-alikes are only searched for on request: that takes minutes."""


class PhaseCount(NamedTuple):
    """What there is of a scene, a number of persons and a phase."""

    images: int = 0
    pictures: int = 0
    """Different pictures: images that do not repeat an earlier one."""
    staying: int = 0
    """Different pictures without those whose consent ended or ends soon."""
    leaving: int = 0
    """Images whose consent ended or ends soon."""
    end: int = 0
    """The first day on which consent of these ends, as an ordinal; 0 without any."""
    without_source: int = 0
    sources: int = 0
    """Number of different sources."""
    effective: float = 0.0
    """1 / (sum of squared shares of sources): the number of equally large sources that would be as
    diverse."""
    largest: int = 0
    """Number of images of the largest source."""

    @property
    def with_source(self) -> int:
        """Number of images that have a source."""
        return self.images - self.without_source

    @property
    def largest_share(self) -> float:
        """The share of the largest source among the images that have one."""
        return self.largest / self.with_source if self.with_source else 0.0


def count_cells(
    samples: PlanSamples, near: int | None, *, progress: Progress = no_progress
) -> dict[Cell, dict[Phase, PhaseCount]]:
    """Return the counts of each cell that has samples, and of each phase.

    Args:
        samples: The samples.
        near: Largest number of different bits of images that look alike; None counts images with
            the same pixels as one picture, and no others.
        progress: Called with the groups whose images are compared.
    """
    members = samples.members()
    size = len(samples.cells) * len(PHASES)
    images = np.bincount(members.slot, minlength=size)
    ends = samples.column("ends")[members.sample]
    pictures, staying = _pictures(samples, members, near, size, progress=progress)
    leaving = np.bincount(members.slot[ends != NO_END], minlength=size)
    first_end = np.full(size, NO_END)
    np.minimum.at(first_end, members.slot, ends)
    first_end[first_end == NO_END] = 0
    sources = _sources(members.slot, samples.column("source")[members.sample], size)
    found: dict[Cell, dict[Phase, PhaseCount]] = {}
    for number, cell in enumerate(samples.cells):
        for place, phase in enumerate(PHASES):
            slot = number * len(PHASES) + place
            if images[slot]:
                count = PhaseCount(
                    images=int(images[slot]),
                    pictures=int(pictures[slot]),
                    staying=int(staying[slot]),
                    leaving=int(leaving[slot]),
                    end=int(first_end[slot]),
                )
                found.setdefault(cell, {})[phase] = sources.added(count, slot)
    return found


def _pictures(
    samples: PlanSamples, members: "Members", near: int | None, size: int, *, progress: Progress
) -> "tuple[Rows, Rows]":
    """Return the number of different pictures of each slot, of all samples and of those staying."""
    pictures, staying = np.zeros(size, np.int64), np.zeros(size, np.int64)
    ids, stays = picture_ids(samples), samples.column("ends") == NO_END
    hashes = samples.rows("hashes", 2) if near is not None else None
    order = np.argsort(members.slot, kind="stable")
    bounds = np.searchsorted(members.slot[order], np.arange(size + 1))
    used = np.flatnonzero(np.diff(bounds)).tolist()
    for slot in progress(used, len(used), "compare images"):
        places = order[bounds[slot] : bounds[slot + 1]]
        rows = members.sample[places]
        own = hashes[rows] if hashes is not None else None
        is_new = ~repeats(ids[rows], own, near or 0)
        pictures[slot] = np.count_nonzero(is_new)
        staying[slot] = np.count_nonzero(is_new & stays[rows])
    return pictures, staying


class _Sources(NamedTuple):
    """Of each slot."""

    without: "Rows"
    number: "Rows"
    largest: "Rows"
    squares: "Floats"
    """Sum of the squared numbers of images of each source."""

    def added(self, count: PhaseCount, slot: int) -> PhaseCount:
        """Return the counts of a slot with those of its sources."""
        without = int(self.without[slot])
        known = count.images - without
        return count._replace(
            without_source=without,
            sources=int(self.number[slot]),
            effective=known * known / float(self.squares[slot]) if known else 0.0,
            largest=int(self.largest[slot]),
        )


def _sources(slot: "Rows", source: "Rows", size: int) -> _Sources:
    is_known = source >= 0
    without = np.bincount(slot[~is_known], minlength=size)
    step = int(source.max(initial=0)) + 1
    pairs, counts = np.unique(slot[is_known] * step + source[is_known], return_counts=True)
    owner = pairs // step
    largest = np.zeros(size, np.int64)
    np.maximum.at(largest, owner, counts)
    squares = np.bincount(owner, counts.astype(np.float64) ** 2, minlength=size)
    return _Sources(
        without, np.bincount(owner, minlength=size), largest, squares.astype(np.float64)
    )
