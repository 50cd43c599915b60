"""What is wrong with a registry, as the registry itself weighs it."""

from collections.abc import Sequence

from sceneset.registry import journal, leakage, redo
from sceneset.registry.catalog import Registry
from sceneset.registry.checks import check
from sceneset.registry.waivers import in_folder, weighed
from sceneset.schemas.problem import Problem, ProblemsFoundError, errors, in_order
from sceneset.schemas.rules import RULES

_CHECKED = RULES.keys() - leakage.CODES - {"forgotten-near"}  # that one is told at an add


def checked(
    registry: Registry, names: Sequence[str] | None = None, *, notes: bool = False
) -> list[Problem]:
    """Return what single subsets (all listed ones by default) are told, errors first."""
    try:
        params, waivers = registry.params, in_folder(registry.root)
    except ProblemsFoundError as unread:
        return unread.problems  # nothing can be weighed without them
    waivers = tuple(w for w in waivers if names is None or w.subset in names)
    found = check(registry, names, notes=notes)
    return weighed(found, params, waivers, judged=_CHECKED)


def related(registry: Registry, names: Sequence[str] | None = None) -> list[Problem]:
    """Return how images are related, over all subsets; ``names`` keeps what they are told.

    Raises:
        ProblemsFoundError: scans or tags can't be read.
    """
    waivers = in_folder(registry.root)
    found = weighed(leakage.leakage(registry), registry.params, waivers, judged=leakage.CODES)
    return [p for p in found if names is None or p.subset in names]


def everything(
    registry: Registry, names: Sequence[str] | None = None, *, notes: bool = False
) -> list[Problem]:
    """Return every finding, errors first; relations only where the rest can be read."""
    problems = [
        *journal.unfinished_problems(registry.paths),
        *redo.unfinished_problems(registry.paths),
        *checked(registry, names, notes=notes),
    ]
    if not errors(problems):
        problems += related(registry, names)
        if registry.origin is None:
            tested = leakage.once_tested(registry)
            problems += [p for p in tested if names is None or p.subset in names]
    return in_order(problems)
