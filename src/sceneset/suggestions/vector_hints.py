"""What vectors say of a registry: held-out samples far from training, and scenes of neighbours."""

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sceneset.exports.types import ExportSample
from sceneset.progress import Progress, no_progress
from sceneset.schemas.terms import Phase
from sceneset.suggestions.neighbours import nearest
from sceneset.suggestions.vector_file import Vectors

if TYPE_CHECKING:
    import numpy.typing as npt

    Numbers = npt.NDArray[np.int64]

NEIGHBOURS = 10
"""Samples that vote on a scene."""
VOTES = 0.7
"""Share of them that must have a scene."""
_FAR = 5  # percent of training samples whose own nearest sample is farther
_REFERENCES = 2000  # training samples from which this distance is computed


class Hole(NamedTuple):
    """A held-out sample without a training sample near it."""

    sample: int
    similarity: float
    """To the nearest training sample."""
    nearest: int


class SceneCoverage(NamedTuple):
    """How near the held-out samples of a scene are to training samples."""

    scene: str
    held_out: int
    far: int
    """Number of samples that are farther than the limit."""
    median: float
    """Median similarity to the nearest training sample."""


class SceneHint(NamedTuple):
    """A scene that a sample's neighbours have, and it has not."""

    sample: int
    scene: str
    votes: int
    voters: int


class VectorHints(NamedTuple):
    """All hints of vectors."""

    holes: list[Hole]
    """The held-out samples that are far from training, the farthest first."""
    scenes: list[SceneCoverage]
    """The scenes with such samples, the largest share of far samples first."""
    limit: float
    """Similarity below which a sample is far; NaN if no sample was compared."""
    suggested: list[SceneHint]
    """The most votes first."""


def source_groups(samples: Sequence[ExportSample]) -> "Numbers":
    """Return a number for the source of each sample; -1 without one.

    Frames of one clip would be each other's neighbours, and share their tags.
    """
    known: dict[tuple[str, str], int] = {}
    return np.array(
        [
            known.setdefault((one.subset, one.source), len(known)) if one.source else -1
            for one in samples
        ],
        np.int64,
    )


def vector_hints(
    vectors: Vectors,
    samples: Sequence[ExportSample],
    chosen: "Numbers",
    *,
    progress: Progress = no_progress,
) -> VectorHints:
    """Return the hints on some samples.

    Args:
        vectors: The vectors of all samples.
        samples: All samples.
        chosen: Numbers of the samples that hints are given on.
        progress: Called with blocks of samples.
    """
    groups = source_groups(samples)
    chosen = chosen[vectors.row_of[chosen] >= 0]
    holes, scenes, limit = _coverage(vectors, samples, chosen, groups, progress)
    near = nearest(vectors, chosen, NEIGHBOURS, groups=groups, progress=progress)
    return VectorHints(holes, scenes, limit, _votes(samples, chosen, near.samples))


def _coverage(
    vectors: Vectors,
    samples: Sequence[ExportSample],
    chosen: "Numbers",
    groups: "Numbers",
    progress: Progress,
) -> tuple[list[Hole], list[SceneCoverage], float]:
    """Return held-out samples that are far from training samples.

    A sample is far if it is farther from its nearest training sample than 95 % of training samples
    are from theirs, of other sources.
    """
    is_train = np.array([one.phase == Phase.TRAIN for one in samples], np.bool_)
    trained = vectors.samples[is_train[vectors.samples]]
    held_out = chosen[~is_train[chosen]]
    if len(trained) < 2 or not len(held_out):
        return [], [], float("nan")
    trained = np.sort(trained)
    step = -(-len(trained) // _REFERENCES)
    own = nearest(vectors, trained[::step], 1, groups=groups, among=is_train, progress=progress)
    known = own.similarities[own.samples >= 0]
    limit = float(np.percentile(known, _FAR)) if known.size else float("nan")
    found = nearest(vectors, held_out, 1, among=is_train, progress=progress)
    similarity = found.similarities[:, 0]
    is_far = similarity < limit
    order = np.lexsort((held_out, similarity))
    holes = [
        Hole(int(held_out[place]), float(similarity[place]), int(found.samples[place, 0]))
        for place in order
        if is_far[place]
    ]
    by_scene: dict[str, list[int]] = {}
    for place, number in enumerate(held_out):
        for scene in samples[number].scenes:
            by_scene.setdefault(scene, []).append(place)
    scenes = [
        SceneCoverage(
            scene, len(places), int(is_far[places].sum()), float(np.median(similarity[places]))
        )
        for scene, places in by_scene.items()
        if is_far[places].any()
    ]
    scenes.sort(key=lambda one: (-one.far / one.held_out, one.scene))
    return holes, scenes, limit


def _votes(samples: Sequence[ExportSample], chosen: "Numbers", near: "Numbers") -> list[SceneHint]:
    found = []
    for number, row in zip(chosen.tolist(), near.tolist(), strict=True):
        voters = [samples[other].scenes for other in row if other >= 0]
        if len(voters) < NEIGHBOURS:
            continue
        votes = Counter(scene for scenes in voters for scene in scenes)
        for scene, count in votes.items():
            if count >= VOTES * len(voters) and scene not in samples[number].scenes:
                found.append(SceneHint(number, scene, count, len(voters)))
    return sorted(found, key=lambda one: (-one.votes, one.sample, one.scene))
