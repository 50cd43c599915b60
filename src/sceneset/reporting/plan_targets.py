"""The targets of params.yaml, for each scene and number of persons."""

from collections.abc import Mapping, Sequence

from sceneset.catalog.reader import unknown_scene_finding
from sceneset.errors import FindingsError
from sceneset.reporting.plan_samples import PHASES, Cell
from sceneset.schemas.finding import Finding, finding
from sceneset.schemas.scene import Vocabulary
from sceneset.schemas.targets import SceneTargets, Targets
from sceneset.schemas.terms import TOTAL, Phase


def targets_by_scene(vocabulary: Vocabulary, targets: Targets) -> dict[str, SceneTargets]:
    """Return the targets of single scenes by key.

    Raises:
        FindingsError: A name is no scene, or two names are one scene.
    """
    found: dict[str, SceneTargets] = {}
    names: dict[str, str] = {}
    problems: list[Finding] = []
    for name, own in targets.scenes.items():
        key = vocabulary.find(name)
        if key == TOTAL:
            message = f"{name!r} is no scene: it has all samples"
            hint = "write its targets at the top of targets, without a scene"
            problems.append(_problem(name, message, hint))
        elif key is None:
            hint = unknown_scene_finding(vocabulary, name, file="params.yaml").hint
            problems.append(_problem(name, f"no scene is called {name!r}", hint))
        elif key in names:
            message = f"{names[key]!r} and {name!r} are one scene, {key}"
            problems.append(_problem(name, message, "write its targets once"))
        else:
            names[key], found[key] = name, own
    if problems:
        raise FindingsError(problems)
    return found


def _problem(name: str, message: str, hint: str) -> Finding:
    return finding("schema", message, file="params.yaml", field=f"targets.scenes.{name}", hint=hint)


def targets_of(
    cell: Cell, targets: Targets, own: Mapping[str, SceneTargets], phases: Sequence[Phase]
) -> dict[Phase, int]:
    """Return the targets of a cell, the most specific one of each phase."""
    scene, persons = cell
    found: dict[Phase, int] = {}
    if persons is None:
        return found
    for phase in phases or PHASES:
        special = own[scene].of_persons(persons, phase) if scene in own else None
        wanted = targets.of_persons(persons, phase) if special is None else special
        if wanted is not None:
            found[phase] = wanted
    return found
