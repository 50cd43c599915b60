"""Sections of a data card on what it holds: summary, subsets, licences and consent."""

from collections.abc import Sequence

from sceneset.counts import counted
from sceneset.reporting.cards import subset_values
from sceneset.reporting.data_card import CardSubset, DataCard
from sceneset.reporting.data_card_blocks import (
    Block,
    Facts,
    Heading,
    SceneTable,
    Section,
    Table,
    Text,
    listed,
    words,
)
from sceneset.reporting.data_card_coverage import PERSONS, Coverage
from sceneset.reporting.page_words import WORDS
from sceneset.reporting.provenance import Consented, ProvenanceTotals, provenance_facts
from sceneset.schemas.base import Localized
from sceneset.schemas.provenance import Basis, Restriction
from sceneset.schemas.terms import Phase

_PERSONS = {
    "single": Localized(en="one person", zh="单人"),
    "multi": Localized(en="several persons", zh="多人"),
    "mixed": Localized(en="one or several, by scene", zh="因场景而异"),
    None: WORDS["not_recorded"],
}
_BASES: dict[str, Localized] = {
    "consent": Localized(en="the persons agreed (consent)", zh="本人同意（consent）"),
    "contract": Localized(
        en="a contract with the persons (contract)", zh="与本人的合同（contract）"
    ),
    "licence": Localized(
        en="warranted by the licence or provider (licence)", zh="由许可方或供应方保证（licence）"
    ),
    "legitimate-interest": Localized(
        en="an interest that was weighed (legitimate-interest)",
        zh="经权衡的正当利益（legitimate-interest）",
    ),
    "no-persons": Localized(en="no real person is shown (no-persons)", zh="无真人（no-persons）"),
}
_RESTRICTIONS: dict[str, Localized] = {
    "no-release": Localized(en="not to be released (no-release)", zh="不得发布（no-release）"),
    "internal": Localized(en="for internal use (internal)", zh="仅供内部使用（internal）"),
    "no-export": Localized(en="not to be exported (no-export)", zh="不得导出（no-export）"),
}
_MISSING = WORDS["not_recorded"]
_PHASES = [str(phase) for phase in Phase]


def summary(card: DataCard, language: str) -> Section:
    """Return what the state is, how large it is, and its subsets in one table."""
    state, coverage = card.state, card.coverage
    facts = [
        (words(language, "version", "版本"), state.version),
        (words(language, "released", "发布日期") if state.version else
         words(language, "committed", "提交日期"), state.date),
        (words(language, "commit", "提交"), state.commit),
        (words(language, "previous version", "上一版本"),
         (state.record.previous or "") if state.record else ""),
        (words(language, "samples", "样本"), _samples_text(coverage, language)),
        (words(language, "subsets", "子数据集"), f"{len(card.subsets):,}"),
        (words(language, "scenes", "场景"), f"{len({key for key, _ in coverage.scenes}):,}"),
        (words(language, "persons per image", "每图人数"), _persons_text(coverage, language)),
        (words(language, "size of all files", "文件总大小"), _size_text(card.bytes)),
        (words(language, "masks", "标注"), masks_text(language)),
    ]  # fmt: skip
    blocks: list[Block] = []
    if not state.commit:
        blocks.append(Text(words(
            language,
            "This is the state of a working tree. It is not released, and may not be committed.",
            "这是工作区的状态：尚未发布，可能尚未提交。",
        )))  # fmt: skip
    blocks.append(Facts([(name, text) for name, text in facts if text]))
    if card.subsets:
        blocks.append(_subset_table(card.subsets, language))
    return Section("summary", words(language, "Summary", "概要"), blocks)


def masks_text(language: str) -> str:
    """Return what the values of masks mean."""
    return words(
        language,
        "PNG of 8 bits: 0 is background, 1 is person, 255 is to be ignored",
        "8 位 PNG：0 为背景，1 为人像，255 为忽略",
    )


def _samples_text(coverage: Coverage, language: str) -> str:
    parts = [f"{phase} {coverage.phases[phase]:,}" for phase in _PHASES if coverage.phases[phase]]
    if not parts:
        return "0"
    return words(
        language,
        f"{coverage.samples:,} ({', '.join(parts)})",
        f"{coverage.samples:,}（{'，'.join(parts)}）",
    )


def _persons_text(coverage: Coverage, language: str) -> str:
    parts = [
        f"{_PERSONS[kind].text(language)} {coverage.persons[kind]:,}"
        for kind in PERSONS
        if coverage.persons[kind]
    ]
    return words(language, ", ", "，").join(parts)


def _size_text(size: int) -> str:
    """Return a size in the unit that disks and downloads use: 1 GB is 10^9 bytes."""
    for unit, name in ((1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB")):
        if size >= unit:
            return f"{size / unit:,.1f} {name}"
    return f"{size / 1000:,.1f} kB" if size else ""


def _subset_table(subsets: Sequence[CardSubset], language: str) -> Table:
    head = [
        words(language, "subset", "子数据集"),
        words(language, "kind", "类型"),
        words(language, "samples", "样本"),
        *_PHASES,
        words(language, "licence", "许可"),
        words(language, "origin", "来源"),
    ]
    rows = []
    for entry, stats in subsets:
        given = dict(provenance_facts(entry.provenance, "en"))
        rows.append(
            [
                entry.name,
                str(entry.kind),
                f"{stats.numbers.images:,}",
                *(f"{stats.samples.get(phase, 0):,}" for phase in Phase),
                given.get("licence") or _MISSING.text(language),
                given.get("origin") or _MISSING.text(language),
            ]
        )
    return Table(head, rows, numbers=(2, 3, 4, 5))


def subsets(card: DataCard, language: str) -> Section:
    """Return every subset: what it is, whose data it is, and the document's table."""
    blocks: list[Block] = []
    for entry, stats in card.subsets:
        values = subset_values(card.vocabulary, entry, stats, language)
        blocks += [Heading(entry.name), Text(values["kind"])]
        if values["provenance"]:
            blocks.append(Facts(values["provenance"]))
        else:
            blocks.append(Text(words(
                language, "Whose data it is is not recorded.", "未记录数据归属。"
            )))  # fmt: skip
        blocks.append(SceneTable(values))
    heading = words(language, "Subsets and their scene tables", "子数据集与场景表")
    return Section("subsets", heading, blocks)


def licences(totals: ProvenanceTotals, language: str) -> Section:
    """Return the licences and the consent of samples, and whom to ask."""
    missing, samples = _MISSING.text(language), words(language, "samples", "样本")
    by_licence = [[name or missing, f"{n:,}"] for name, n in sorted(totals.licences.items())]
    ordered = sorted(
        totals.consents.items(),
        key=lambda item: (str(item[0].basis or "~"), str(item[0].until or "")),
    )
    by_consent = [
        [
            _BASES[given.basis].text(language) if given.basis else missing,
            _until_text(given, language),
            f"{count:,}",
        ]
        for given, count in ordered
    ]
    blocks: list[Block] = []
    if by_licence:
        blocks.append(Table([words(language, "licence", "许可"), samples], by_licence, {1}))
    head = [words(language, "consent", "同意依据"), words(language, "until", "有效期至"), samples]
    if by_consent:
        blocks.append(Table(head, by_consent, {2}))
    if totals.restrictions:
        rows = [
            [_RESTRICTIONS[kind].text(language), f"{totals.restrictions[kind]:,}"]
            for kind in Restriction
            if totals.restrictions[kind]
        ]
        blocks.append(Table([words(language, "restriction", "限制"), samples], rows, {1}))
    if totals.contacts:
        blocks.append(Text(contact_text(totals, language)))
    heading = words(language, "Licence and consent", "许可与同意")
    return Section("licence", heading, blocks)


def _until_text(given: Consented, language: str) -> str:
    if given.until or given.basis in {None, Basis.NO_PERSONS}:
        return str(given.until or "")
    return words(language, "no end", "无期限")


def contact_text(totals: ProvenanceTotals, language: str) -> str:
    """Return whom to ask about the images."""
    contacts = words(language, ", ", "，").join(sorted(totals.contacts))
    return words(
        language,
        f"Questions and requests about persons in the images: {contacts}",
        f"关于图中人物的问题与请求：{contacts}",
    )


def left_out_text(card: DataCard, language: str) -> str:
    """Return what the card does not describe; "" if it describes all samples."""
    left_out = card.left_out
    if not left_out.samples:
        return ""
    names = listed(left_out.subsets, language)
    whole = words(language, f", with all of {names}", f"，其中包括 {names} 的全部样本")
    return (
        words(
            language,
            f"{counted(left_out.samples, 'sample')} for internal use "
            f"{'is' if left_out.samples == 1 else 'are'} not described",
            f"不含 {left_out.samples:,} 个仅供内部使用的样本",
        )
        + (whole if left_out.subsets else "")
        + words(language, ".", "。")
    )
