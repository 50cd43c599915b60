"""The words of the live pages in English and Chinese."""

from sceneset.reporting.page_words import WORDS, filled
from sceneset.schemas.base import Localized
from sceneset.site.texts import TEXTS as PAGES

_OF_PAGES = (
    *("search", "other_language", "theme", "samples", "scene", "persons", "phase", "subset"),
    *("single", "multi", "unknown", "train", "val", "test", "sort", "reset", "more", "masks"),
    *("close", "previous", "next", "working_tree"),
)
"""The words that the pages of the catalogue have, too."""
TEXTS = {
    **{name: PAGES[name] for name in _OF_PAGES},
    "rule": PAGES["finding"],
    "name": PAGES["by_name"],
    "none": PAGES["no_sample"],
    "count": PAGES["count_of"],
    "mixed": WORDS["mixed"],
    "search_hint": Localized(en="name, source, scene or description", zh="名称、来源、场景或描述"),
    "skip": Localized(en="Skip to the samples", zh="跳到样本"),
    "catalogue": Localized(en="Catalogue", zh="目录"),
    "api": Localized(en="API", zh="API"),
    "pages": Localized(en="Pages", zh="页面"),
    "filters": Localized(en="Filters", zh="筛选"),
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
    "person-share": Localized(en="by share of the person", zh="按人像占比"),
    "size": Localized(en="by size of the image", zh="按图片大小"),
    "reverse": Localized(en="reverse order", zh="倒序"),
    "left_out": Localized(
        en="{0} withdrawn samples and {1} samples for internal use are not shown.",
        zh="不显示 {0} 个已撤回的样本和 {1} 个仅供内部使用的样本。",
    ),
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
}


def text_in(language: str, name: str, *values: object) -> str:
    """Return a text; ``values`` take the places of {0}, {1}..., numbers with commas."""
    return filled(TEXTS[name], language, *values)
