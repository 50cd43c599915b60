"""Cards: the document's table of each subset and an overview, as Markdown and HTML.

The table has the eight columns and the row order of the original document, in Chinese and English.
The layout is in templates/; this module computes what it shows.
"""

from collections.abc import Iterator, Sequence
from functools import cache, partial
from typing import TYPE_CHECKING, Any, NamedTuple

from sceneset.catalog.reader import Catalog
from sceneset.reporting.markdown import escape_cell
from sceneset.reporting.page import template_environment
from sceneset.reporting.page_words import WORDS, shared_words
from sceneset.reporting.provenance import HEADING, provenance_facts
from sceneset.schemas.base import Localized
from sceneset.schemas.scene import Vocabulary
from sceneset.schemas.stats import GroupStats, Rgb, SetStats, SubsetStats
from sceneset.schemas.subset import Subset
from sceneset.schemas.terms import Kind
from sceneset.storage.yaml_files import load

if TYPE_CHECKING:
    from jinja2 import Environment

LANGUAGES = ("zh", "en")
FORMATS = ("md", "html")

_HEADINGS = (
    Localized(en="category", zh="类别"),
    Localized(en="images", zh="图片数量"),
    Localized(en="overall description", zh="整体描述"),
    Localized(en="scene", zh="细分场景"),
    Localized(en="split file", zh="标注文件"),
    Localized(en="images", zh="图片数量"),
    Localized(en="boxes", zh="检测框数量"),
    Localized(en="description", zh="细分描述"),
)
_KINDS = {
    Kind.FULL: Localized(
        en="full: annotated on the original image; scenes are split into single and multi-person",
        zh="full：直接在原图上标注，区分单人和多人",
    ),
    Kind.CROP: Localized(
        en="crop: one person per image, cropped around a detection box",
        zh="crop：由检测框外扩裁出的单人图像",
    ),
}
_LABELS = {
    **shared_words("samples", "sizes"),
    "foreground": WORDS["person_share"],
    "title": Localized(en="Person segmentation dataset", zh="人像语义分割数据集"),
    "split": Localized(en="split", zh="划分(split)"),
    "subset": Localized(en="subset", zh="子数据集"),
    "kind": Localized(en="kind", zh="类型"),
    "colour": Localized(en="Colour statistics (scale 0 to 1)", zh="颜色统计（0 到 1）"),
    "pooled_mean": Localized(
        en="mean over all pixels (for training configs)", zh="全部像素均值（用于训练配置）"
    ),
    "pooled_std": Localized(
        en="standard deviation over all pixels (for training configs)",
        zh="全部像素标准差（用于训练配置）",
    ),
    "image_mean": Localized(en="mean of image means", zh="各图均值的均值"),
    "image_std": Localized(en="mean of image standard deviations", zh="各图标准差的均值"),
    "std_of_image_means": Localized(en="standard deviation of image means", zh="各图均值的标准差"),
    "generated": Localized(
        en="Generated from tags and scans. Do not edit this page.",
        zh="本页由注册表根据标签和扫描结果生成，请勿手工修改。",
    ),
}


class CardRow(NamedTuple):
    """The last five columns of a row: one split file."""

    split: str
    file: str
    images: int
    boxes: int | None
    description: str


class _Group(NamedTuple):
    """The statistics of a subset or the whole dataset, as text."""

    colours: list[tuple[str, list[str]]]
    """Name and R, G, B values of each colour statistic."""
    facts: list[tuple[str, str]]
    """Name and text of the other statistics."""


def read_statistics(catalog: Catalog) -> tuple[list[SubsetStats], SetStats]:
    """Return the statistics of all subsets and of their union from registry/stats.

    Raises:
        FindingsError: A file can't be read.
    """
    paths = catalog.paths

    def read_stats(name: str) -> SubsetStats:
        path = paths.stats / f"{name}.yaml"
        return load(path, SubsetStats, paths.relative(path))

    path = paths.stats / "dataset.yaml"
    return list(catalog.each(read_stats)), load(path, SetStats, paths.relative(path))


def card_texts(
    catalog: Catalog, subsets: Sequence[SubsetStats], union: SetStats
) -> Iterator[tuple[str, str]]:
    """Yield the name and text of each file of registry/cards, from entries and statistics."""
    for language in LANGUAGES:
        values = [
            subset_values(catalog.vocabulary, catalog.entry(stats.subset), stats, language)
            for stats in subsets
        ]
        for form in FORMATS:
            for stats, shown in zip(subsets, values, strict=True):
                card = _render("subset", form, language, **shown)
                yield f"{stats.subset}.{language}.{form}", card
            yield f"index.{language}.{form}", index_card(subsets, union, language, form)


def subset_values(
    vocabulary: Vocabulary, entry: Subset, stats: SubsetStats, language: str
) -> dict[str, Any]:
    """Return what the card of a subset shows, in any format."""
    return {
        "title": entry.name,
        "kind": _KINDS[entry.kind].text(language),
        "headings": [heading.text(language) for heading in _HEADINGS],
        "category": entry.category,
        "images": stats.numbers.images,
        "overall": overall_description(entry, stats, language),
        "rows": card_rows(vocabulary, entry, stats, language),
        "group": group_values(stats.numbers, language),
        "provenance_heading": HEADING.text(language),
        "provenance": provenance_facts(entry.provenance, language),
    }


def index_card(subsets: Sequence[SubsetStats], union: SetStats, language: str, form: str) -> str:
    """Return the overview of all subsets in one of LANGUAGES and one of FORMATS."""
    phases = list(union.samples)
    return _render(
        "index",
        form,
        language,
        title=label("title", language),
        phases=phases,
        subsets=[
            {
                "name": stats.subset,
                "kind": stats.kind,
                "counts": [
                    stats.numbers.images,
                    *(stats.samples.get(phase, 0) for phase in phases),
                ],
            }
            for stats in subsets
        ],
        group=group_values(union.numbers, language),
    )


def card_rows(
    vocabulary: Vocabulary, entry: Subset, stats: SubsetStats, language: str
) -> list[CardRow]:
    """Return the rows of a subset's table in the order of its statistics."""
    descriptions = {row.file: row.description for row in entry.splits}
    return [
        CardRow(
            split=vocabulary.split_name(row.scene, row.persons, row.phase),
            file=row.file or "",
            images=row.numbers.images,
            boxes=row.numbers.boxes,
            description=descriptions[row.file or ""].text(language)
            or vocabulary.describe(row.scene, row.persons, row.phase).text(language),
        )
        for row in stats.rows
    ]


def overall_description(entry: Subset, stats: SubsetStats, language: str) -> str:
    """Return the entry's description, followed by the colour statistics of the subset."""
    parts = [entry.description.text(language).rstrip(".。")]
    colour = stats.numbers.colour
    if colour:
        values = f"{_channels('mean', colour.pooled_mean)} {_channels('std', colour.pooled_std)}"
        parts.append(
            f"图片颜色平均值和标准差（全部像素）： {values}"
            if language == "zh"
            else f"colour mean and standard deviation over all pixels: {values}"
        )
    return "; ".join(part for part in parts if part)


def _channels(name: str, values: Rgb) -> str:
    return " ".join(
        f"{channel}_{name}={value:.4f}" for channel, value in zip("RGB", values, strict=True)
    )


def label(name: str, language: str) -> str:
    """Return a fixed text of cards in a language."""
    return _LABELS[name].text(language)


def group_values(numbers: GroupStats, language: str) -> _Group:
    """Return the statistics of a subset or the whole dataset, as text."""
    colours = numbers.colour.model_dump() if numbers.colour else {}
    return _Group(
        colours=[
            (label(name, language), [f"{value:.6f}" for value in values])
            for name, values in colours.items()
        ],
        facts=_facts(numbers, language),
    )


def _facts(numbers: GroupStats, language: str) -> list[tuple[str, str]]:
    """Return image sizes and the share of person pixels, each with its label."""
    if not (numbers.sizes and numbers.foreground):
        return []
    sizes, foreground = numbers.sizes, numbers.foreground
    smallest, largest, commonest = (
        f"{width} x {height}" for width, height in (sizes.smallest, sizes.largest, sizes.commonest)
    )
    pooled, image_mean = (
        f"{100 * share:.2f} %" for share in (foreground.pooled, foreground.image_mean)
    )
    if language == "zh":
        size = f"{smallest} 至 {largest}，最常见 {commonest}，共 {sizes.distinct} 种"
        share = f"{pooled}；各图平均 {image_mean}；无人图片 {foreground.without_person}"
    else:
        size = f"{smallest} to {largest}, most common {commonest}, distinct sizes: {sizes.distinct}"
        share = (
            f"{pooled}; mean of the images {image_mean}; images without a person: "
            f"{foreground.without_person}"
        )
    return [(label("sizes", language), size), (label("foreground", language), share)]


def _render(page: str, form: str, language: str, **values: Any) -> str:
    template = _environment().get_template(f"{page}.{form}.jinja")
    return template.render(language=language, label=partial(label, language=language), **values)


@cache
def _environment() -> "Environment":
    environment = template_environment(
        "sceneset.reporting", is_html=False, keep_trailing_newline=True
    )
    environment.filters["cell"] = escape_cell
    return environment
