"""Sections of a data card on its state: rules, leakage, changes."""

from collections.abc import Callable

from sceneset.counts import counted
from sceneset.quality.leakage import LEAKAGE_CODES
from sceneset.reporting.data_card import DataCard
from sceneset.reporting.data_card_blocks import (
    Block,
    Code,
    Facts,
    Heading,
    Section,
    Table,
    Text,
    listed,
    words,
)
from sceneset.reporting.data_card_origin import CardChanges
from sceneset.reporting.page_words import SEVERITIES
from sceneset.schemas.base import Localized
from sceneset.schemas.rules import RULES, Severity
from sceneset.schemas.terms import Phase

Translate = Callable[[str], str]
"""Translates the meaning of a rule."""

_CHANGES = {
    "added": Localized(en="samples added", zh="新增样本"),
    "removed": Localized(en="samples removed", zh="移除样本"),
    "moved": Localized(en="samples moved", zh="移动样本"),
    "renamed": Localized(en="samples renamed", zh="改名样本"),
    "mask": Localized(en="samples with another mask", zh="标注有变的样本"),
    "scenes": Localized(en="samples with other scenes", zh="场景有变的样本"),
    "metadata": Localized(en="samples with other metadata", zh="元数据有变的样本"),
    "image": Localized(en="samples with another image", zh="图片有变的样本"),
}


def rules(card: DataCard, language: str, translate: Translate) -> Section:
    """Return how many findings each rule has, and which of them people accept, with the reason."""
    counts = [(severity, card.findings(severity)) for severity in Severity]
    if language == "zh":
        parts = [f"{count:,} 个{SEVERITIES[severity].zh}" for severity, count in counts]
        text = f"{'，'.join(parts)}；已接受 {card.waived:,} 个。"
    else:
        parts = [counted(count, SEVERITIES[severity].en) for severity, count in counts]
        accepted = counted(card.waived, "finding is accepted", "findings are accepted")
        text = f"{', '.join(parts)}; {accepted}."
    blocks: list[Block] = [Text(text)]
    if card.rules:
        head = [
            words(language, "rule", "规则"), words(language, "severity", "级别"),
            words(language, "what is wrong", "问题"), words(language, "findings", "数量"),
            words(language, "accepted", "已接受"),
        ]  # fmt: skip
        rows = [
            [
                Code(rule.code),
                SEVERITIES[rule.severity].text(language),
                translate(RULES[rule.code].meaning),
                f"{rule.number:,}",
                f"{rule.waived:,}",
            ]
            for rule in card.rules
        ]
        blocks.append(Table(head, rows, (3, 4)))
    if card.accepted:
        head = [
            words(language, "rule", "规则"), words(language, "subset", "子数据集"),
            words(language, "accepted", "已接受"), words(language, "reason", "理由"),
        ]  # fmt: skip
        accepted_rows = [
            [Code(one.code), one.subset, f"{one.number:,}", one.reason] for one in card.accepted
        ]
        blocks += [
            Heading(words(language, "Accepted findings", "已接受的问题")),
            Table(head, accepted_rows, (2,)),
        ]
    return Section("rules", words(language, "Rules", "规则"), blocks)


def leakage(card: DataCard, language: str, translate: Translate) -> Section:
    """Return what was compared between training and held-out images, and what was found."""
    heading = words(language, "Leakage", "数据泄漏")
    train = card.coverage.phases[str(Phase.TRAIN)]
    held_out = card.samples - train
    if not card.is_compared:
        text = words(
            language,
            "Training and held-out images were not compared, because the rules report errors.",
            "由于规则检查报告错误，训练图片与留出集图片未作比较。",
        )
        return Section("leakage", heading, [Text(text)])
    compared = words(
        language,
        f"Compared: {counted(held_out, 'held-out image')} (val, test) with "
        f"{counted(train, 'training image')}, by their files, by their pixels, by perceptual "
        "hashes, also turned and mirrored, and by the sources in the tags. Different pictures of "
        "one person or place are only found if they have one source.",
        f"已将 {held_out:,} 张留出集图片（val、test）与 {train:,} 张训练图片作比较：文件、像素、"
        "感知哈希（含旋转与镜像）以及标签中的来源。同一人物或地点的不同图片，只有来源相同才能发现。",
    )
    found = [rule for rule in card.rules if rule.code in LEAKAGE_CODES]
    blocks: list[Block] = [Text(compared)]
    leaks = sum(rule.number for rule in found if rule.severity is Severity.ERROR)
    if not leaks:
        no_leaks = words(
            language,
            "No training image is related to a held-out image.",
            "没有训练图片与留出集图片相关。",
        )
        blocks.append(Text(no_leaks if train and held_out else words(
            language,
            "There is nothing to compare: one of the two is empty.",
            "其中一方为空，无可比较。",
        )))  # fmt: skip
    if found:
        head = [
            words(language, "rule", "规则"), words(language, "what was found", "发现"),
            words(language, "findings", "数量"), words(language, "accepted", "已接受"),
        ]  # fmt: skip
        rows = [
            [Code(r.code), translate(RULES[r.code].meaning), f"{r.number:,}", f"{r.waived:,}"]
            for r in found
        ]
        blocks.append(Table(head, rows, (2, 3)))
    return Section("leakage", heading, blocks)


def changes(card: DataCard, language: str) -> Section | None:
    """Return what changed since the version before; None if no version is known."""
    found = card.changes
    if found is None:
        return None
    record = card.state.record
    heading = words(language, "What changed", "变更")
    blocks: list[Block] = []
    if not found.since:
        blocks.append(Text(words(
            language, "This is the first version.", "这是第一个版本。"
        )))  # fmt: skip
    else:
        heading = words(language, f"What changed since {found.since}", f"自 {found.since} 的变更")
        blocks += _change_blocks(found, language)
    if record and record.notes:
        blocks.append(Heading(words(language, "Release notes", "发布说明")))
        blocks += [Text(line) for line in record.notes.splitlines() if line.strip()]
    return Section("changes", heading, blocks)


def _change_blocks(found: CardChanges, language: str) -> list[Block]:
    if found.samples is None:
        return [Text(words(
            language,
            f"The state could not be compared with version {found.since}, which can't be read.",
            f"无法读取版本 {found.since}，未作比较。",
        ))]  # fmt: skip
    facts = [
        (_CHANGES[kind].text(language) if kind in _CHANGES else kind, f"{count:,}")
        for kind, count in found.samples.items()
        if count
    ]
    facts += [
        (name, listed(names, language))
        for name, names in (
            (words(language, "subsets added", "新增子数据集"), found.subsets_added),
            (words(language, "subsets removed", "移除子数据集"), found.subsets_removed),
            (words(language, "scenes added", "新增场景"), found.scenes_added),
            (words(language, "scenes removed", "移除场景"), found.scenes_removed),
        )
        if names
    ]
    if not facts:
        return [Text(words(language, "No sample changed.", "样本没有变化。"))]
    return [Facts(facts)]
