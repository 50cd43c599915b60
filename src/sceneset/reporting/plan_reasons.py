"""Why a scene needs images, in the order of urgency."""

import datetime as dt
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from sceneset.counts import counted
from sceneset.edits.split_strata import NEAR
from sceneset.reporting.plan_counts import PhaseCount
from sceneset.reporting.plan_kinds import FEW_SOURCES, MANY_REPEATS, ORDER, WIDE
from sceneset.schemas.base import Localized
from sceneset.schemas.terms import Persons, Phase


class Reason(NamedTuple):
    """Why a scene and number of persons needs images."""

    kind: str
    """A key of KINDS."""
    size: float
    """Among equal kinds, the largest comes first."""
    text: Localized
    phase: Phase | None = None

    @property
    def rank(self) -> tuple[int, float]:
        """What the most urgent reason has the lowest of."""
        return ORDER[self.kind], -self.size


class CellResult(NamedTuple):
    """How well a model does on a scene and number of persons."""

    images: int
    sources: int
    iou: float
    """IoU of all pixels; NaN if it is not defined."""
    low: float
    """Bounds of the 95 % interval; NaN with fewer than two sources."""
    high: float


@dataclass
class CellPlan:
    """What there is of a scene and number of persons, and what is wanted."""

    scene: str
    persons: Persons | None
    counts: Mapping[Phase, PhaseCount]
    """Of each phase that has samples."""
    targets: Mapping[Phase, int]
    """Of each phase that has a target."""
    result: CellResult | None = None
    reasons: list[Reason] = field(default_factory=list)
    """The most urgent first."""

    def of(self, phase: Phase) -> PhaseCount:
        """Return the counts of a phase."""
        return self.counts.get(phase, PhaseCount())

    def missing(self, phase: Phase) -> int:
        """Return how many different images a phase needs to reach its target, and keep it."""
        return max(0, self.targets.get(phase, 0) - self.of(phase).staying)

    @property
    def images(self) -> int:
        """Number of images."""
        return sum(count.images for count in self.counts.values())

    @property
    def pictures(self) -> int:
        """Number of different pictures; one that is in two phases counts in each."""
        return sum(count.pictures for count in self.counts.values())

    @property
    def wanted(self) -> int:
        """Number of different images to collect."""
        return sum(self.missing(phase) for phase in Phase)

    @property
    def rank(self) -> tuple[int, float]:
        """What the most urgent cell has the lowest of."""
        return self.reasons[0].rank if self.reasons else (len(ORDER), 0.0)


class Context(NamedTuple):
    """What a cell is compared with."""

    day: dt.date
    max_source: float
    shares: Mapping[Phase, float] | None
    """Shares of phases to compare with; None if they are not compared."""
    are_wanted: bool
    """Whether these are wanted, and not those of all samples."""
    whole: CellResult | None
    """How well the model does on all samples."""


def reasons_of(cell: CellPlan, context: Context) -> Iterator[Reason]:
    """Yield why a cell needs images, in any order."""
    for phase in Phase:
        count, target = cell.of(phase), cell.targets.get(phase)
        yield from _target_reasons(cell, phase, target)
        if count.leaving:
            yield _consent_reason(phase, count, context.day)
        yield from _diversity_reasons(phase, count, context.max_source)
    if cell.result and context.whole:
        yield from _result_reasons(cell.result, context.whole)
    if context.shares and cell.images:
        yield from _balance_reasons(cell, context.shares, are_wanted=context.are_wanted)


def _target_reasons(cell: CellPlan, phase: Phase, target: int | None) -> Iterator[Reason]:
    count = cell.of(phase)
    if not target:
        return
    if not count.images:
        yield Reason(
            "empty",
            target,
            Localized(
                en=f"{phase}: no image, {target:,} wanted",
                zh=f"{phase}：没有图片，需要 {target:,} 张",
            ),
            phase,
        )
    elif count.pictures < target:
        have = counted(count.pictures, "different image")
        yield Reason(
            "short",
            1 - count.pictures / target,
            Localized(
                en=f"{phase}: {have} of {target:,}",
                zh=f"{phase}：{target:,} 张中有 {count.pictures:,} 张不同图片",
            ),
            phase,
        )


def _consent_reason(phase: Phase, count: PhaseCount, day: dt.date) -> Reason:
    end = dt.date.fromordinal(count.end)
    is_over = end < day
    images = counted(count.leaving, "image")
    first = "" if count.leaving == 1 else "first "
    return Reason(
        "consent",
        count.leaving / count.images,
        Localized(
            en=f"{phase}: consent of {images} {first}{'ended' if is_over else 'ends'} on {end}",
            zh=f"{phase}：{count.leaving:,} 张图片的同意"
            f"{'最早' if first else ''}{'已于' if is_over else '将于'} {end} 到期",
        ),
        phase,
    )


def _diversity_reasons(phase: Phase, count: PhaseCount, most: float) -> Iterator[Reason]:
    share = count.largest_share
    # One image of few is a large share, whatever is collected.
    if share > most and count.largest > 1:
        yield Reason(
            "source",
            share,
            Localized(
                en=f"{phase}: one source has {_percent(share)} of the images with a source "
                f"({counted(count.sources, 'source')}, as diverse as {count.effective:.1f} "
                "of equal size)",
                zh=f"{phase}：一个来源占有来源图片的 {_percent(share)}"
                f"（共 {count.sources:,} 个来源，相当于 {count.effective:.1f} 个等量来源）",
            ),
            phase,
        )
    repeated = count.images - count.pictures
    if repeated > MANY_REPEATS * count.images:
        pictures = counted(count.pictures, "different picture")
        yield Reason(
            "repeats",
            repeated / count.images,
            Localized(
                en=f"{phase}: {count.images:,} images are {pictures}",
                zh=f"{phase}：{count.images:,} 张图片中只有 {count.pictures:,} 张不同",
            ),
            phase,
        )
    if 2 * count.without_source > count.images:
        yield Reason(
            "unknown",
            count.without_source / count.images,
            Localized(
                en=f"{phase}: the source of {count.without_source:,} of "
                f"{counted(count.images, 'image')} is not recorded",
                zh=f"{phase}：{count.images:,} 张图片中有 {count.without_source:,} 张没有记录来源",
            ),
            phase,
        )


def _result_reasons(result: CellResult, whole: CellResult) -> Iterator[Reason]:
    if math.isnan(result.iou):  # no mask has a person
        return
    interval = "" if math.isnan(result.low) else f" ({result.low:.3f}-{result.high:.3f})"
    if result.high < whole.iou:
        yield Reason(
            "worst",
            whole.iou - result.iou,
            Localized(
                en=f"evaluation: IoU {result.iou:.3f}{interval}, all samples {whole.iou:.3f}",
                zh=f"评估：IoU {result.iou:.3f}{interval}，所有样本 {whole.iou:.3f}",
            ),
        )
    width = result.high - result.low if interval else 1.0
    if width > WIDE or result.sources < FEW_SOURCES:
        sources = counted(result.sources, "source")
        yield Reason(
            "unsure",
            width,
            Localized(
                en=f"evaluation: IoU {result.iou:.3f}{interval} from {sources} only",
                zh=f"评估：IoU {result.iou:.3f}{interval}，仅来自 {result.sources:,} 个来源",
            ),
        )


def _balance_reasons(
    cell: CellPlan, shares: Mapping[Phase, float], *, are_wanted: bool
) -> Iterator[Reason]:
    images = cell.images
    reached = {phase: cell.of(phase).images / images for phase in Phase}
    differences = {phase: abs(reached[phase] - shares[phase]) for phase in Phase}
    most = max(differences.values())
    # One image of few is a large share, too.
    if most <= max(NEAR, 1 / images) + 1e-9:
        return
    have, want = (
        " / ".join(f"{100 * one[phase]:.0f}" for phase in Phase) for one in (reached, shares)
    )
    yield Reason(
        "balance",
        most,
        Localized(
            en=f"train / val / test are {have} %, {'wanted' if are_wanted else 'all samples'} "
            f"{want} %",
            zh=f"train / val / test 为 {have} %，{'目标' if are_wanted else '所有样本为'} {want} %",
        ),
    )


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
