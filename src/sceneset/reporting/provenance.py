"""Provenance in words: for cards, `sceneset show`, reviews and releases."""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sceneset.catalog.provenance import differing_samples
from sceneset.catalog.reader import Catalog
from sceneset.counts import counted
from sceneset.schemas.base import Localized
from sceneset.schemas.provenance import (
    Basis,
    Origin,
    Provenance,
    ProvenanceException,
    Restriction,
)
from sceneset.schemas.tag import Tag

FIELD_NAMES = {
    "licence": Localized(en="licence", zh="许可"),
    "origin": Localized(en="origin", zh="来源"),
    "consent": Localized(en="consent", zh="同意依据"),
    "contact": Localized(en="contact", zh="联系方式"),
    "restrictions": Localized(en="restrictions", zh="限制"),
    "exceptions": Localized(en="exceptions", zh="例外"),
}
HEADING = Localized(en="Provenance", zh="数据归属")


class Consented(NamedTuple):
    """Why samples may be used, and until when; None is not recorded, or no end."""

    basis: Basis | None
    until: dt.date | None


@dataclass
class ProvenanceTotals:
    """The provenance of samples of any subsets, counted."""

    licences: Counter[str] = field(default_factory=Counter)
    """Number of samples of each licence; "" counts those without."""
    consents: Counter[Consented] = field(default_factory=Counter)
    restrictions: Counter[Restriction] = field(default_factory=Counter)
    """Number of samples under each restriction; a sample can have several."""
    contacts: set[str] = field(default_factory=set)

    def add(self, provenance: Provenance | None, tags: Sequence[Tag]) -> None:
        """Add samples of one subset."""
        own = differing_samples(provenance, tags)
        self._add(provenance, len(tags) - len(own))
        for part in own.values():
            self._add(part, 1)

    def _add(self, given: Provenance | None, count: int) -> None:
        if not count:
            return
        consent = given.consent if given else None
        self.licences[(given.licence if given else None) or ""] += count
        self.consents[
            Consented(consent.basis, consent.until) if consent else Consented(None, None)
        ] += count
        for restriction in given.restrictions if given else ():
            self.restrictions[restriction] += count
        if given and given.contact:
            self.contacts.add(given.contact)


def provenance_facts(provenance: Provenance | None, language: str) -> list[tuple[str, str]]:
    """Return the name and the text of each given field, in "en" or "zh"."""
    if provenance is None:
        return []
    values = _texts(provenance, language)
    values["exceptions"] = "; ".join(
        _exception_text(exception, language) for exception in provenance.exceptions
    )
    return [(FIELD_NAMES[name].text(language), text) for name, text in values.items() if text]


def provenance_line(provenance: Provenance | None) -> str:
    """Return a provenance in one line, in English; "" without one."""
    return "; ".join(f"{name}: {text}" for name, text in provenance_facts(provenance, "en"))


class ProvenanceChange(NamedTuple):
    """A subset whose provenance differs between two states, in words; "" without one."""

    subset: str
    before: str
    after: str


def provenance_changes(base: Catalog, changed: Catalog) -> list[ProvenanceChange]:
    """Return the subsets whose provenance differs between two states.

    Raises:
        FindingsError: An entry can't be read.
    """

    def given(catalog: Catalog, name: str) -> Provenance | None:
        return catalog.entry(name).provenance if name in catalog.names else None

    changes = []
    for name in sorted({*base.names, *changed.names}):
        before, after = given(base, name), given(changed, name)
        if before != after:
            lines = provenance_line(before), provenance_line(after)
            changes.append(ProvenanceChange(name, *lines))
    return changes


def _texts(given: Provenance | ProvenanceException, language: str) -> dict[str, str]:
    consent = given.consent
    until = f"{'至' if language == 'zh' else 'until'} {consent.until}" if consent else ""
    return {
        "licence": given.licence or "",
        "origin": _origin_text(given.origin) if given.origin else "",
        "consent": _joined(consent.basis, until if consent.until else "", consent.document)
        if consent
        else "",
        "contact": given.contact or "",
        "restrictions": ", ".join(given.restrictions or ()),
    }


def _origin_text(origin: Origin) -> str:
    return _joined(origin.kind, origin.name, origin.url, _days(origin.start, origin.end))


def _days(start: dt.date | None, end: dt.date | None) -> str:
    return str(start or end or "") if start == end or not (start and end) else f"{start}/{end}"


def _joined(*parts: str) -> str:
    return ", ".join(filter(None, parts))


def _exception_text(exception: ProvenanceException, language: str) -> str:
    """Return how many names an exception has, and what differs. The entry lists the names."""
    samples, sources = len(exception.samples), len(exception.sources)
    if language == "zh":
        parts = [f"{samples} 个样本" * bool(samples), f"{sources} 个来源名" * bool(sources)]
    else:
        parts = [counted(samples, "sample") * bool(samples)]
        parts.append(counted(sources, "source") * bool(sources))
    whom = _joined(*parts)
    texts = _texts(exception, language)
    if exception.restrictions == ():
        texts["restrictions"] = "无" if language == "zh" else "none"
    changes = ", ".join(f"{FIELD_NAMES[name].text(language)} {t}" for name, t in texts.items() if t)
    return f"{whom} ({changes})"
