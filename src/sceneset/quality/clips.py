"""Find numbered images whose neighbours look like frames of one clip."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sceneset.quality.sample_table import SampleTable

MIN_FRAMES = 4
"""A run of at least so many similar frames is a clip."""
_MAX_FRAME_DISTANCE = 10  # bits between neighbouring frames of a clip
_NUMBERED_STEM = re.compile(r"(.*?)(\d+)$")


def numbered_runs(table: "SampleTable", rows: Iterable[int]) -> dict[str, list[int]]:
    """Return numbered images without a source, in the order of their numbers, by prefix of stem.

    Args:
        table: The samples.
        rows: The rows of one subset.
    """
    runs: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for row in rows:
        match = _NUMBERED_STEM.fullmatch(table.stem[row])
        if match and not table.source[row]:
            runs[match[1]].append((int(match[2]), row))
    return {prefix: [row for _, row in sorted(frames)] for prefix, frames in runs.items()}


def similar_runs(table: "SampleTable", rows: Sequence[int]) -> Iterator[list[int]]:
    """Cut a numbered run where two neighbours differ; each part looks like frames of one clip."""
    part = list(rows[:1])
    for before, row in pairwise(rows):
        difference = int(table.hashes[before, 0]) ^ int(table.hashes[row, 0])
        if difference.bit_count() > _MAX_FRAME_DISTANCE:
            yield part
            part = []
        part.append(row)
    if part:
        yield part


def sessions(table: "SampleTable", rows: Sequence[int]) -> Iterator[list[int]]:
    """Yield the parts of a numbered run that were recorded together, as far as that shows.

    A run is one session if it has a clip and most neighbours are similar: fast scenes of a video
    differ from frame to frame. Otherwise, each clip in it is a session.
    """
    parts = list(similar_runs(table, rows))
    clips = [part for part in parts if len(part) >= MIN_FRAMES]
    if clips and 2 * (len(parts) - 1) <= len(rows) - 1:
        yield list(rows)
    else:
        yield from clips
