"""The words of the live pages in English and Chinese."""

from sceneset.schemas.base import Localized

TEXTS = {
    "search": Localized(en="Search", zh="搜索"),
    "search_hint": Localized(en="name, source, scene or description", zh="名称、来源、场景或描述"),
    "skip": Localized(en="Skip to the samples", zh="跳到样本"),
    "catalogue": Localized(en="Catalogue", zh="目录"),
    "api": Localized(en="API", zh="API"),
    "pages": Localized(en="Pages", zh="页面"),
    "other_language": Localized(en="中文", zh="English"),
    "theme": Localized(en="Dark or light", zh="深色或浅色"),
    "filters": Localized(en="Filters", zh="筛选"),
    "samples": Localized(en="Samples", zh="样本"),
    "scene": Localized(en="Scene", zh="场景"),
    "persons": Localized(en="Persons", zh="人数"),
    "phase": Localized(en="Phase", zh="阶段"),
    "subset": Localized(en="Subset", zh="子数据集"),
    "rule": Localized(en="Finding", zh="问题"),
    "single": Localized(en="single", zh="单人"),
    "multi": Localized(en="multi", zh="多人"),
    "mixed": Localized(en="single and multi", zh="单人和多人"),
    "unknown": Localized(en="unknown", zh="未知"),
    "train": Localized(en="train", zh="训练 (train)"),
    "val": Localized(en="val", zh="验证 (val)"),
    "test": Localized(en="test", zh="测试 (test)"),
    "numbers": Localized(en="Numbers", zh="数值"),
    "person_share": Localized(en="Person, share of the image", zh="人像占比"),
    "ignore_share": Localized(en="Ignored, share of the image", zh="忽略区域占比"),
    "width": Localized(en="Width, pixels", zh="宽度（像素）"),
    "height": Localized(en="Height, pixels", zh="高度（像素）"),
    "parts": Localized(en="Parts of the mask", zh="标注的连通块数"),
    "holes": Localized(en="Holes in the mask", zh="标注的孔洞数"),
    "contrast": Localized(en="Contrast under the mask", zh="标注内的对比度"),
    "from": Localized(en="from", zh="最小"),
    "to": Localized(en="to", zh="最大"),
    "sort": Localized(en="Order", zh="排序"),
    "name": Localized(en="by name", zh="按名称"),
    "person-share": Localized(en="by share of the person", zh="按人像占比"),
    "size": Localized(en="by size of the image", zh="按图片大小"),
    "reverse": Localized(en="largest or last first", zh="倒序"),
    "reset": Localized(en="Show all", zh="全部显示"),
    "more": Localized(en="Show more", zh="显示更多"),
    "none": Localized(en="No sample matches.", zh="没有符合条件的样本。"),
    "count": Localized(en="{0} of {1} samples", zh="{1} 个样本中的 {0} 个"),
    "left_out": Localized(
        en="{0} withdrawn samples and {1} samples for internal use are not shown.",
        zh="不显示 {0} 个已撤回的样本和 {1} 个仅供内部使用的样本。",
    ),
    "masks": Localized(en="Masks (M)", zh="标注（M）"),
    "mark": Localized(en="Mark", zh="标记"),
    "mark_sample": Localized(en="Mark {0}", zh="标记 {0}"),
    "mark_key": Localized(en="Mark (B)", zh="标记（B）"),
    "basket": Localized(en="Marked samples", zh="已标记的样本"),
    "basket_count": Localized(en="{0} marked", zh="已标记 {0} 个"),
    "basket_help": Localized(
        en="Marks are kept in this browser. A file for a command changes nothing by itself.",
        zh="标记保存在本浏览器中。导出的文件供命令使用，本身不会改变注册表。",
    ),
    "clear": Localized(en="Remove all marks", zh="清除全部标记"),
    "make": Localized(en="Make a file", zh="生成文件"),
    "stems": Localized(en="List for --stems-file", zh="--stems-file 列表"),
    "table": Localized(
        en="Table to relabel (sceneset tag --csv)", zh="改标表格（sceneset tag --csv）"
    ),
    "selection": Localized(en="Selection for params.yaml", zh="params.yaml 选集"),
    "waivers": Localized(en="Waivers for registry/waivers.yaml", zh="registry/waivers.yaml 豁免"),
    "selection_name": Localized(en="Name of the selection", zh="选集名称"),
    "waived_rule": Localized(en="Rule", zh="规则"),
    "reason": Localized(en="Reason", zh="理由"),
    "saved": Localized(en="Saved as {0}. Next: {1}", zh="已保存为 {0}。下一步：{1}"),
    "failed": Localized(en="The server did not answer: {0}", zh="服务器没有应答：{0}"),
    "close": Localized(en="close (Esc)", zh="关闭（Esc）"),
    "previous": Localized(en="previous (←)", zh="上一张（←）"),
    "next": Localized(en="next (→)", zh="下一张（→）"),
    "large": Localized(en="Sample", zh="样本"),
    "similar": Localized(en="Similar samples", zh="相似样本"),
    "similarity": Localized(en="{0}, similarity {1}", zh="{0}，相似度 {1}"),
    "no_vector": Localized(en="This sample has no vector.", zh="此样本没有向量。"),
    "not_found": Localized(en="There is no such page", zh="没有这个页面"),
    "broken": Localized(en="The registry can't be read now", zh="目前无法读取注册表"),
    "broken_help": Localized(
        en="This page works again as soon as the files are right.",
        zh="文件恢复正确后，本页即可再次使用。",
    ),
    "wait": Localized(en="Not yet", zh="尚未就绪"),
    "building": Localized(
        en="The pages of the catalogue are being made. Search works already.",
        zh="正在生成目录页面。搜索已经可用。",
    ),
    "no_pages": Localized(
        en="This server shows no pages of the catalogue: `sceneset serve --pages` makes them.",
        zh="此服务器不提供目录页面：`sceneset serve --pages` 会生成。",
    ),
    "wrong": Localized(en="The address can't be used", zh="地址无法使用"),
    "working_tree": Localized(en="working tree", zh="工作区"),
}


def text_in(language: str, name: str, *values: object) -> str:
    """Return a text; ``values`` take the places of {0}, {1}..."""
    found = TEXTS[name].text(language)
    for place, value in enumerate(values):
        found = found.replace(f"{{{place}}}", str(value))
    return found
