"""Cards: eight columns in the document's order, in both languages and both formats."""

from html import unescape
from html.parser import HTMLParser

import pytest

from sceneset import Registry
from sceneset.catalog.split_selection import in_table_order
from sceneset.reporting.cards import (
    FORMATS,
    LANGUAGES,
    _render,
    index_card,
    overall_description,
    subset_values,
)
from sceneset.schemas.base import Localized
from sceneset.schemas.scene import Vocabulary
from sceneset.schemas.stats import GroupStats, RowStats, SetStats, SubsetStats
from sceneset.schemas.subset import Subset
from support.build import ROOT

NAME = "CustomSeg_Person_20240115_web"
SPECIAL = "a | b < c & d \\ \"e\" 'f' &lt; <script>"
HEADINGS = {
    "zh": ["类别", "图片数量", "整体描述", "细分场景", "标注文件", "图片数量", "检测框数量",
           "细分描述"],
    "en": ["category", "images", "overall description", "scene", "split file", "images", "boxes",
           "description"],
}  # fmt: skip
RGB = (0.123456789, 0.2, 0.3)


def subset_card(
    vocabulary: Vocabulary, entry: Subset, stats: SubsetStats, language: str, form: str
) -> str:
    return _render("subset", form, language, **subset_values(vocabulary, entry, stats, language))


@pytest.fixture
def vocabulary() -> Vocabulary:
    return Registry(ROOT).vocabulary


@pytest.fixture
def entry() -> Subset:
    """A subset whose texts contain characters that are special in Markdown and HTML."""
    rows = [
        {"scene": "total", "file": "total.txt"},
        {"scene": "ski", "persons": "multi", "file": "ski_muiltiperson.txt"},
        {"scene": "ski", "persons": "single", "file": "ski.txt", "description": {"zh": SPECIAL}},
        {"scene": "sea", "persons": "single", "phase": "val", "file": "sea_val.txt"},
    ]
    description = {"en": f"From the web. {SPECIAL}.", "zh": "主要来自网络爬虫。"}
    return Subset.model_validate(
        {
            "name": NAME,
            "kind": "full",
            "description": description,
            "category": "a|b",
            "splits": rows,
        }
    )


def group_stats(images: int, boxes: int | None = None) -> GroupStats:
    colours = ("pooled_mean", "pooled_std", "image_mean", "image_std", "std_of_image_means")
    sizes = {"distinct": 1, "smallest": (4, 3), "largest": (4, 3), "commonest": (4, 3)}
    foreground = {"pooled": 0.25, "image_mean": 0.2, "ignored": 0.0, "without_person": 1}
    return GroupStats.model_validate(
        {
            "images": images,
            "boxes": boxes,
            "colour": dict.fromkeys(colours, RGB),
            "sizes": sizes,
            "foreground": foreground,
        }
    )


@pytest.fixture
def stats(vocabulary: Vocabulary, entry: Subset) -> SubsetStats:
    rows = tuple(
        RowStats(
            scene=row.scene,
            persons=row.persons,
            phase=row.phase,
            file=row.file,
            numbers=group_stats(7 + n, 3 if n else None),
        )
        for n, row in enumerate(in_table_order(vocabulary, entry.splits))
    )
    samples = {"train": 9, "val": 1}
    numbers = group_stats(10)
    return SubsetStats(subset=NAME, kind="full", samples=samples, numbers=numbers, rows=rows)


class Tables(HTMLParser):
    """Collects tables as rows of [tag, attributes, text]; every tag must be closed in order."""

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


def parse_html(text: str) -> Tables:
    parser = Tables()
    parser.feed(text)
    parser.close()
    assert parser.open == []
    return parser


def parse_markdown(text: str) -> list[list[str]]:
    """Return the cells of the first table; a bar after a backslash is text."""
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
        ["ski single-person", "ski.txt", "8", "3", SPECIAL],
        ["ski multi-person", "ski_muiltiperson.txt", "9", "3", "滑雪多人"],
        ["sea single-person (val)", "sea_val.txt", "10", "3", "大海单人（验证）"],
    ],
    "en": [
        ["total", "total.txt", "7", "None", "all training samples of the subset"],
        ["ski single-person", "ski.txt", "8", "3", SPECIAL],
        ["ski multi-person", "ski_muiltiperson.txt", "9", "3", "ski multi-person"],
        ["sea single-person (val)", "sea_val.txt", "10", "3",
         "sea single-person (validation)"],
    ],
}  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_markdown_card_parses_back_to_the_table(language, vocabulary, entry, stats):
    text = subset_card(vocabulary, entry, stats, language, "md")
    headings, rule, *body = parse_markdown(text)
    assert headings == HEADINGS[language]
    assert all(set(cell) <= set("-:") for cell in rule)
    assert [row[:2] for row in body] == [["a|b", "10"]] * 4
    assert [row[3:] for row in body] == ROWS[language]
    assert body[0][2] == overall_description(entry, stats, language)
    assert [row[2] for row in body[1:]] == [""] * 3
    assert text.startswith(f"# {NAME}\n")
    assert text.endswith("*\n")


@pytest.mark.parametrize("language", LANGUAGES)
def test_html_card_parses_back_to_the_table(language, vocabulary, entry, stats):
    text = subset_card(vocabulary, entry, stats, language, "html")
    head, subhead, first, *rest = parse_html(text).tables[0]
    assert [cell[2] for cell in head[:3]] == HEADINGS[language][:3]
    assert [cell[1].get("rowspan") for cell in head] == ["2", "2", "2", None]
    assert head[3][1]["colspan"] == "5"
    assert [cell[2] for cell in subhead] == HEADINGS[language][3:]
    assert [cell[1].get("rowspan") for cell in first] == ["4"] * 3 + [None] * 5
    assert [cell[2] for cell in first[:3]] == [
        "a|b", "10", overall_description(entry, stats, language),
    ]  # fmt: skip
    assert [[cell[2] for cell in row] for row in (first[3:], *rest)] == ROWS[language]
    assert "<script>" not in text
    assert 'lang="zh-CN"' in text if language == "zh" else 'lang="en"' in text


def test_overall_description_names_the_three_channels_correctly(entry, stats):
    english = overall_description(entry, stats, "en")
    assert english.startswith(f"From the web. {SPECIAL}; ")
    assert english.endswith(
        "R_mean=0.1235 G_mean=0.2000 B_mean=0.3000 R_std=0.1235 G_std=0.2000 B_std=0.3000"
    )
    assert overall_description(entry, stats, "zh").startswith(
        "主要来自网络爬虫; 图片颜色平均值和标准差"
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_subset_card_is_complete_when_a_subset_has_no_images(language, vocabulary, entry, stats):
    empty = stats.model_copy(update={"numbers": GroupStats(images=0)})
    assert overall_description(entry, empty, language) == entry.description.text(language)[:-1]
    [table] = parse_html(subset_card(vocabulary, entry, empty, language, "html")).tables
    assert len(table) == 6
    assert len(parse_markdown(subset_card(vocabulary, entry, empty, language, "md"))) == 6


@pytest.mark.parametrize("language", LANGUAGES)
def test_index_card_lists_every_subset(language, stats):
    union = SetStats(subsets=1, samples=stats.samples, numbers=stats.numbers, rows=())
    row = [NAME, "full", "10", "9", "1"]
    [headings, body] = parse_html(index_card([stats], union, language, "html")).tables[0]
    assert [cell[2] for cell in headings][3:] == ["train", "val"]
    assert [cell[2] for cell in body] == row
    table = parse_markdown(index_card([stats], union, language, "md"))
    assert table[2] == [f"[{NAME}]({NAME}.{language}.md)", *row[1:]]


@pytest.mark.parametrize("form", FORMATS)
def test_subset_card_is_deterministic(form, vocabulary, entry, stats):
    cards = {subset_card(vocabulary, entry, stats, "zh", form) for _ in range(3)}
    assert len(cards) == 1
    assert "\n" in cards.pop()


HOSTILE = (
    "![x](http://example.com/x.png) <img src=https://example.com/y.png> [z](http://example.com) "
    "<http://example.com/a> https://example.com/b www.example.com me@example.com `code` **bold**"
)


def test_texts_of_people_become_no_image_link_or_html_in_cards(vocabulary, entry, stats):
    description = {"en": HOSTILE, "zh": HOSTILE}
    splits = [row.model_copy(update={"description": Localized(**description)})
              for row in entry.splits]  # fmt: skip
    update = {"description": Localized(**description), "category": HOSTILE, "splits": splits}
    hostile = entry.model_copy(update=update)
    for language in LANGUAGES:
        markdown = subset_card(vocabulary, hostile, stats, language, "md")
        for markup in ("](", "![", "<img", "<http", "://", "www.", "@", "`code", "**"):
            assert markup not in markdown, markup
        assert any(HOSTILE in cell for row in parse_markdown(markdown) for cell in row)
        html = subset_card(vocabulary, hostile, stats, language, "html")
        tags = Tags()
        tags.feed(html)
        assert not {"img", "a", "script"} & tags.seen
        assert "http://example.com/x.png" in tags.text


class Tags(HTMLParser):
    """Collects the names of all tags, and the text."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag, attrs):
        self.seen.add(tag)

    def handle_data(self, data):
        self.text += data
