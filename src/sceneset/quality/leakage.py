"""Detect leakage between training and held-out images, and duplicates, from scans and tags.

Two images are related if they have the same bytes, the same pixels as shown, perceptual hashes that
differ in few bits (also if one is turned or mirrored), or the same declared source (a video, a
session or an original image); so are an original image and its crops.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import TYPE_CHECKING

from sceneset.catalog.reader import Catalog
from sceneset.quality.clips import MIN_FRAMES, numbered_runs, similar_runs
from sceneset.quality.originals import joint_sources, originals_of_crops
from sceneset.quality.sample_table import SampleTable, read_sample_table
from sceneset.quality.similarity import Match, Thresholds, earlier_matches, nearest_matches
from sceneset.schemas.finding import Finding, in_order
from sceneset.schemas.orientation import WORDS, combined, inverse
from sceneset.schemas.terms import Phase, fold_name

if TYPE_CHECKING:
    from sceneset.quality.sample_table import Rows

LEAKAGE_CODES = frozenset(
    {
        *("leak-bytes", "leak-pixels", "leak-near", "leak-source", "leak-review"),
        *("duplicate-bytes", "duplicate-near", "mask-disagrees", "clip-undeclared"),
    }
)
"""Codes of the rules that ``find_leakage`` evaluates."""

_TRAIN = Phase.TRAIN
_SAME_PHASE = (
    "put both images in one phase: move one of them and its mask to the other's phase and update "
    "its row in the tags, or remove it"
)
_REVIEW = "look at both images; if they are related, give them one source and one phase in the tags"


def find_leakage(catalog: Catalog) -> list[Finding]:
    """Return the findings of all rules in LEAKAGE_CODES, errors first.

    Relations between training and held-out images are errors. Duplicates within a phase, different
    masks of one image, pairs to review and clips without a source are warnings.

    Raises:
        FindingsError: Scans or tags can't be read.
    """
    table, bits = read_sample_table(catalog), catalog.params.leakage
    thresholds = Thresholds(bits.near, bits.review, bits.second)
    return in_order(
        [
            *source_findings(table, originals_of_crops(table)),
            *held_out_findings(table, thresholds),
            *duplicate_findings(table, bits.near),
            *mask_findings(table),
            *clip_findings(table),
        ]
    )


def held_out_findings(table: SampleTable, thresholds: Thresholds) -> Iterator[Finding]:
    """Yield each held-out image that has a match in training, with the nearest match."""
    import numpy as np

    is_train = np.array([phase == _TRAIN for phase in table.phase], bool)
    held_out, train = np.flatnonzero(~is_train), np.flatnonzero(is_train)
    same_bytes = _first_row_with(table.image_id, train)[table.image_id]
    same_pixels = _first_row_with(table.pixels_id, train)[table.pixels_id]
    matches = {match.row: match for match in nearest_matches(table, held_out, train, thresholds)}
    for row in held_out.tolist():
        if same_bytes[row] >= 0:
            message = (
                f"has the same bytes as the training image {table.image_path(same_bytes[row])}"
            )
            yield table.finding_on(row, "leak-bytes", message, _SAME_PHASE)
        elif same_pixels[row] >= 0:
            other = table.image_path(same_pixels[row])
            message = f"has the same pixels as the training image {other}"
            if table.orientation[row] != table.orientation[same_pixels[row]]:
                message += ", as their EXIF orientations show them"
            yield table.finding_on(row, "leak-pixels", message, _SAME_PHASE)
        elif row in matches:
            yield _match_finding(table, matches[row], thresholds)


def _first_row_with(ids: "Rows", rows: "Rows") -> "Rows":
    """Return for each id the first of ``rows`` that has it, or -1."""
    import numpy as np

    first = np.full(ids.max(initial=-1) + 1, -1)
    first[ids[rows[::-1]]] = rows[::-1]  # reversed: the last assignment wins
    return first


def _match_finding(table: SampleTable, match: Match, thresholds: Thresholds) -> Finding:
    more = match.total - 1
    message = _looks_like(table, match, is_training=True)
    if more:
        message += f", and like {more} more training image{'s' if more > 1 else ''}"
    is_near = match.distance <= thresholds.near
    code, hint = ("leak-near", _SAME_PHASE) if is_near else ("leak-review", _REVIEW)
    return table.finding_on(match.row, code, message, hint)


def _looks_like(table: SampleTable, match: Match, *, is_training: bool = False) -> str:
    """Return in what way an image looks like another one; turns are as a viewer shows both."""
    orientation, other = (int(table.orientation[row]) for row in (match.row, match.other))
    # From the other image as shown to that as stored, to this one as stored, to this one as shown.
    turn = combined(combined(inverse(other), inverse(match.turn)), orientation)
    path, end = table.image_path(match.other), ""
    name = f"the training image {path}" if is_training else path
    if turn == match.turn == 1:
        pass
    elif turn == 1:
        end = ", as their EXIF orientations show them"
    elif match.turn == 1:
        end = ", if their EXIF orientations are ignored"
    elif turn == 2:
        name = f"the mirror image of {name}"
    else:
        end = f", {WORDS[turn]}"
    return f"looks like {name}{end} ({match.distance} of 64 bits differ)"


def source_findings(table: SampleTable, originals: dict[str, int]) -> Iterator[Finding]:
    """Yield held-out images that have the same declared source as a training image.

    Names of sources are compared as names of scenes are: "Clip 7" is "clip-7". An original and its
    crops have one source.

    Args:
        table: All samples of the registry.
        originals: The rows of the originals of crops, by the sources of the crops.
    """
    sources = joint_sources(table, originals)
    train: dict[str, int] = {}
    for row, source in enumerate(sources):
        if source and table.phase[row] == _TRAIN:
            train.setdefault(source, row)
    for row, source in enumerate(sources):
        other = train.get(source) if source else None
        if other is not None and table.phase[row] != _TRAIN:
            yield table.finding_on(
                row,
                "leak-source",
                _same_source(table, row, other),
                "put all images of one source in one phase",
            )


def _same_source(table: SampleTable, row: int, other: int) -> str:
    """Return in what way two images have one source."""
    path, own, theirs = table.image_path(other), table.source[row], table.source[other]
    if not own:
        message = f"is the original of the training image {path}, or of the same clip"
    elif fold_name(own) != fold_name(theirs):
        message = f"has the source {own!r}, which is the training image {path}, or of the same clip"
    elif own != theirs:
        message = f"has the source {own!r}, as the training image {path}, spelled {theirs!r}, does"
    else:
        message = f"has the source {own!r}, as the training image {path} does"
    return message


def duplicate_findings(table: SampleTable, near: int) -> Iterator[Finding]:
    """Yield images that have a copy or a near-duplicate before them in their own phase."""
    import numpy as np

    hint = "a duplicate counts twice in training; remove one of the two unless that is intended"
    for phase in Phase:
        rows = np.array([row for row, p in enumerate(table.phase) if p == phase], np.int64)
        first = _first_row_with(table.image_id, rows)[table.image_id]
        same = _first_row_with(table.pixels_id, rows)[table.pixels_id]
        matches = {match.row: match for match in earlier_matches(table, rows, near)}
        for row in sorted({*rows[same[rows] != rows].tolist(), *matches}):
            if first[row] != row:
                message = f"has the same bytes as {table.image_path(first[row])} in the same phase"
                yield table.finding_on(row, "duplicate-bytes", message, hint)
            elif row not in matches:  # one of the two is turned by its EXIF orientation
                message = f"has the same pixels as {table.image_path(same[row])} in the same phase"
                yield table.finding_on(row, "duplicate-near", message, hint)
            else:
                message = f"{_looks_like(table, matches[row])} in the same phase"
                yield table.finding_on(row, "duplicate-near", message, hint)


def mask_findings(table: SampleTable) -> Iterator[Finding]:
    """Yield images that occur earlier, with the same pixels but another mask.

    A mask has no EXIF orientation, so only images that are stored in one orientation are compared:
    the masks of a turned copy differ although both are right.
    """
    import numpy as np

    ids = table.pixels_id * 8 + table.orientation - 1
    _, first, number = np.unique(ids, return_index=True, return_inverse=True)
    first = first[number]
    for row in np.flatnonzero(table.mask_id != table.mask_id[first]).tolist():
        yield table.finding_on(
            row,
            "mask-disagrees",
            f"has the same pixels as {table.image_path(first[row])}, but another mask",
            "compare both masks and keep the better sample",
        )


def clip_findings(table: SampleTable) -> Iterator[Finding]:
    """Yield numbered runs of similar neighbours that have no declared source."""
    for _, rows in groupby(range(len(table.stem)), table.subset.__getitem__):
        yield from _clip_findings_in_subset(table, rows)


def _clip_findings_in_subset(table: SampleTable, rows: Iterable[int]) -> Iterator[Finding]:
    for prefix, frames in numbered_runs(table, rows).items():
        clip = max(similar_runs(table, frames), key=len)
        if len(clip) >= MIN_FRAMES:
            example = prefix.strip("_-") or "a"
            yield table.finding_on(
                clip[0],
                "clip-undeclared",
                f"is the first of {len(clip)} numbered images up to {table.stem[clip[-1]]!r} that "
                "look like frames of one clip, but have no source",
                f"write the clip in their source column in the tags, for example {example}",
            )
