"""The words of the catalogue in English and Chinese."""

from sceneset.reporting.page_words import WORDS, filled, shared_words
from sceneset.schemas.base import Localized
from sceneset.site.page_texts import PAGE_TEXTS

TEXTS = {
    **shared_words("working_tree", "images", "single", "multi", "unknown", "scenes"),
    **shared_words("no_mask", "previous", "next", "close", "person_share", "sizes"),
    "overview": Localized(en="Overview", zh="总览"),
    "samples": Localized(en="Samples", zh="样本"),
    "findings": Localized(en="Findings", zh="问题"),
    "search": Localized(en="Search", zh="搜索"),
    "scene": Localized(en="Scene", zh="场景"),
    "subsets": Localized(en="Subsets", zh="子数据集"),
    "subset": Localized(en="Subset", zh="子数据集"),
    "versions": Localized(en="Versions", zh="版本"),
    "version": Localized(en="Version", zh="版本"),
    "selections": Localized(en="Selections", zh="选集"),
    "selection": Localized(en="Selection", zh="选集"),
    "main_navigation": Localized(en="Pages of the catalogue", zh="目录页面"),
    "skip": Localized(en="Skip to the content", zh="跳到正文"),
    "other_language": Localized(en="中文", zh="English"),
    "theme": Localized(en="Dark or light", zh="深色或浅色"),
    "state": Localized(en="State", zh="状态"),
    "made_by": Localized(en="Made by sceneset {0}", zh="由 sceneset {0} 生成"),
    "boxes": Localized(en="boxes", zh="检测框"),
    "train": Localized(en="train", zh="训练 (train)"),
    "val": Localized(en="val", zh="验证 (val)"),
    "test": Localized(en="test", zh="测试 (test)"),
    "persons": Localized(en="Persons", zh="人数"),
    "phase": Localized(en="Phase", zh="阶段"),
    "kind": Localized(en="Kind", zh="类型"),
    "total": Localized(en="Total", zh="合计"),
    "all": Localized(en="all", zh="全部"),
    "filter_hint": Localized(en="name, source or scene", zh="名称、来源或场景"),
    "finding": Localized(en="Finding", zh="问题"),
    "any_finding": Localized(en="any finding", zh="任何问题"),
    "sort": WORDS["order"],
    "by_name": Localized(en="by name", zh="按名称"),
    "by_share": Localized(en="smallest person first", zh="人像从小到大"),
    "by_share_down": Localized(en="largest person first", zh="人像从大到小"),
    "by_size": Localized(en="smallest image first", zh="图片从小到大"),
    "by_size_down": Localized(en="largest image first", zh="图片从大到小"),
    "masks": Localized(en="Masks (M)", zh="标注（M）"),
    "size": Localized(en="Size", zh="大小"),
    "reset": Localized(en="Show all", zh="全部显示"),
    "more": Localized(en="Show more", zh="显示更多"),
    "count_of": Localized(en="{0} of {1} samples", zh="{1} 个样本中的 {0} 个"),
    "loading": Localized(en="reading data...", zh="正在读取数据……"),
    "no_sample": Localized(en="No sample matches.", zh="没有符合条件的样本。"),
    "need_script": Localized(
        en="The pictures need JavaScript. All numbers and tables are on the page.",
        zh="查看图片需要 JavaScript。所有数字和表格都在本页上。",
    ),
    "data_missing": Localized(
        en="The data of this page can't be read. Build the catalogue again with `sceneset site`.",
        zh="无法读取本页的数据。请用 `sceneset site` 重新生成目录。",
    ),
    "image": Localized(en="Image (1)", zh="图片（1）"),
    "overlay": Localized(en="Overlay (2)", zh="叠加（2）"),
    "mask": Localized(en="Mask (3)", zh="标注（3）"),
    "source": Localized(en="Source", zh="来源"),
    "share": Localized(en="Person", zh="人像占比"),
    "history": Localized(en="History", zh="历史"),
    "commands": Localized(en="Commands for what is shown", zh="当前内容对应的命令"),
    "command_pull": Localized(en="Download", zh="下载"),
    "command_export": Localized(en="Export as COCO", zh="导出为 COCO"),
    "command_python": Localized(en="Python", zh="Python"),
    "command_mmseg": Localized(en="mmsegmentation config", zh="mmsegmentation 配置"),
    "copy": Localized(en="Copy", zh="复制"),
    "copied": Localized(en="Copied", zh="已复制"),
    "legend_person": WORDS["person"],
    "legend_ignored": WORDS["ignored"],
    "legend_other": WORDS["other_values"],
    "scene_table": Localized(en="Scene table", zh="场景表"),
    "statistics": Localized(en="Statistics", zh="统计"),
    "brightness": Localized(en="Mean brightness of images", zh="图片平均亮度"),
    "position": Localized(en="Where people are in the frame", zh="人在画面中的位置"),
    "position_note": Localized(
        en="share of person pixels in each part of the frame, over {0} masks",
        zh="画面各部分的人像像素占比，共 {0} 个标注",
    ),
    "other_sizes": Localized(en="{0} other sizes", zh="其他 {0} 种尺寸"),
    "colour": Localized(en="Mean color", zh="平均颜色"),
    "without_person": Localized(en="Images without a person", zh="无人图片"),
    "not_shown": Localized(
        en="Not shown: {0} withdrawn, {1} for internal use, {2} not scanned.",
        zh="未显示：{0} 个已撤回，{1} 个仅供内部使用，{2} 个未扫描。",
    ),
    "not_drawn": Localized(
        en="Samples without a picture or an outline here: {0}. Their tiles say why.",
        zh="有 {0} 个样本没有图片或轮廓，对应的格子里写有原因。",
    ),
    "unread": Localized(
        en="Left out, because a file can't be read: {0}", zh="因文件无法读取而未包含：{0}"
    ),
    "licence": Localized(en="Licence", zh="许可"),
    "vendor": Localized(en="Vendor", zh="供应商"),
    "description": Localized(en="Description", zh="说明"),
    "event_added": Localized(en="added", zh="新增"),
    "event_moved": Localized(en="moved, before:", zh="移动，之前为："),
    "event_renamed": Localized(en="renamed, before:", zh="改名，之前为："),
    "event_mask": Localized(en="mask changed", zh="标注有变化"),
    "event_scenes": Localized(en="scenes changed", zh="场景有变化"),
    "event_metadata": Localized(en="metadata changed", zh="元数据有变化"),
    "event_image": Localized(en="image replaced", zh="图片被替换"),
    "not_released": Localized(en="not released yet", zh="尚未发布"),
}


def text(name: str, language: str, *values: object) -> str:
    """Return a text; ``{0}``, ``{1}``... in it are replaced by ``values``.

    Args:
        name: A key of ``TEXTS`` or ``PAGE_TEXTS``.
        language: "en" or "zh".
        values: Numbers are shown with commas.
    """
    return filled(TEXTS.get(name) or PAGE_TEXTS[name], language, *values)
