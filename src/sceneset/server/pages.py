"""The search page, and pages that say why there is no other one."""

from functools import cache, partial
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from sceneset.catalog.sample_arrays import FACETS
from sceneset.catalog.sample_index import SampleQuery
from sceneset.catalog.sample_index_tables import RANGES
from sceneset.reporting.page import LANGUAGE_TAGS
from sceneset.schemas.finding import Finding
from sceneset.schemas.rules import RULES, Freedom
from sceneset.server.api import resolve_scenes, sample_fields, summary_of
from sceneset.server.models import SearchParams
from sceneset.server.state import Live, State
from sceneset.server.texts import TEXTS, text_in
from sceneset.site.render import json_text, site_environment, style

if TYPE_CHECKING:
    from jinja2 import Environment

LANGUAGES = ("en", "zh")
_MOST_VALUES = 12
"""Values of a facet that are shown without opening the rest."""
_WAIVABLE = [rule.code for rule in RULES.values() if rule.freedom is not Freedom.FIXED]


def asset(name: str) -> str:
    """Return a style sheet or script of the live pages.

    Raises:
        KeyError: There is no such file.
    """
    if name == "search.css":
        return f"{style()}\n{_resource(name)}"
    if name == "start.js":
        return files("sceneset.site").joinpath("assets", name).read_text("utf-8")
    if name == "search.js":
        return _resource(name)
    raise KeyError(name)


def search_page(live: Live, state: State, params: SearchParams, language: str) -> str:
    """Return the page with the samples that a search finds.

    Raises:
        UnknownNameError: A scene does not exist.
        ValueError: ``after`` is not from a page in this order.
    """
    query: SampleQuery = params.query(resolve_scenes(state, params.scene))
    page = state.index.page(query, after=params.after, limit=params.limit)
    counts = state.index.facets(query.filter)
    texts = partial(text_in, language)
    names = {row["key"]: row[language] or row["en"] or row["zh"] for row in state.index.scenes}
    chosen = {facet: set(getattr(query.filter, field)) for facet, field in FACETS.items()}
    return _render(
        "search.html.jinja",
        live,
        language,
        "search.html",
        title=texts("search"),
        params=params,
        number=partial(_number, params),
        address=partial(_address, params),
        facets=[_facet(facet, counts[facet], chosen[facet], names, texts) for facet in FACETS],
        ranges=RANGES,
        page=page,
        samples=[_tile(row, names, texts) for row in page.samples],
        summary=summary_of(live),
        rules=_WAIVABLE,
        settings=json_text(
            {
                "basket": f"{live.options.title} {live.options.state}",
                "texts": {name: value.text(language) for name, value in TEXTS.items()},
                "similar": live.options.similar is not None,
                "search": f"/{language}/search.html",
            }
        ),
    )


def message_page(
    live: Live,
    language: str,
    name: str,
    *,
    message: str = "",
    findings: list[Finding] | None = None,
) -> str:
    """Return a page that says why another one is not shown; ``name`` is its title in TEXTS."""
    translate = live.options.translate if language == "zh" else str
    return _render(
        "message.html.jinja",
        live,
        language,
        "search.html",
        title=text_in(language, name),
        message=translate(message),
        findings=[(one.place, translate(one.text), translate(one.hint)) for one in findings or ()],
        help=text_in(language, f"{name}_help") if f"{name}_help" in TEXTS else "",
    )


def _render(template: str, live: Live, language: str, path: str, **values: Any) -> str:
    other = "zh" if language == "en" else "en"
    return (
        _environment()
        .get_template(template)
        .render(
            text=partial(text_in, language),
            language=language,
            language_tag=LANGUAGE_TAGS[language],
            other=other,
            other_tag=LANGUAGE_TAGS[other],
            path=path,
            name=live.options.title,
            state=live.options.state or text_in(language, "working_tree"),
            **values,
        )
    )


@cache
def _environment() -> "Environment":
    import jinja2

    return site_environment().overlay(loader=jinja2.PackageLoader("sceneset.server"))


def _resource(name: str) -> str:
    return files("sceneset.server").joinpath("templates", name).read_text("utf-8")


def _address(params: SearchParams, **changes: Any) -> str:
    """Return the query of an address with the same search, or with other values of fields."""
    fields = params.model_dump(mode="json", exclude_defaults=True) | changes
    pairs = [
        (name, one)
        for name, value in fields.items()
        for one in (value if isinstance(value, list) else [value])
        if one not in {"", None, False}
    ]
    return f"?{urlencode(pairs)}"


def _number(params: SearchParams, name: str) -> str:
    """Return a limit as the form shows it."""
    value = getattr(params, name)
    return "" if value is None else f"{value:g}"


def _facet(
    facet: str, counts: dict[str, int], chosen: set[str], names: dict[str, str], texts: Any
) -> dict[str, Any]:
    """Return what the page shows of a facet: its values, the chosen and the frequent ones first."""
    values = {**dict.fromkeys(sorted(chosen), 0), **counts}
    ordered = sorted(values, key=lambda value: (value not in chosen, -values[value], value))

    def shown(value: str) -> str:
        if facet == "scene":
            return names.get(value, value)
        return str(texts(value)) if value in TEXTS and facet in {"persons", "phase"} else value

    fields = [
        {"value": v, "text": shown(v), "count": values[v], "chosen": v in chosen} for v in ordered
    ]
    return {"name": facet, "first": fields[:_MOST_VALUES], "rest": fields[_MOST_VALUES:]}


def _tile(row: dict[str, Any], names: dict[str, str], texts: Any) -> dict[str, Any]:
    """Return what the page shows of a sample."""
    keys = [part.partition(":")[0] for part in filter(None, row["scenes"].split(";"))]
    facts = [names.get(key, key) for key in dict.fromkeys(keys)]
    facts.append(texts(row["persons"] or "unknown"))
    if row["width"]:
        facts += [f"{row['width']} x {row['height']}", f"{100 * row['person_share']:.1f}\u00a0%"]
    if row["source"]:
        facts.append(row["source"])
    width, height = row["width"] or 4, row["height"] or 3
    return {
        "key": f"{row['subset']}/{row['phase']}/{row['stem']}",
        "name": f"{row['phase']}/{row['stem']}",
        "subset": row["subset"],
        "facts": " · ".join(facts),
        "findings": ", ".join(filter(None, row["findings"].split(";"))),
        "large": sample_fields(row)["thumb"].replace("/thumbs/", "/pictures/image/"),
        "width": width,
        "height": height,
        **{name: sample_fields(row)[name] for name in ("thumb", "outline")},
    }
