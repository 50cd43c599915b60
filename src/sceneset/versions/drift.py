"""Drift: how the statistics of each scene changed between two states."""

from typing import NamedTuple

from sceneset.catalog.reader import Catalog
from sceneset.errors import FindingsError
from sceneset.schemas.finding import Finding, finding
from sceneset.schemas.params import DriftParams
from sceneset.schemas.stats import RowStats, SetStats
from sceneset.schemas.version import Version
from sceneset.storage.yaml_files import load
from sceneset.versions.revisions import open_at

_MAX_LISTED = 10  # scenes that a message lists


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
    size: float | None
    """Relative change of the area of the most frequent image size: 1.0 is twice the area."""


def compute_drift(old: Catalog, new: Catalog) -> list[Drift]:
    """Return every scene whose statistics changed, from the statistics of both states."""
    before, after = scene_statistics(old), scene_statistics(new)
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
            size=_size_change(first, second),
        )
        if drift.images[0] != drift.images[1] or drift.colour or drift.foreground or drift.size:
            drifts.append(drift)
    return drifts


def drift_findings(catalog: Catalog, record: Version) -> list[Finding]:
    """Return a finding if a version without notes has a scene that changed too much.

    Args:
        catalog: The state to release; its params.yaml has the limits.
        record: Its record.
    """
    limits = catalog.params.drift
    if record.previous is None or record.notes or limits == DriftParams():
        return []
    old = open_at(catalog.root, record.previous, progress=catalog.progress)
    texts = [text for drift in compute_drift(old, catalog) if (text := excess(drift, limits))]
    if not texts:
        return []
    more = f"; and {len(texts) - _MAX_LISTED} more" if len(texts) > _MAX_LISTED else ""
    return [
        finding(
            "release-drift",
            f"scenes changed by more than `drift` in params.yaml allows since {record.previous}: "
            f"{'; '.join(texts[:_MAX_LISTED])}{more}",
            file=f"registry/versions/{record.version}.yaml",
            hint="say why, for the users of the version: --notes TEXT",
        )
    ]


def excess(drift: Drift, limits: DriftParams) -> str:
    """Return the name of a scene and those of its changes that exceed a limit, or ""."""
    before, after = drift.images
    images = (after - before) / before if before else None
    changes = (
        (limits.images, images, f"{before} -> {after} images"),
        (limits.colour, drift.colour, f"color by {drift.colour or 0:.3f}"),
        (limits.size, drift.size, f"image area by {100 * (drift.size or 0):+.0f} %"),
        (
            limits.person,
            drift.foreground,
            f"person share by {100 * (drift.foreground or 0):+.1f} %",
        ),
    )
    found = [
        text
        for limit, change, text in changes
        if limit is not None and change is not None and abs(change) > limit
    ]
    name = ", ".join(filter(None, (drift.scene, drift.persons, drift.phase)))
    return f"{name} ({', '.join(found)})" if found else ""


def _size_change(first: RowStats | None, second: RowStats | None) -> float | None:
    if not (first and second and first.numbers.sizes and second.numbers.sizes):
        return None
    sizes = (first.numbers.sizes.commonest, second.numbers.sizes.commonest)
    before, after = (width * height for width, height in sizes)
    return (after - before) / before


def _colour_change(first: RowStats | None, second: RowStats | None) -> float | None:
    if not (first and second and first.numbers.colour and second.numbers.colour):
        return None
    means = (first.numbers.colour.pooled_mean, second.numbers.colour.pooled_mean)
    return round(max(abs(after - before) for before, after in zip(*means, strict=True)), 12)


def _foreground_change(first: RowStats | None, second: RowStats | None) -> float | None:
    if not (first and second and first.numbers.foreground and second.numbers.foreground):
        return None
    return second.numbers.foreground.pooled - first.numbers.foreground.pooled


def scene_statistics(catalog: Catalog) -> dict[tuple[str, str | None, str], RowStats]:
    """Return the statistics of each scene, persons and phase; none before the first `dvc repro`."""
    path = catalog.paths.stats / "dataset.yaml"
    try:
        stats = load(path, SetStats, catalog.paths.relative(path))
    except FindingsError:
        return {}  # no `dvc repro` yet; samples can be compared without statistics
    return {(row.scene, row.persons, row.phase): row for row in stats.rows}
