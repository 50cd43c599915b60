"""The page of a version: what it holds, what changed, and how to get exactly it."""

from collections.abc import Iterator
from typing import NamedTuple

from sceneset.schemas.terms import Phase
from sceneset.schemas.version import Version
from sceneset.site.model import SiteModel
from sceneset.site.pages_overview import Command, state_options, version_row
from sceneset.site.render import Page, markup
from sceneset.versions.records import VersionTag


class Part(NamedTuple):
    """A subset or selection of a version."""

    name: str
    href: str
    """"" if the shown state does not have it."""
    counts: list[int]
    """Samples of each phase."""
    detail: str
    """Kind of a subset, digest of a selection."""
    licences: str


class Change(NamedTuple):
    """One line of what changed."""

    name: str
    value: str


def version_page(page: Page, number: int) -> str:
    """Return the page of the version with this place among the versions."""
    model = page.model
    record = model.versions[number]
    version = record.version
    previous = model.versions[number - 1].version if number else ""
    following = model.versions[number + 1].version if number + 1 < len(model.versions) else ""
    return page.render(
        "version.html.jinja",
        title=page.text("version_title", version),
        record=record,
        row=version_row(model, record),
        tag=model.tags.get(version, VersionTag()),
        previous=previous,
        following=following,
        changes=list(_changes(page, record)),
        subsets=list(_subsets(page, record)),
        selections=list(_selections(page, record)),
        commands=list(_commands(page, version, previous)),
        phases=[*Phase],
        pictures=markup(model.diffs.get(version, {}).get(page.language, "")),
    )


def _changes(page: Page, record: Version) -> Iterator[Change]:
    """Yield what changed since the previous version."""
    changes = record.changes
    for kind, count in changes.samples.items():
        if count:
            yield Change(page.text(f"change_{kind}"), f"{count:,}")
    for name in ("subsets_added", "subsets_removed", "scenes_added", "scenes_removed"):
        if names := getattr(changes, name):
            yield Change(page.text(name), ", ".join(names))


def _subsets(page: Page, record: Version) -> Iterator[Part]:
    known = {subset.name for subset in page.model.subsets}
    licences = page.model.licences.get(record.version, {})
    for name, part in record.subsets.items():
        href = page.link(f"subsets/{name}.html") if name in known else ""
        counts = [part.samples.get(phase, 0) for phase in Phase]
        yield Part(name, href, counts, part.kind, licences.get(name, ""))


def _selections(page: Page, record: Version) -> Iterator[Part]:
    known = {selection.name for selection in page.model.selections}
    for name, part in record.selections.items():
        href = page.link(f"selections/{name}.html") if name in known else ""
        counts = [part.samples.get(phase, 0) for phase in Phase]
        yield Part(name, href, counts, part.digest, "")


def _commands(page: Page, version: str, previous: str) -> Iterator[Command]:
    model, text = page.model, page.text
    state = state_options(model, version)
    yield Command(text("command_pull_all"), f"sceneset pull{state} --to DIR")
    yield Command(text("command_python"), _python(model, version))
    yield Command(
        text("command_versions"), f"sceneset versions {version}{state_options(model, '')}"
    )
    if previous:
        words = f"sceneset diff {previous} {version} --samples{state_options(model, '')}"
        yield Command(text("command_diff"), words)
    yield Command(text("command_site"), f"sceneset site{state} --to DIR")


def _python(model: SiteModel, version: str) -> str:
    where = f"{model.repo!r}, " if model.repo else ""
    return (
        "from sceneset import Registry\n\n"
        f'registry = Registry.open({where}rev="{version}")\n'
        'registry.pull(to="DIR")'
    )
