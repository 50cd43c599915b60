"""The words of pages that show evaluations, and how they show numbers."""

import math

from sceneset.catalog.subset_folder import printable
from sceneset.evaluation.bootstrap import Interval
from sceneset.reporting.page_words import WORDS, shared_words
from sceneset.schemas.base import Localized

TEXTS = {
    **shared_words("images", "scene", "before", "after"),
    "title": Localized(en="Evaluation: {}", zh="评估：{}"),
    "truth": Localized(en="True masks: {}", zh="真值标注：{}"),
    "compared": Localized(
        en="{} of {} samples compared, {} sources", zh="比较了 {} / {} 个样本，{} 个来源"
    ),
    "threshold": Localized(en="Probabilities are person from {} on", zh="概率从 {} 起算作人"),
    "values": Localized(en="Values of predictions: {}", zh="预测文件的取值：{}"),
    "empty_one": Localized(
        en="Means of images: an image counts 1 if both masks are empty, 0 if one of them is.",
        zh="图片均值：两个标注都为空时记 1，只有一个为空时记 0。",
    ),
    "empty_zero": Localized(
        en="Means of images: an image counts 0 if a mask is empty.",
        zh="图片均值：有标注为空时记 0。",
    ),
    "empty_skip": Localized(
        en="Means of images: images where both masks are empty are left out, so the set of images "
        "depends on the predictions.",
        zh="图片均值：两个标注都为空的图片不计入，因此计入的图片取决于预测。",
    ),
    "empty_positive": Localized(
        en="Means of images: images without a person in the true mask are left out.",
        zh="图片均值：真值标注中没有人的图片不计入。",
    ),
    "few": Localized(
        en="Intervals of fewer than 10 sources (marked *) are too narrow.",
        zh="来源少于 10 个时区间过窄（以 * 标出）。",
    ),
    "left_out": Localized(en="Left out", zh="未计入"),
    "surplus": Localized(en="Predictions of no sample", zh="不属于任何样本的预测"),
    "more": Localized(en="{} more", zh="另有 {} 个"),
    "measures": Localized(en="Measures", zh="指标"),
    "measure": Localized(en="measure", zh="指标"),
    "value": Localized(en="value", zh="值"),
    "interval": Localized(en="95 % interval", zh="95 % 区间"),
    "groups": Localized(en="By {}", zh="按{}"),
    "group": Localized(en="group", zh="组"),
    "sources": Localized(en="sources", zh="来源"),
    "persons": Localized(en="number of persons", zh="人数"),
    "phase": Localized(en="phase", zh="阶段"),
    "subset": Localized(en="subset", zh="子数据集"),
    "size": Localized(en="size of person", zh="人的大小"),
    "all": Localized(en="all samples", zh="所有样本"),
    "difference": Localized(en="Compared with {}", zh="与 {} 比较"),
    "common": Localized(
        en="{} samples in both runs; {} only in this run, {} only in the other one",
        zh="两次运行共有 {} 个样本；{} 个仅在本次，{} 个仅在另一次",
    ),
    "change": Localized(en="change", zh="变化"),
    "p": Localized(en="p", zh="p"),
    "holm": Localized(
        en="IoU of all pixels. p values of scenes are adjusted for their number (Holm).",
        zh="所有像素的 IoU。场景的 p 值按场景数校正（Holm）。",
    ),
    "moved": Localized(
        en="Samples whose IoU changed by 0.1 or more", zh="IoU 变化不小于 0.1 的样本"
    ),
    "sample": Localized(en="sample", zh="样本"),
    "worst": Localized(en="Worst samples", zh="最差的样本"),
    "false_positive": Localized(en="only in the prediction", zh="仅在预测中"),
    "false_negative": Localized(en="only in the true mask", zh="仅在真值标注中"),
    "picture": Localized(en="{} with the errors of its prediction", zh="{} 及其预测错误"),
    "dataset_iou": Localized(en="IoU of all pixels", zh="所有像素的 IoU"),
    "image_iou": Localized(en="IoU, mean of images", zh="IoU，图片均值"),
    "dataset_boundary_iou": Localized(en="Boundary IoU of all pixels", zh="所有像素的边界 IoU"),
    "image_boundary_iou": Localized(en="Boundary IoU, mean of images", zh="边界 IoU，图片均值"),
    "dataset_boundary_f": Localized(en="boundary F of all pixels", zh="所有像素的边界 F"),
    "image_boundary_f": Localized(en="boundary F, mean of images", zh="边界 F，图片均值"),
    "precision": Localized(en="precision", zh="精确率"),
    "recall": Localized(en="recall", zh="召回率"),
    "accuracy": Localized(en="pixel accuracy", zh="像素准确率"),
    "miss_rate": Localized(en="miss rate", zh="漏检率"),
    "false_alarm_rate": Localized(en="false-alarm rate", zh="误报率"),
}

NAMES = {
    **shared_words("single", "multi", "mixed", "mask"),
    "working tree": WORDS["working_tree"],
    "no person": Localized(en="no person", zh="没有人"),
    "below 1 %": Localized(en="below 1 %", zh="小于 1 %"),
    "1 to 5 %": Localized(en="1 to 5 %", zh="1 % 至 5 %"),
    "5 to 20 %": Localized(en="5 to 20 %", zh="5 % 至 20 %"),
    "20 % and more": Localized(en="20 % and more", zh="20 % 及以上"),
    "none": Localized(en="none", zh="无"),
    "empty": Localized(en="empty", zh="空"),
    "probability (8 bits)": Localized(en="probability (8 bits)", zh="概率（8 位）"),
    "probability (16 bits)": Localized(en="probability (16 bits)", zh="概率（16 位）"),
    "probability (float)": Localized(en="probability (float)", zh="概率（浮点数）"),
    "COCO results": Localized(en="COCO results", zh="COCO 结果"),
    "COCO results (none)": Localized(en="COCO results (none)", zh="COCO 结果（无）"),
    "missing": Localized(en="without a prediction", zh="没有预测"),
    "wrong-phase": Localized(en="prediction in another phase", zh="预测在其他阶段"),
    "ambiguous": Localized(en="several predictions fit", zh="有多个匹配的预测"),
    "wrong-size": Localized(en="wrong size", zh="尺寸不符"),
    "wrong-shape": Localized(en="wrong shape of the array", zh="数组形状不符"),
    "colours": Localized(en="colors instead of one channel", zh="是彩色图而不是单通道"),
    "not-a-number": Localized(en="values that are no number", zh="含有非数值"),
    "values-unclear": Localized(en="values that are not clear", zh="取值含义不明"),
    "unreadable": Localized(en="unreadable", zh="无法读取"),
    "other-image": Localized(en="another image", zh="图片不同"),
    "no-truth": Localized(en="true mask not available", zh="没有真值标注文件"),
}
"""Names of groups and problems that are words of the program."""
_WORDED = {"size", "persons"}
"""Kinds of groups whose names are words of the program."""


def value_name(kind: str, language: str) -> str:
    """Return what the values of predictions mean, in words."""
    return NAMES[kind].text(language) if kind in NAMES else printable(kind)


def group_name(kind: str, name: str, language: str) -> str:
    """Return the name of a group, in words of the language if it is a word of the program."""
    if name in NAMES and (kind in _WORDED or name == "none"):
        return NAMES[name].text(language)
    return printable(name)


def measure_title(name: str, language: str) -> str:
    """Return the name of a measure in words, with its width."""
    base, _, ratio = name.rpartition("_")
    if base in TEXTS:
        return f"{TEXTS[base].text(language)} ({float(ratio) * 100:g}\u00a0%)"
    return TEXTS[name].text(language)


def number(value: float | None) -> str:
    """Return a share with four digits; a dash if it is not defined."""
    return "–" if value is None or math.isnan(value) else f"{value:.4f}"


def signed(value: float) -> str:
    """Return a difference with its sign."""
    return "–" if math.isnan(value) else f"{value:+.4f}".replace("-", "−")


def interval(value: Interval) -> str:
    """Return the bounds of an interval."""
    return "–" if math.isnan(value.low) else f"{value.low:.4f} – {value.high:.4f}"
