"""What all HTML pages share: the templates, the look, and a policy that loads nothing from outside.

Names, descriptions and findings come from files that other people wrote. The templates escape them,
and the policy of a page lets the browser run only the page's own scripts.
"""

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jinja2 import Environment

LANGUAGE_TAGS = {"en": "en", "zh": "zh-CN"}
"""The lang attribute of pages."""


def resource(name: str) -> str:
    """Return the text of a file of the folder templates/."""
    return files("sceneset.reporting").joinpath("templates", name).read_text("utf-8")


def style_of(*names: str) -> str:
    """Return the common look, followed by the style sheets ``names`` of the folder templates/."""
    return "\n".join(resource(name) for name in ("page.css", *names))


def policy(scripts: Sequence[str] = ()) -> str:
    """Return the Content-Security-Policy of a page that is one file.

    Args:
        scripts: The text of each inline script, exactly as the page has it.
    """
    digests = (base64.b64encode(hashlib.sha256(text.encode()).digest()) for text in scripts)
    allowed = " ".join(f"'sha256-{digest.decode()}'" for digest in digests) or "'none'"
    return (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src {allowed}; base-uri 'none'; form-action 'none'"
    )


def data_uri(kind: str, data: bytes) -> str:
    """Return a picture as an address that contains it; ``kind`` is jpeg, png or webp."""
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


@cache
def html_environment() -> "Environment":
    """Return the templates of HTML pages; they escape every value."""
    return template_environment("sceneset.reporting")


def template_environment(
    *packages: str, is_html: bool = True, keep_trailing_newline: bool = False
) -> "Environment":
    """Return the templates of packages, which may not use a name that has no value.

    Args:
        packages: The packages with a folder templates/; the first one that has a template counts.
        is_html: Whether all templates escape every value, or only those that end with .html.jinja.
        keep_trailing_newline: Whether a page ends with the last line end of its template.
    """
    import jinja2

    return jinja2.Environment(
        loader=jinja2.ChoiceLoader([jinja2.PackageLoader(name) for name in packages]),
        autoescape=jinja2.select_autoescape(("html.jinja",), default=is_html),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=keep_trailing_newline,
    )
