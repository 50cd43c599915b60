"""The kinds of reasons of a plan, in the order of urgency, and their thresholds."""

from sceneset.schemas.base import Localized

WIDE = 0.1
"""An interval of IoU that is wider says too little."""
FEW_SOURCES = 10
"""Intervals of fewer sources are too narrow; as `sceneset.evaluation.bootstrap` says."""
MANY_REPEATS = 0.1
"""A larger share of repeated pictures is a reason by itself."""

KINDS = {
    "empty": Localized(en="a phase with a target has no image", zh="有目标的阶段没有图片"),
    "short": Localized(
        en="fewer different images than the target, the largest missing share first",
        zh="不同图片少于目标，缺口比例大的在前",
    ),
    "consent": Localized(
        en="consent of images has ended, or ends within 90 days",
        zh="图片的同意已到期，或在 90 天内到期",
    ),
    "worst": Localized(
        en="a model is worse here: the interval of its IoU is below the IoU of all samples",
        zh="模型在此较差：IoU 区间低于所有样本的 IoU",
    ),
    "unsure": Localized(
        en="its IoU is not sure: an interval wider than 0.1, or fewer than 10 sources",
        zh="IoU 不确定：区间宽于 0.1，或来源少于 10 个",
    ),
    "without": Localized(
        en="no image in a phase in which other scenes have some (without targets only)",
        zh="其他场景有图片的阶段这里没有（仅在未设目标时）",
    ),
    "few": Localized(
        en="less than a quarter of the images of the median scene (without targets only)",
        zh="图片少于中位场景的四分之一（仅在未设目标时）",
    ),
    "source": Localized(
        en="one source has more than max_source of the images of a phase",
        zh="某个来源在一个阶段中的图片占比超过 max_source",
    ),
    "repeats": Localized(
        en="more than 10 % of the images of a phase repeat another one",
        zh="一个阶段中超过 10 % 的图片是重复的",
    ),
    "unknown": Localized(
        en="the source of most images of a phase is not recorded",
        zh="一个阶段中多数图片没有记录来源",
    ),
    "balance": Localized(
        en="shares of the phases that differ by more than 2 % and one image from the wanted ones, "
        "or without these from those of all samples",
        zh="各阶段占比与目标（未设目标时与所有样本）相差超过 2 % 且超过一张图片",
    ),
}
"""What makes a scene urgent, the most urgent first."""
ORDER = {kind: number for number, kind in enumerate(KINDS)}
