"""All pages of the catalogue, with the files that they share."""

from collections.abc import Iterator

from sceneset.site.grid import grid_of
from sceneset.site.model import LANGUAGES, SiteModel
from sceneset.site.pages_scene import scene_page
from sceneset.site.pages_subset import subset_page
from sceneset.site.render import Page, asset, site_environment, style


def pages_of(model: SiteModel) -> Iterator[tuple[str, str]]:
    """Yield the path below the catalogue's folder and the text of each file."""
    yield "assets/site.css", style()
    for name in ("site.js", "start.js", "grid.js", "lightbox.js"):
        yield f"assets/{name}", asset(name)
    yield "index.html", site_environment().get_template("start.html.jinja").render(model=model)
    for language in LANGUAGES:
        for path, text in _pages(model, language):
            yield f"{language}/{path}", text


def _pages(model: SiteModel, language: str) -> Iterator[tuple[str, str]]:
    """Yield the pages in one language."""

    def page(path: str) -> Page:
        return Page(model, path, language)

    yield "index.html", page("index.html").render("overview.html.jinja", title=model.title)
    yield "samples.html", samples_page(page("samples.html"))
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
