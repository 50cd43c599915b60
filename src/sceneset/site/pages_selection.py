"""The page of a selection of params.yaml: its rule, its counts and exactly its members."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sceneset.schemas.selection import Exclusion, NamedSelection
from sceneset.schemas.terms import Phase
from sceneset.site.grid import grid_of
from sceneset.site.pages_overview import Command, state_options
from sceneset.site.render import Page
from sceneset.site.selections import SelectionModel


class Fact(NamedTuple):
    """A part of the rule."""

    name: str
    value: str


class SubsetCounts(NamedTuple):
    """The members in a subset."""

    name: str
    counts: list[int]
    """Of each phase."""


def selection_page(page: Page, selection: SelectionModel) -> str:
    """Return the page of a selection."""
    model = page.model
    shown = [subset for subset in model.subsets if subset.name in selection.members]
    versions = [
        (record.version, record.selections[selection.name])
        for record in reversed(model.versions)
        if selection.name in record.selections
    ]
    return page.render(
        "selection.html.jinja",
        title=selection.name,
        selection=selection,
        hidden=selection.samples - selection.shown,
        problem=page.message(selection.problem),
        rule=list(_rule(page, selection.rule)),
        rows=[
            SubsetCounts(name, [selection.counts[name, phase] for phase in Phase])
            for name in selection.subsets
        ],
        totals=list(selection.phases().values()),
        versions=versions,
        commands=list(_commands(page)),
        known_subsets={subset.name for subset in model.subsets},
        phases=[*Phase],
        grid=grid_of(
            model,
            page.language,
            shown,
            selection=selection.name,
            members=selection.members,
        )
        if shown
        else None,
    )


def _rule(page: Page, rule: NamedSelection) -> Iterator[Fact]:
    """Yield the fields of a selection that narrow it."""
    text = page.text
    if rule.scenes:
        yield Fact(text("scenes"), _scenes(page, rule.scenes))
    if rule.counted_persons:
        yield Fact(text("persons"), text(rule.counted_persons))
    if rule.phase:
        yield Fact(text("phase"), ", ".join(text(phase) for phase in rule.phase))
    if rule.subsets:
        yield Fact(text("subsets"), ", ".join(rule.subsets))
    yield from _exclusion(page, rule.exclude)
    if rule.cap is not None:
        yield Fact(text("selection_cap"), f"{rule.cap:,}")
        yield Fact(text("selection_seed"), str(rule.seed))
    if rule.weight != 1:
        yield Fact(text("selection_weight"), f"{rule.weight:g}")


def _exclusion(page: Page, exclude: Exclusion) -> Iterator[Fact]:
    values = {
        "scenes": _scenes(page, exclude.scenes),
        "subsets": ", ".join(exclude.subsets),
        "stems": ", ".join(exclude.stems),
        "sources": ", ".join(exclude.sources),
        "persons": page.text(exclude.persons) if exclude.persons else "",
        "rules": ", ".join(exclude.rules),
    }
    for name, value in values.items():
        if value:
            yield Fact(page.text(f"without_{name}"), value)


def _scenes(page: Page, names: Sequence[str]) -> str:
    """Return the names of scenes in the page's language; those that do not exist as they are."""
    vocabulary = page.model.catalog.vocabulary
    keys = [(name, vocabulary.find(name)) for name in names]
    by_key = vocabulary.by_key
    shown = [page.localized(by_key[key].name) if key in by_key else name for name, key in keys]
    return ", ".join(shown)


def _commands(page: Page) -> Iterator[Command]:
    state = state_options(page.model)
    yield Command(page.text("command_selections"), f"sceneset selections{state}")
