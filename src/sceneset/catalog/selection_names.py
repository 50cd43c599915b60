"""Check the names in selections of params.yaml: scenes, subsets, and rules."""

from collections.abc import Callable, Container, Iterator, Mapping
from functools import partial
from typing import NamedTuple

from sceneset.catalog.reader import Catalog, unknown_scene_finding
from sceneset.errors import FindingsError
from sceneset.schemas.finding import Finding, capped, finding
from sceneset.schemas.names import SubsetName
from sceneset.schemas.selection import NamedSelection
from sceneset.storage.files import read_text
from sceneset.storage.yaml_bounds import MAX_YAML
from sceneset.storage.yaml_parser import Document, FieldPath, parse

_FILE = "params.yaml"
_SUBSETS_HINT = "write the full name of a subset of this list: params.yaml, subsets"
_RULES_HINT = (
    "remove it from the selection; it can leave out samples by rules on images, masks, names and "
    "persons that are not switched off"
)


class _Problem(NamedTuple):
    """What is wrong with a selection, where, and how to fix it."""

    message: str
    hint: Callable[[], str]
    path: FieldPath


def findings_on_selections(
    catalog: Catalog, selections: Mapping[str, NamedSelection]
) -> list[Finding]:
    """Return the findings on selections, with the lines of params.yaml."""
    subsets = frozenset(catalog.params.subsets)
    problems = [
        problem
        for name, selection in selections.items()
        for problem in _problems(catalog, subsets, name, selection)
    ]
    if not problems:
        return []
    try:
        document = parse(read_text(catalog.paths.params, _FILE, limit=MAX_YAML), _FILE)
    except FindingsError:
        document = Document(None, {})

    def report(problem: _Problem) -> Finding:
        shown = "".join(f"[{p + 1}]" if isinstance(p, int) else f".{p}" for p in problem.path)
        return finding(
            "selection-names",
            problem.message,
            file=_FILE,
            row=document.line(problem.path),
            field=shown.removeprefix("."),
            hint=problem.hint(),
        )

    return capped(problems, report)


def _problems(
    catalog: Catalog, known: Container[str], name: str, selection: NamedSelection
) -> Iterator[_Problem]:
    vocabulary, exclude = catalog.vocabulary, selection.exclude
    top = ("selections", name)

    def hint_on_scene(word: str) -> str:
        return unknown_scene_finding(vocabulary, word, file=_FILE).hint

    scene = vocabulary.find(name)
    if scene:
        message = f"is also a name of the scene {scene}, which look-ups find first"
        yield _Problem(message, lambda: "choose a name that `sceneset scenes` does not list", top)
    for number, code in enumerate(exclude.rules):
        if reason := _why_not_judged(catalog, code):
            yield _Problem(reason, lambda: _RULES_HINT, (*top, "exclude", "rules", number))
    for place, scenes, subsets in (
        (top, selection.scenes, selection.subsets),
        ((*top, "exclude"), exclude.scenes, exclude.subsets),
    ):
        for number, word in enumerate(scenes):
            if vocabulary.find(word) is None:
                message = f"no scene is called {word!r}"
                hint = partial(hint_on_scene, word)  # comparing with all names takes long
                yield _Problem(message, hint, (*place, "scenes", number))
        for number, subset in enumerate(subsets):
            if str(SubsetName(subset)) not in known:
                message = f"no subset is called {subset!r}"
                yield _Problem(message, lambda: _SUBSETS_HINT, (*place, "subsets", number))


def _why_not_judged(catalog: Catalog, code: str) -> str:
    """Return why a selection can't leave out the samples that break a rule, or ""."""
    from sceneset.rules.broken_samples import JUDGED_CODES

    if code not in JUDGED_CODES:
        return f"{code} is no rule that judges a sample by itself"
    if catalog.params.severity(code) is None:
        return f"the rule {code} is switched off, so no sample has a finding of it"
    return ""
