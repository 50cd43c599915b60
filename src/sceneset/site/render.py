"""Render pages: paths, links between pages, and what every page has."""

import json
from functools import cache
from importlib.metadata import version as installed_version
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sceneset.reporting.page import LANGUAGE_TAGS, resource, template_environment
from sceneset.schemas.base import Localized
from sceneset.site.model import SiteModel
from sceneset.site.texts import TEXTS, text

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup

POLICY = (
    "default-src 'none'; img-src 'self' data:; script-src 'self'; "
    "style-src 'self' 'unsafe-inline'; connect-src 'none'; base-uri 'none'; form-action 'none'"
)
"""The Content-Security-Policy of pages: nothing from outside, and no script in a page."""


class Page:
    """One page in one language; knows where it is and how to link to others."""

    def __init__(self, model: SiteModel, path: str, language: str) -> None:
        self.model, self.path, self.language = model, path, language

    def text(self, name: str, *values: object) -> str:
        """Return a text of the catalogue in the page's language."""
        return text(name, self.language, *values)

    def localized(self, value: Localized) -> str:
        """Return a text of the registry in the page's language."""
        return value.text(self.language)

    @property
    def colon(self) -> str:
        """What follows the name of a value, with the blank after it in English."""
        return "：" if self.language == "zh" else ": "

    def message(self, message: str) -> str:
        """Return the message of a finding in the page's language."""
        return self.model.translate(message) if self.language == "zh" else message

    def sample_fragment(self, sample: str) -> str:
        """Return the end of an address at which a grid opens a sample, "subset/phase/stem"."""
        return f"sample={quote(sample)}"

    def to_root(self) -> str:
        """Return the relative address of the catalogue's top folder, which ends with a slash."""
        return "../" * (self.path.count("/") + 1)

    def link(self, path: str, fragment: str = "") -> str:
        """Return the relative address of another page in this language, such as "scenes/ski.html".

        Args:
            path: Path of the page below the folder of the language.
            fragment: What follows "#": filters of the grid, or the name of a part.
        """
        up = "../" * self.path.count("/")
        return f"{up}{path}{f'#{fragment}' if fragment else ''}"

    def render(self, template: str, **values: Any) -> str:
        """Return the text of the page.

        Args:
            template: A file of the folder templates/.
            values: Values of the template; ``title`` is required, ``grid`` describes the samples
                that the page shows, see `sceneset.site.grid`.
        """
        other = "zh" if self.language == "en" else "en"
        grid = values.pop("grid", None)
        settings = {
            "root": self.to_root(),
            "language": self.language,
            "texts": {name: value.text(self.language) for name, value in TEXTS.items()},
            "grid": grid,
        }
        return (
            site_environment()
            .get_template(template)
            .render(
                page=self,
                model=self.model,
                text=self.text,
                link=self.link,
                root=self.to_root(),
                language_tag=LANGUAGE_TAGS[self.language],
                other_language=LANGUAGE_TAGS[other],
                other_page=f"{self.to_root()}{other}/{self.path}",
                policy=POLICY,
                version=installed_version("sceneset"),
                grid=grid,
                settings=json_text(settings),
                chart=markup,
                **values,
            )
        )


def markup(svg: str) -> "Markup":
    """Return SVG text of `sceneset.reporting.charts` as what a template need not escape."""
    from markupsafe import Markup

    return Markup(svg)  # noqa: S704


def json_text(value: object) -> "Markup":
    """Return JSON that is safe inside a script element of another type."""
    escaped = json.dumps(value, ensure_ascii=False).replace("<", "\\u003c")
    return markup(escaped)


def asset(name: str) -> str:
    """Return the text of a file of the folder assets/."""
    return files("sceneset.site").joinpath("assets", name).read_text("utf-8")


def style() -> str:
    """Return the style sheet of all pages."""
    return "\n".join((resource("page.css"), asset("site.css"), asset("pages.css")))


@cache
def site_environment() -> "Environment":
    """Return the templates of the catalogue and of reports; they escape every value."""
    return template_environment("sceneset.site", "sceneset.reporting")
