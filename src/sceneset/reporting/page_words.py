"""The words that several pages show, in English and Chinese."""

from sceneset.schemas.base import Localized
from sceneset.schemas.finding import Severity

WORDS = {
    # Samples
    "samples": Localized(en="samples", zh="样本"),
    "images": Localized(en="images", zh="图片"),
    "scene": Localized(en="scene", zh="场景"),
    "scenes": Localized(en="Scenes", zh="场景"),
    "single": Localized(en="single", zh="单人"),
    "multi": Localized(en="multi", zh="多人"),
    "mixed": Localized(en="single and multi", zh="单人和多人"),
    "unknown": Localized(en="unknown", zh="未知"),
    "order": Localized(en="Order", zh="排序"),
    "sizes": Localized(en="Image sizes", zh="图片尺寸"),
    "person_share": Localized(en="Share of person pixels", zh="人像像素占比"),
    "not_recorded": Localized(en="not recorded", zh="未记录"),
    # Masks
    "mask": Localized(en="mask", zh="标注"),
    "no_mask": Localized(en="no usable mask", zh="没有可用的标注"),
    "person": Localized(en="person", zh="人"),
    "ignored": Localized(en="ignored (255)", zh="忽略（255）"),
    "other_values": Localized(en="other values", zh="其他值"),
    # Changes
    "working_tree": Localized(en="working tree", zh="工作区"),
    "before": Localized(en="before", zh="之前"),
    "after": Localized(en="after", zh="之后"),
    "changes": Localized(en="What changed", zh="变化"),
    "subsets_added": Localized(en="Subsets added", zh="新增的子数据集"),
    "subsets_removed": Localized(en="Subsets removed", zh="移除的子数据集"),
    "scenes_added": Localized(en="Scenes added", zh="新增的场景"),
    "scenes_removed": Localized(en="Scenes removed", zh="移除的场景"),
    # Pictures
    "show_masks": Localized(en="masks (M)", zh="标注（M）"),
    "close": Localized(en="close (Esc)", zh="关闭（Esc）"),
    "previous": Localized(en="previous (←)", zh="上一张（←）"),
    "next": Localized(en="next (→)", zh="下一张（→）"),
}
SEVERITIES = {
    Severity.ERROR: Localized(en="error", zh="错误"),
    Severity.WARNING: Localized(en="warning", zh="警告"),
    Severity.NOTE: Localized(en="note", zh="提示"),
}


def shared_words(*names: str) -> dict[str, Localized]:
    """Return some of ``WORDS``, by their names."""
    return {name: WORDS[name] for name in names}


def filled(text: Localized, language: str, *values: object) -> str:
    """Return a text; ``{0}``, ``{1}``... in it are replaced by values, numbers with commas."""
    found = text.text(language)
    for place, value in enumerate(values):
        shown = f"{value:,}" if isinstance(value, int) else str(value)
        found = found.replace(f"{{{place}}}", shown)
    return found
