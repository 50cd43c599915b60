"""What templates show of changed samples: texts in the reader's language, and pictures by address.

The address of a picture is data in a page of one file, and a file by its content hash on a site.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sceneset.reporting.page import html_environment
from sceneset.reporting.page_words import WORDS, shared_words
from sceneset.reporting.picture_diff import (
    PAIRS,
    Photo,
    PictureChange,
    PictureDiff,
    PictureGroup,
)
from sceneset.schemas.base import Localized
from sceneset.versions.diff import ChangeKind

Href = Callable[[str, bytes], str]
"""Returns the address of a picture from its kind ("webp" or "png") and its bytes."""

TITLES = {
    ChangeKind.MASK: Localized(en="Changed masks", zh="有变化的标注"),
    ChangeKind.IMAGE: Localized(en="Replaced images", zh="被替换的图片"),
    ChangeKind.ADDED: Localized(en="Added samples", zh="新增的样本"),
    ChangeKind.REMOVED: Localized(en="Removed samples", zh="移除的样本"),
    ChangeKind.MOVED: Localized(en="Moved samples", zh="移动的样本"),
    ChangeKind.RENAMED: Localized(en="Renamed samples", zh="改名的样本"),
    ChangeKind.SCENES: Localized(en="Samples with other scenes", zh="场景有变化的样本"),
    ChangeKind.METADATA: Localized(en="Same picture, other metadata", zh="图像相同、元数据不同"),
}
TEXTS = {
    **shared_words(
        "before", "after", "show_masks", "close", "previous", "next", "person", "ignored"
    ),
    "change": Localized(en="changed pixels", zh="变化的像素"),
    "show": Localized(en="Show", zh="显示"),
    "show_all": Localized(en="side by side (0)", zh="并排（0）"),
    "show_before": Localized(en="before (1)", zh="之前（1）"),
    "show_after": Localized(en="after (2)", zh="之后（2）"),
    "show_change": Localized(en="changed pixels (3)", zh="变化的像素（3）"),
    "filter": Localized(
        en="filter by name, scene or finding (/)", zh="按名称、场景或问题筛选（/）"
    ),
    "flip": Localized(en="flip between the two (B)", zh="在两张之间切换（B）"),
    "zoom": Localized(en="zoom to the change (Z)", zh="放大变化处（Z）"),
    "was": Localized(en="before:", zh="之前："),
    "added": Localized(en="person added", zh="新增的人"),
    "removed": Localized(en="person removed", zh="去掉的人"),
    "changed-ignored": Localized(en="ignored in one of the two", zh="仅一边忽略（255）"),
    "changed-other": WORDS["other_values"],
    "count": Localized(en="{} of {}", zh="{} / {}"),
    "sorted": Localized(
        en="The masks that changed most come first, by the IoU of the person before and after.",
        zh="按人像 IoU 排序，变化最大的在前。",
    ),
    "compared": Localized(
        en="The IoU of {} of {} changed masks is known; the others come last.",
        zh="{} / {} 个有变化的标注可以计算 IoU，其余排在最后。",
    ),
    "spread": Localized(
        en="{} more are not shown; those shown are evenly spread.",
        zh="还有 {} 个未显示；显示的样本均匀选取。",
    ),
    "more": Localized(en="{} more are not shown.", zh="还有 {} 个未显示。"),
    "withdrawn": Localized(
        en="{} of withdrawn samples are never shown.", zh="{} 个属于已撤回样本，从不显示。"
    ),
    "restricted": Localized(
        en="{} of samples for internal use are left out.",
        zh="{} 个属于仅供内部使用的样本，已略去。",
    ),
    "iou": Localized(en="IoU {:.3f}", zh="IoU {:.3f}"),
    "pixels": Localized(en="{}: {:,} pixels ({} of the picture)", zh="{}：{:,} 像素（占图片 {}）"),
}
_SMALL = 0.02
"""Share of a picture below which changes are framed."""
_COUNTED = ("added", "removed", "changed-ignored", "changed-other")
"""Texts of the fields of ``Counts``, in their order."""


@dataclass
class ChangeValues:
    """Turns changes into values for templates; identifiers are unique on one page."""

    href: Href
    language: str
    _ids: dict[bytes, str] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """Return one of ``TEXTS``."""
        return TEXTS[name].text(self.language)

    def groups(self, diff: PictureDiff) -> list[dict[str, Any]]:
        """Return the groups of a page."""
        return [self._group(group, diff) for group in diff.groups]

    def _group(self, group: PictureGroup, diff: PictureDiff) -> dict[str, Any]:
        shown, notes = len(group.items), []
        is_mask = group.kind is ChangeKind.MASK
        if is_mask:
            notes.append(self.text("sorted"))
            if diff.compared < diff.masks:
                notes.append(self._format("compared", diff.compared, diff.masks))
        if group.more > 0:
            notes.append(self._format("more" if is_mask else "spread", group.more))
        hidden = {"withdrawn": group.withdrawn, "restricted": group.restricted}
        notes += [self._format(name, number) for name, number in hidden.items() if number]
        count = f"{shown:,}" if shown == group.total else self._format("count", shown, group.total)
        is_pairs = group.kind in PAIRS
        return {
            "kind": str(group.kind),
            "title": TITLES[group.kind].text(self.language),
            "count": count,
            "notes": notes,
            "is_pairs": is_pairs,
            "legend": self._legend(group) if shown else [],
            "items": [self.item(item) for item in group.items],
        }

    def _format(self, name: str, *numbers: int) -> str:
        return self.text(name).format(*(f"{number:,}" for number in numbers))

    def _legend(self, group: PictureGroup) -> list[tuple[str, str]]:
        if group.kind not in PAIRS:
            return []
        counts = [item.counts for item in group.items if item.counts]
        kinds = ["person", "ignored"]
        kinds += [
            name for place, name in enumerate(_COUNTED) if any(count[place] for count in counts)
        ]
        return [(kind, self.text(kind)) for kind in kinds]

    def item(self, item: PictureChange, texts: Sequence[str] = ()) -> dict[str, Any]:
        """Return the values of one change; ``texts`` are shown below it."""
        return {
            "name": item.name,
            "old_name": item.old_name,
            "facts": [" · ".join(item.facts)] if item.facts else [],
            "iou": "" if item.iou is None else self.text("iou").format(item.iou),
            "numbers": self._numbers(item),
            "problems": item.problems,
            "texts": texts,
            "box": " ".join(f"{part:.4f}" for part in item.box) if item.box else "",
            "views": self._views(item),
        }

    def _numbers(self, item: PictureChange) -> list[str]:
        if not item.counts:
            return []
        pixels = item.counts.pixels
        return [
            self.text("pixels").format(self.text(name), count, _share_text(count / pixels))
            for name, count in zip(_COUNTED, item.counts[:4], strict=True)
            if count
        ]

    def _views(self, item: PictureChange) -> list[dict[str, Any]]:
        problem = item.problems[0] if item.problems else "-"
        sides = [("before", item.before), ("after", item.after)]
        if item.kind not in PAIRS:
            sides = [(name, photo) for name, photo in sides if photo] or [("after", None)]
        views = [
            self.view(name, photo, photo.mask) if photo else self.missing(name, problem)
            for name, photo in sides
        ]
        if item.marks and item.after:
            change = self.view("change", item.after, item.marks)
            views.append(change | {"frame": _frame(item)})
        return views

    def view(self, kind: str, photo: Photo, layer: bytes, label: str = "") -> dict[str, Any]:
        """Return a picture: the photo at its first use, later a reference to it, and a layer."""
        is_new = photo.webp not in self._ids
        name = self._ids.setdefault(photo.webp, f"photo-{len(self._ids) + 1}")
        return {
            "kind": kind,
            "label": label or self.text(kind),
            "width": photo.width,
            "height": photo.height,
            "id": name,
            "photo": self.href("webp", photo.webp) if is_new else "",
            "layer": self.href("png", layer) if layer else "",
            "frame": "",
            "problem": "",
        }

    def missing(self, kind: str, problem: str, label: str = "") -> dict[str, Any]:
        """Return a gray picture with the reason for which it is not shown."""
        return {"kind": kind, "label": label or self.text(kind), "problem": problem}


def _frame(item: PictureChange) -> str:
    """Return the attributes of a frame around changes that are too small to be seen easily."""
    box, photo = item.box, item.after
    if not box or not photo or box.width * box.height > _SMALL:
        return ""
    space = 0.02 * max(photo.width, photo.height)
    left, top = box.left * photo.width - space, box.top * photo.height - space
    width, height = box.width * photo.width + 2 * space, box.height * photo.height + 2 * space
    return f'x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{height:.1f}"'


def _share_text(share: float) -> str:
    return f"{100 * share:.1f} %" if share >= 0.001 else "< 0.1 %"


def changes_html(diff: PictureDiff, href: Href, language: str) -> str:
    """Return the changes as a part of a page, whose style is diff.css and whose script diff.js.

    Args:
        diff: The changes.
        href: Returns the address of a picture.
        language: "en" or "zh".
    """
    values = ChangeValues(href, language)
    template = html_environment().get_template("changes_fragment.html.jinja")
    return template.render(groups=values.groups(diff), label=values.text)
