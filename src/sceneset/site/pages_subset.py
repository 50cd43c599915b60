"""The page of a subset: its scene table, statistics, provenance and samples."""

from functools import partial
from typing import Any

from sceneset.reporting.cards import label, subset_values
from sceneset.reporting.provenance import provenance_facts
from sceneset.site.facts_view import facts_view
from sceneset.site.grid import grid_of
from sceneset.site.model import SubsetModel
from sceneset.site.render import Page


def subset_page(page: Page, subset: SubsetModel) -> str:
    """Return the page of a subset."""
    model, language = page.model, page.language
    found = [f for f in model.findings if f.subset == subset.name and not f.waived]
    return page.render(
        "subset_page.html.jinja",
        title=subset.name,
        subset=subset,
        table=_table(page, subset),
        card_label=partial(label, language=language),
        provenance=provenance_facts(subset.entry.provenance, language),
        facts=facts_view(subset.facts.whole, page),
        findings=found,
        grid=grid_of(model, language, [subset]),
    )


def _table(page: Page, subset: SubsetModel) -> dict[str, Any] | None:
    """Return the values of the scene table of the document."""
    if subset.stats is None:
        return None
    vocabulary = page.model.catalog.vocabulary
    return subset_values(vocabulary, subset.entry, subset.stats, page.language)
