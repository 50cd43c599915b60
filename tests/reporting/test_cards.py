"""The regenerated table: eight columns, the document's order, both languages, both formats."""

from html import unescape
from html.parser import HTMLParser

import pytest

from sceneset import Registry
from sceneset.catalog.split_selection import table_order
from sceneset.reporting import cards as document
from sceneset.schemas.scene import Vocabulary
from sceneset.schemas.stats import Numbers, RowStats, SetStats, SubsetStats
from sceneset.schemas.subset import Subset
from support.build import ROOT

NAME = "CustomSeg_Person_20240115_web"
TRICKY = "a | b < c & d \\ \"e\" 'f' &lt; <script>"
HEADS = {
    "zh": ["类别", "图片数量", "整体描述", "细分场景", "标注文件", "图片数量", "检测框数量",
           "细分描述"],
    "en": ["category", "images", "overall description", "scene", "split file", "images", "boxes",
           "description"],
}  # fmt: skip
THREE = (0.123456789, 0.2, 0.3)


@pytest.fixture
def words() -> Vocabulary:
    return Registry(ROOT).vocabulary


@pytest.fixture
def entry(words: Vocabulary) -> Subset:
    rows = [
        {"scene": "total", "file": "total.txt"},
        {"scene": "ski", "persons": "multi", "file": "ski_muiltiperson.txt"},
        {"scene": "ski", "persons": "single", "file": "ski.txt", "description": {"zh": TRICKY}},
        {"scene": "sea", "persons": "single", "phase": "val", "file": "sea_val.txt"},
    ]
    said = {"en": f"From the web. {TRICKY}.", "zh": "主要来自网络爬虫。"}
    return Subset.model_validate(
        {"name": NAME, "kind": "full", "description": said, "category": "a|b", "splits": rows}
    )


def numbers(images: int, boxes: int | None = None) -> Numbers:
    colours = ("pooled_mean", "pooled_std", "image_mean", "image_std", "std_of_image_means")
    size = {"distinct": 1, "smallest": (4, 3), "largest": (4, 3), "commonest": (4, 3)}
    share = {"pooled": 0.25, "image_mean": 0.2, "ignored": 0.0, "without_person": 1}
    return Numbers.model_validate(
        {
            "images": images,
            "boxes": boxes,
            "colour": dict.fromkeys(colours, THREE),
            "sizes": size,
            "foreground": share,
        }
    )


@pytest.fixture
def stats(words: Vocabulary, entry: Subset) -> SubsetStats:
    rows = tuple(
        RowStats(
            scene=row.scene,
            persons=row.persons,
            phase=row.phase,
            file=row.file,
            numbers=numbers(7 + n, 3 if n else None),
        )
        for n, row in enumerate(table_order(words, entry.splits))
    )
    samples = {"train": 9, "val": 1}
    return SubsetStats(subset=NAME, kind="full", samples=samples, numbers=numbers(10), rows=rows)


class Tables(HTMLParser):
    """Collects tables as rows of (tag, attributes, text); every tag must be closed in turn."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[list[list[list[object]]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        if tag not in {"meta", "br"}:
            self.open.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in {"td", "th"}:
            self.tables[-1][-1].append([tag, dict(attrs), ""])

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if {"td", "th"} & set(self.open):
            self.tables[-1][-1][-1][2] += data


def read_html(text: str) -> Tables:
    parser = Tables()
    parser.feed(text)
    parser.close()
    assert parser.open == []
    return parser


def read_markdown(text: str) -> list[list[str]]:
    """Split the first table into cells as a reader does: a bar behind a backslash is text."""
    rows = []
    for line in text.splitlines():
        if line.startswith("|"):
            escaped = line.strip("|").replace("\\\\", "\0").replace("\\|", "\1")
            cells = (cell.strip().replace("\0", "\\") for cell in escaped.split("|"))
            rows.append([unescape(cell.replace("\1", "|")) for cell in cells])
        elif rows:
            break
    return rows


ROWS = {
    "zh": [
        ["total", "total.txt", "7", "None", "子数据集全部训练样本"],
        ["ski single-person", "ski.txt", "8", "3", TRICKY],
        ["ski multi-person", "ski_muiltiperson.txt", "9", "3", "滑雪多人"],
        ["sea single-person (val)", "sea_val.txt", "10", "3", "大海单人（验证）"],
    ],
    "en": [
        ["total", "total.txt", "7", "None", "all training samples of the subset"],
        ["ski single-person", "ski.txt", "8", "3", TRICKY],
        ["ski multi-person", "ski_muiltiperson.txt", "9", "3", "ski multi-person"],
        ["sea single-person (val)", "sea_val.txt", "10", "3",
         "sea single-person (validation)"],
    ],
}  # fmt: skip


@pytest.mark.parametrize("language", document.LANGUAGES)
def test_markdown_read_back(words, entry, stats, language):
    text = document.markdown(words, entry, stats, language)
    heads, line, *body = read_markdown(text)
    assert heads == HEADS[language]
    assert all(set(cell) <= set("-:") for cell in line)
    assert [row[:2] for row in body] == [["a|b", "10"]] * 4
    assert [row[3:] for row in body] == ROWS[language]
    assert body[0][2] == document.overall(entry, stats, language)
    assert [row[2] for row in body[1:]] == [""] * 3
    assert text.startswith(f"# {NAME}\n")
    assert text.endswith("*\n")


@pytest.mark.parametrize("language", document.LANGUAGES)
def test_html_read_back(words, entry, stats, language):
    text = document.html(words, entry, stats, language)
    head, subhead, first, *rest = read_html(text).tables[0]
    assert [cell[2] for cell in head[:3]] == HEADS[language][:3]
    assert [cell[1].get("rowspan") for cell in head] == ["2", "2", "2", None]
    assert head[3][1]["colspan"] == "5"
    assert [cell[2] for cell in subhead] == HEADS[language][3:]
    assert [cell[1].get("rowspan") for cell in first] == ["4"] * 3 + [None] * 5
    assert [cell[2] for cell in first[:3]] == [
        "a|b", "10", document.overall(entry, stats, language),
    ]  # fmt: skip
    assert [[cell[2] for cell in row] for row in (first[3:], *rest)] == ROWS[language]
    assert "<script>" not in text
    assert 'lang="zh-CN"' in text if language == "zh" else 'lang="en"' in text


def test_the_overall_description_names_three_colours_rightly(entry, stats):
    english = document.overall(entry, stats, "en")
    assert english.startswith(f"From the web. {TRICKY}; ")
    assert english.endswith(
        "R_mean=0.1235 G_mean=0.2000 B_mean=0.3000 R_std=0.1235 G_std=0.2000 B_std=0.3000"
    )
    assert document.overall(entry, stats, "zh").startswith(
        "主要来自网络爬虫; 图片颜色平均值和标准差"
    )


def test_a_subset_without_numbers_has_a_page(words, entry, stats):
    bare = stats.model_copy(update={"numbers": Numbers(images=0)})
    for language in document.LANGUAGES:
        assert document.overall(entry, bare, language) == entry.description.text(language)[:-1]
        read_html(document.html(words, entry, bare, language))
        assert len(read_markdown(document.markdown(words, entry, bare, language))) == 6


@pytest.mark.parametrize("language", document.LANGUAGES)
def test_the_overview_lists_every_subset(stats, language):
    union = SetStats(subsets=1, samples=stats.samples, numbers=stats.numbers, rows=())
    row = [NAME, "full", "10", "9", "1"]
    [heads, body] = read_html(document.index_html([stats], union, language)).tables[0]
    assert [cell[2] for cell in heads][3:] == ["train", "val"]
    assert [cell[2] for cell in body] == row
    table = read_markdown(document.index_markdown([stats], union, language))
    assert table[2] == [f"[{NAME}]({NAME}.{language}.md)", *row[1:]]


def test_pages_are_the_same_each_time(words, entry, stats):
    pages = {document.html(words, entry, stats, "zh") for _ in range(3)}
    assert len(pages) == 1
    assert pages.pop().isprintable() is False, "it has line ends"
