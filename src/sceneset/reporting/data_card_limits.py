"""Known limits of a dataset, in sentences: what it does not cover, and what is not recorded."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sceneset.counts import counted
from sceneset.reporting.data_card import DataCard
from sceneset.reporting.data_card_blocks import Items, Section, listed, share, words
from sceneset.reporting.data_card_coverage import Coverage
from sceneset.reporting.provenance import FIELD_NAMES
from sceneset.schemas.provenance import missing_fields
from sceneset.schemas.rules import Severity
from sceneset.schemas.scene import PHASE_WORDS
from sceneset.schemas.stats import GroupStats
from sceneset.schemas.terms import Kind, Phase

FEW = 100
"""Scenes with fewer samples are named."""


@dataclass(frozen=True)
class Limited:
    """What limits are computed from: a state, or the samples of an export."""

    coverage: Coverage
    numbers: GroupStats
    scene_names: Mapping[str, str]
    """Names of the scenes that may be named, by key, in the order of the vocabulary."""
    crops: int = 0
    """Samples of crop subsets."""
    unrecorded: Mapping[str, list[str]] = field(default_factory=dict)
    """Fields of the provenance that subsets do not give, by subset."""


def limits(card: DataCard, language: str) -> Section:
    """Return the known limits of a state."""
    limited = Limited(
        card.coverage,
        card.union.numbers,
        {scene.key: scene.name.text(language) for scene in card.vocabulary.scenes},
        sum(s.stats.numbers.images for s in card.subsets if s.entry.kind is Kind.CROP),
        {
            subset.entry.name: missing
            for subset in card.subsets
            if (missing := missing_fields(subset.entry.provenance))
        },
    )
    texts = [*limit_texts(limited, language), *_finding_texts(card, language)]
    if card.withdrawn:
        texts.append(words(
            language,
            f"{counted(card.withdrawn, 'sample was', 'samples were')} withdrawn. Numbers on "
            "this card count withdrawn samples; pulls and exports leave them out.",
            f"{card.withdrawn:,} 个样本已撤回：本卡片的数字包含它们，拉取和导出时不含。",
        ))  # fmt: skip
    return Section("limits", words(language, "Known limits", "已知局限"), [Items(texts)])


def limit_texts(limited: Limited, language: str) -> list[str]:
    """Return the limits of samples that their tags, scans and entries show."""
    return [
        words(
            language,
            "Masks have one class, person. They do not separate the persons of an image.",
            "标注只有人像一个类别，不区分图中的不同人。",
        ),
        *_phase_texts(limited.coverage, language),
        *_scene_texts(limited, language),
        *_tag_texts(limited, language),
        *_provenance_texts(limited, language),
    ]


def _phase_texts(coverage: Coverage, language: str) -> list[str]:
    empty = [phase for phase in Phase if not coverage.phases[str(phase)]]
    if not empty or not coverage.samples:
        return []
    names = [PHASE_WORDS[phase].text(language) for phase in empty]
    return [
        words(language, f"There are no {' and no '.join(names)} samples.",
              f"没有{'和'.join(names)}样本。")
    ]  # fmt: skip


def _scene_texts(limited: Limited, language: str) -> list[str]:
    names, coverage = limited.scene_names, limited.coverage
    counts = {key: coverage.of_scene(key) for key in names}
    present = {key: of for key, of in counts.items() if any(of.values())}
    held_out = {phase for phase in Phase if phase is not Phase.TRAIN}
    groups = (
        (
            words(language, "Scenes with training samples only, so that no measurement covers them",
                  "只有训练样本、无法评测的场景"),
            [key for key, of in present.items() if not any(of[phase] for phase in held_out)],
        ),
        (
            words(language, "Scenes without training samples", "没有训练样本的场景"),
            [key for key, of in present.items() if not of[Phase.TRAIN]],
        ),
        (
            words(language, f"Scenes with fewer than {FEW} samples", f"样本少于 {FEW} 个的场景"),
            [key for key, of in present.items() if sum(of.values()) < FEW],
        ),
        (
            words(language, "Scenes of the vocabulary without samples", "词表中没有样本的场景"),
            [key for key in names if key not in present],
        ),
    )  # fmt: skip
    colon, stop = words(language, ": ", "："), words(language, ".", "。")
    return [
        f"{what}{colon}{listed([names[key] for key in keys], language)}{stop}"
        for what, keys in groups
        if keys
    ]


def _tag_texts(limited: Limited, language: str) -> list[str]:
    coverage, foreground = limited.coverage, limited.numbers.foreground
    unknown, alone = coverage.persons[None], coverage.without_source
    empty = foreground.without_person if foreground else 0
    ignored = foreground.ignored if foreground else 0
    texts = (
        (limited.crops, words(
            language,
            f"{counted(limited.crops, 'sample is a crop', 'samples are crops')} around one person: "
            "the surroundings are cut off.",
            f"{limited.crops:,} 个样本是单人裁切图，缺少周围环境。",
        )),
        (coverage.without_scene, words(
            language,
            f"{counted(coverage.without_scene, 'sample has', 'samples have')} no scene.",
            f"{coverage.without_scene:,} 个样本没有场景。",
        )),
        (unknown, words(
            language,
            f"The number of persons is not recorded for {counted(unknown, 'sample')}.",
            f"{unknown:,} 个样本未记录人数。",
        )),
        (alone, words(
            language,
            f"{counted(alone, 'sample has', 'samples have')} no source (video, session or original "
            "image). Whether different pictures of one person or place are in several phases is "
            "not known for them.",
            f"{alone:,} 个样本没有来源（视频、拍摄场次或原图），"
            "无法得知同一人物或地点的不同图片是否分属不同阶段。",
        )),
        (empty, words(
            language,
            f"{counted(empty, 'image shows', 'images show')} no person.",
            f"{empty:,} 张图片中没有人。",
        )),
        (ignored, words(
            language,
            f"{share(ignored)} of all pixels are to be ignored (255).",
            f"{share(ignored)} 的像素标为忽略（255）。",
        )),
    )  # fmt: skip
    return [text for number, text in texts if number]


def _provenance_texts(limited: Limited, language: str) -> list[str]:
    by_fields: dict[tuple[str, ...], list[str]] = {}
    for name, missing in limited.unrecorded.items():
        by_fields.setdefault(tuple(missing), []).append(name)
    texts = []
    for fields, names in by_fields.items():
        what = words(language, ", ", "、").join(FIELD_NAMES[one].text(language) for one in fields)
        subsets = listed(names, language)
        texts.append(
            words(language, f"Not recorded ({what}): {subsets}.", f"未记录（{what}）：{subsets}。")
        )
    return texts


def _finding_texts(card: DataCard, language: str) -> list[str]:
    errors, warnings = (card.findings(s) for s in (Severity.ERROR, Severity.WARNING))
    texts = []
    if errors or warnings:
        counts = f"{counted(errors, 'error')} and {counted(warnings, 'warning')}"
        texts.append(words(
            language,
            f"The rules report {counts}; see Rules.",
            f"规则检查报告 {errors:,} 个错误和 {warnings:,} 个警告，见“规则”。",
        ))  # fmt: skip
    if card.waived:
        texts.append(words(
            language,
            f"{counted(card.waived, 'finding is', 'findings are')} accepted with a reason; "
            "see Rules.",
            f"{card.waived:,} 个问题已说明理由并接受，见“规则”。",
        ))  # fmt: skip
    if not card.is_compared:
        texts.append(words(
            language,
            "Training and held-out images were not compared.",
            "训练图片与留出集图片未作比较。",
        ))  # fmt: skip
    return texts
