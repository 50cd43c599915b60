"""Drift: how the statistics of each scene changed between two states."""

from typing import NamedTuple

from sceneset.catalog.reader import Catalog
from sceneset.errors import FindingsError
from sceneset.schemas.stats import RowStats, SetStats
from sceneset.storage.yaml_files import load


class Drift(NamedTuple):
    """How the statistics of a scene changed.

    Differences are None if one of the states has no statistics for the scene.
    """

    scene: str
    persons: str | None
    phase: str
    images: tuple[int, int]
    """Number of images before and after."""
    colour: float | None
    """Largest absolute change of the pooled mean of R, G or B, on a scale of 0 to 1."""
    foreground: float | None
    """Change of the share of person pixels, from -1 to 1."""


def compute_drift(old: Catalog, new: Catalog) -> list[Drift]:
    """Return every scene whose statistics changed, from the statistics of both states."""
    before, after = _rows(old), _rows(new)
    drifts = []
    for key in {**before, **after}:
        first, second = before.get(key), after.get(key)
        drift = Drift(
            *key,
            images=(
                first.numbers.images if first else 0,
                second.numbers.images if second else 0,
            ),
            colour=_colour_change(first, second),
            foreground=_foreground_change(first, second),
        )
        if drift.images[0] != drift.images[1] or drift.colour or drift.foreground:
            drifts.append(drift)
    return drifts


def _colour_change(first: RowStats | None, second: RowStats | None) -> float | None:
    if not (first and second and first.numbers.colour and second.numbers.colour):
        return None
    means = (first.numbers.colour.pooled_mean, second.numbers.colour.pooled_mean)
    return round(max(abs(after - before) for before, after in zip(*means, strict=True)), 12)


def _foreground_change(first: RowStats | None, second: RowStats | None) -> float | None:
    if not (first and second and first.numbers.foreground and second.numbers.foreground):
        return None
    return second.numbers.foreground.pooled - first.numbers.foreground.pooled


def _rows(catalog: Catalog) -> dict[tuple[str, str | None, str], RowStats]:
    path = catalog.paths.stats / "dataset.yaml"
    try:
        stats = load(path, SetStats, catalog.paths.relative(path))
    except FindingsError:
        return {}  # no `dvc repro` yet; samples can be compared without statistics
    return {(row.scene, row.persons, row.phase): row for row in stats.rows}
