"""The page of all errors and warnings, by rule, with the samples that they are about."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sceneset.schemas.finding import Finding, Severity
from sceneset.schemas.rules import RULES
from sceneset.site.attention import RuleCount, rule_counts
from sceneset.site.finding_places import FindingPlaces
from sceneset.site.leak_pairs import LeakPair
from sceneset.site.model import SiteModel
from sceneset.site.pages_overview import state_options
from sceneset.site.render import Page

MOST_PLACES = 200
"""Places of a rule that are listed."""


class PlaceView(NamedTuple):
    """Where a finding is, and what it says."""

    name: str
    href: str
    """"" if no page shows it."""
    message: str
    hint: str
    """"" if the place before has the same hint."""
    reason: str
    """Of the waiver."""


@dataclass
class RuleView:
    """A rule with its findings."""

    code: str
    severity: Severity
    meaning: str
    help: str
    count: int
    places: list[PlaceView]
    more: int
    """Number of findings that are not listed."""
    hidden: int
    """Number of findings on samples that are not shown; they are not listed either."""
    has_samples: bool
    """Whether the grid of all samples can show it."""
    command: str
    waived: list[PlaceView]
    waived_count: int
    pairs: list[LeakPair] = field(default_factory=list)


class SubsetFindings(NamedTuple):
    """The findings of a subset; those of the whole registry have the name ""."""

    name: str
    errors: int
    warnings: int
    rules: list[RuleCount]


def findings_page(page: Page) -> str:
    """Return the page of all findings."""
    model = page.model
    rules = _rules(page)
    severities = Counter(found.severity for found in model.findings if not found.waived)
    return page.render(
        "findings.html.jinja",
        title=page.text("findings"),
        rules=rules,
        subsets=_subsets(model),
        errors=severities[Severity.ERROR],
        warnings=severities[Severity.WARNING],
        waived=sum(rule.waived_count for rule in rules),
        known_subsets={subset.name for subset in model.subsets},
        command=f"sceneset check --all{state_options(model)}",
    )


def _rules(page: Page) -> list[RuleView]:
    """Return all rules with findings, those that are not waived first."""
    model = page.model
    by_rule: dict[tuple[str, Severity], list[Finding]] = {}
    waived: dict[str, list[Finding]] = {}
    for found in model.findings:
        if found.waived:
            waived.setdefault(found.code, []).append(found)
        else:
            by_rule.setdefault((found.code, found.severity), []).append(found)
    pairs: dict[str, list[LeakPair]] = {}
    for pair in model.pairs:
        pairs.setdefault(pair.finding.code, []).append(pair)
    views = []
    for rule in rule_counts(model.findings):
        accepted = waived.pop(rule.code, [])
        view = _view(page, rule.code, rule.severity, by_rule[rule.code, rule.severity], accepted)
        view.pairs = pairs.pop(rule.code, [])
        views.append(view)
    views += [_view(page, code, some[0].severity, [], some) for code, some in waived.items()]
    return views


def _view(
    page: Page, code: str, severity: Severity, found: Sequence[Finding], waived: Sequence[Finding]
) -> RuleView:
    places = page.model.places
    assert places, "the model is complete when pages are made"
    listed = [one for one in found if not places.is_hidden(one)]
    accepted = [one for one in waived if not places.is_hidden(one)]
    rule = RULES[code]
    return RuleView(
        code,
        severity,
        page.message(rule.meaning),
        page.message(rule.help),
        len(found),
        _places(page, places, listed[:MOST_PLACES]),
        max(0, len(listed) - MOST_PLACES),
        len(found) - len(listed),
        any(places.sample_of(one) for one in listed),
        f"sceneset check --rule {code} --all{state_options(page.model)}",
        _places(page, places, accepted[:MOST_PLACES]),
        len(waived),
    )


def _places(page: Page, places: FindingPlaces, findings: Sequence[Finding]) -> list[PlaceView]:
    views, last = [], ""
    for found in findings:
        sample = places.sample_of(found)
        href, name = "", ""
        if sample:
            href = page.link(f"subsets/{sample.subset}.html", page.sample_fragment(str(sample)))
            name = str(sample)
        elif found.stem:
            name = "/".join(filter(None, (found.subset, str(found.phase), found.stem)))
        else:
            name = found.place or found.subset
        hint = "" if found.hint == last else page.message(found.hint)
        last = found.hint
        text = page.message(found.message)
        message = f"{found.field}: {text}" if found.field else text
        views.append(PlaceView(name, href, message, hint, found.waived))
    return views


def _subsets(model: SiteModel) -> list[SubsetFindings]:
    """Return the subsets with findings that are not waived, by name."""
    by_subset: dict[str, list[Finding]] = {}
    for found in model.findings:
        if not found.waived:
            by_subset.setdefault(found.subset, []).append(found)
    views = []
    for name, findings in sorted(by_subset.items()):
        severities = Counter(found.severity for found in findings)
        views.append(
            SubsetFindings(
                name,
                severities[Severity.ERROR],
                severities[Severity.WARNING],
                rule_counts(findings),
            )
        )
    return views
