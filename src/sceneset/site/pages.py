"""All pages of the catalogue, with the files that they share."""

from collections.abc import Iterator

from sceneset.reporting.page import resource
from sceneset.site.grid import grid_of
from sceneset.site.model import LANGUAGES, SiteModel
from sceneset.site.pages_evaluation import evaluation_page_of
from sceneset.site.pages_findings import findings_page
from sceneset.site.pages_overview import overview_page
from sceneset.site.pages_scene import scene_page
from sceneset.site.pages_selection import selection_page
from sceneset.site.pages_subset import subset_page
from sceneset.site.pages_version import version_page
from sceneset.site.render import Page, asset, site_environment, style


def pages_of(model: SiteModel) -> Iterator[tuple[str, str]]:
    """Yield the path below the catalogue's folder and the text of each file."""
    yield "assets/site.css", style()
    for name in ("site.js", "start.js", "grid.js", "lightbox.js"):
        yield f"assets/{name}", asset(name)
    if model.diffs:
        for name in ("diff.css", "diff.js"):
            yield f"assets/{name}", resource(name)
    yield "index.html", site_environment().get_template("start.html.jinja").render(model=model)
    for language in LANGUAGES:
        for path, text in _pages(model, language):
            yield f"{language}/{path}", text


def _pages(model: SiteModel, language: str) -> Iterator[tuple[str, str]]:
    """Yield the pages in one language."""

    def page(path: str) -> Page:
        return Page(model, path, language)

    yield "index.html", overview_page(page("index.html"))
    yield "samples.html", samples_page(page("samples.html"))
    yield "findings.html", findings_page(page("findings.html"))
    for number, record in enumerate(model.versions):
        path = f"versions/{record.version}.html"
        yield path, version_page(page(path), number)
    for selection in model.selections:
        path = f"selections/{selection.name}.html"
        yield path, selection_page(page(path), selection)
    for run in model.evaluations:
        yield run.path, evaluation_page_of(page(run.path), run)
    for subset in model.subsets:
        path = f"subsets/{subset.name}.html"
        yield path, subset_page(page(path), subset)
    for scene in model.catalog.vocabulary.scenes:
        path = f"scenes/{scene.key}.html"
        yield path, scene_page(page(path), scene)


def samples_page(page: Page) -> str:
    """Return the page of all samples."""
    grid = grid_of(page.model, page.language, page.model.subsets)
    return page.render("samples.html.jinja", title=page.text("samples"), grid=grid)
