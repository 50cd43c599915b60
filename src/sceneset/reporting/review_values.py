"""What the page of a review shows besides the changes: verdict, findings, rows and provenance."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sceneset.catalog.reader import Catalog
from sceneset.catalog.subset_folder import printable
from sceneset.errors import FindingsError
from sceneset.quality.leakage import LEAKAGE_CODES
from sceneset.reporting.change_values import ChangeValues
from sceneset.reporting.contact_sheet import Translate
from sceneset.reporting.page_words import SEVERITIES, WORDS
from sceneset.reporting.provenance import provenance_facts
from sceneset.reporting.review import Review
from sceneset.reporting.review_pictures import FindingGroup, ReviewPictures, ShownFinding
from sceneset.schemas.base import Localized
from sceneset.schemas.provenance import Provenance
from sceneset.schemas.rules import RULES

_MOST_ROWS = 200
_VERDICTS = {
    True: Localized(en="✓ Ready to merge", zh="✓ 可以合并"),
    False: Localized(en="✗ Not ready to merge", zh="✗ 不能合并"),
}
_ROW_NAMES = (
    Localized(en="subset", zh="子数据集"),
    Localized(en="split file", zh="划分文件"),
    WORDS["scene"],
    Localized(en="persons", zh="人数"),
    Localized(en="phase", zh="阶段"),
    WORDS["before"],
    WORDS["after"],
)
_COUNT = Localized(en="{} of {}", zh="{} / {}")


class Verdict(NamedTuple):
    """Whether a change can be merged."""

    is_good: bool
    text: str


class SubsetProvenance(NamedTuple):
    """A subset that is new or whose provenance changed."""

    name: str
    is_new: bool
    facts: list[tuple[str, str, str]]
    """Name, text before and text after of each field."""


@dataclass
class ReviewValues:
    """Turns a review into values for the template."""

    result: Review
    pictures: ReviewPictures
    subsets: Sequence[SubsetProvenance]
    language: str
    translate: Translate

    @property
    def verdict(self) -> Verdict:
        """Whether the change can be merged."""
        return Verdict(self.result.is_good, _VERDICTS[self.result.is_good].text(self.language))

    @property
    def row_names(self) -> list[str]:
        """The heads of the table of rows."""
        return [name.text(self.language) for name in _ROW_NAMES]

    @property
    def rows(self) -> list[tuple[str, ...]]:
        """The rows of scene tables that changed; of very many, the first ones."""
        changes = self.result.changed_rows
        rows = [
            (*map(printable, row), f"{before:,}", f"{after:,}")
            for row, before, after in changes[:_MOST_ROWS]
        ]
        if len(changes) > _MOST_ROWS:
            rows.append((f"+ {len(changes) - _MOST_ROWS:,}", *[""] * 6))
        return rows

    def findings(self, values: ChangeValues) -> dict[str, Any]:
        """Return the findings by rule."""
        pictures = self.pictures
        return {
            "count": f"{sum(group.total for group in pictures.groups):,}",
            "groups": [self._group(group, values) for group in pictures.groups],
            "known": [
                {"code": code, "meaning": self._meaning(code), "count": f"{count:,}"}
                for code, count in sorted(pictures.known.items())
            ],
            "known_count": f"{pictures.known.total():,}",
        }

    def _meaning(self, code: str) -> str:
        return self.translate(RULES[code].meaning)

    def _group(self, group: FindingGroup, values: ChangeValues) -> dict[str, Any]:
        shown, total = len(group.shown), group.total
        severity = group.shown[0].finding.severity
        text = _COUNT.text(self.language)
        hints = {found.finding.hint for found in group.shown}
        hint = hints.pop() if len(hints) == 1 else ""
        return {
            "code": group.code,
            "severity": str(severity),
            "severity_text": SEVERITIES[severity].text(self.language),
            "meaning": self._meaning(group.code),
            "count": f"{total:,}" if shown == total else text.format(f"{shown:,}", f"{total:,}"),
            "more": total - shown,
            "hint": printable(self.translate(hint)),
            "is_pairs": group.code in LEAKAGE_CODES,
            "cards": [self._card(found, values, hint) for found in group.shown if found.pictures],
            "texts": [self._text(found, hint) for found in group.shown if not found.pictures],
        }

    def _text(self, found: ShownFinding, common: str) -> tuple[str, str, str]:
        """Return place, message and hint of a finding; "" for the hint of all findings."""
        finding = found.finding
        text = self.translate(finding.message)
        hint = "" if finding.hint == common else self.translate(finding.hint)
        if finding.field:
            text = f"{finding.field}: {text}"
        return printable(finding.place), printable(text), printable(hint)

    def _card(self, found: ShownFinding, values: ChangeValues, common: str) -> dict[str, Any]:
        first = found.pictures[0]
        _, text, hint = self._text(found, common)
        kinds = ("first", "second")
        several = len(found.pictures) > 1
        return {
            "name": first.name,
            "old_name": "",
            "facts": [" · ".join(first.facts)] if first.facts else [],
            "iou": "",
            "numbers": [],
            "problems": [picture.problem for picture in found.pictures if picture.problem],
            "texts": [text, *([f"→ {hint}"] if hint else [])],
            "box": "",
            "views": [
                values.view(kind, picture.photo, picture.photo.mask, picture.name)
                if picture.photo
                else values.missing(kind, picture.problem, picture.name if several else " ")
                for kind, picture in zip(kinds, found.pictures, strict=False)
            ],
        }


def subset_provenances(
    base: Catalog, changed: Catalog, result: Review, language: str
) -> list[SubsetProvenance]:
    """Return the provenance of new subsets, and of those where it changed."""
    if result.diff is None:
        return []
    differing = {change.subset for change in result.provenance} & set(changed.names)
    added = set(result.diff.subsets_added)
    found = []
    for name in sorted(differing | added):
        before = {} if name in added else _facts(base, name, language)
        after = _facts(changed, name, language)
        facts = [
            (field, printable(before.get(field, "")), printable(after.get(field, "")))
            for field in dict.fromkeys((*before, *after))
        ]
        found.append(SubsetProvenance(printable(name), name in added, facts))
    return found


def _facts(catalog: Catalog, name: str, language: str) -> dict[str, str]:
    try:
        provenance: Provenance | None = catalog.entry(name).provenance
    except FindingsError:
        return {}
    return dict(provenance_facts(provenance, language))
