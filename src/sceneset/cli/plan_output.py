"""Print a plan: the table of scenes, the order in words, and what was not counted."""

import math
from typing import TYPE_CHECKING

from sceneset.cli.output import Label, print_table, say
from sceneset.cli.picture_sheets import language
from sceneset.counts import counted

if TYPE_CHECKING:
    from sceneset.reporting.plan_reasons import CellPlan
    from sceneset.reporting.plan_values import Plan

_SHOWN = 10  # names of scenes


def print_plan(plan: "Plan", *, shows_all: bool) -> None:
    """Print everything; what is about the table goes to stderr.

    Args:
        plan: The plan.
        shows_all: Whether scenes that need nothing are shown too.
    """
    shown = [cell for cell in plan.cells if cell.reasons or shows_all]
    rows = [_row(plan, cell) for cell in shown]
    right = ("images", "different", "wanted", "IoU")
    if rows and plan.results:
        print_table(
            ("scene", "persons", "images", "different", "wanted", "IoU", "why"), rows, right=right
        )
    elif rows:
        print_table(("scene", "persons", "images", "different", "wanted", "why"), rows, right=right)
    _say_order(plan, len(plan.cells) - len(shown))
    _say_facts(plan)


def _row(plan: "Plan", cell: "CellPlan") -> list[object]:
    why = ("；" if language() == "zh" else "; ").join(
        reason.text.text(language()) for reason in cell.reasons
    )
    persons = Label(cell.persons or "unknown")
    row: list[object] = [cell.scene, persons, cell.images, cell.pictures, cell.wanted, why]
    if plan.results:
        known = cell.result is not None and not math.isnan(cell.result.iou)
        row.insert(5, f"{cell.result.iou:.3f}" if cell.result and known else "-")
    return row


def _say_order(plan: "Plan", hidden: int) -> None:
    """Say in which order scenes are shown, and whether there are targets."""
    from sceneset.reporting.plan_kinds import KINDS

    if used := {cell.reasons[0].kind for cell in plan.cells if cell.reasons}:
        texts = [text.text(language()) for kind, text in KINDS.items() if kind in used]
        say("scenes are in the order of their most urgent reason:")
        for number, text in enumerate(texts, 1):
            say(f"{number}. {text}")
    if hidden:
        text = counted(hidden, "row needs nothing and is", "rows need nothing and are")
        say(f"{text} not shown; --all shows all")
    if not plan.targets.is_set:
        say(
            "no target is set, so scenes are compared with each other only; write `targets` in "
            "params.yaml, for example `train: 1000`, or try --target 1000",
            style="yellow",
        )
    elif wanted := sum(cell.wanted for cell in plan.cells):
        images = counted(wanted, "different image is", "different images are")
        say(f"{images} wanted; --to FILE writes the list for a vendor")
    else:
        say("all targets are reached", style="green")


def _say_facts(plan: "Plan") -> None:
    """Say what was counted, and what was not."""
    how = "look alike" if plan.is_near else "have the same pixels"
    say(f"{counted(plan.samples, 'sample')} counted; images of a phase that {how} count as one")
    if plan.several:
        text = counted(plan.several, "sample is", "samples are")
        say(f"{text} in several rows and counted in each")
    if plan.without_scene:
        text = counted(plan.without_scene, "sample is", "samples are")
        say(f"{text} in no scene and counted in no row")
    if plan.withdrawn:
        say(
            f"{counted(plan.withdrawn, 'withdrawn sample is', 'withdrawn samples are')} not counted"
        )
    for restriction, count in plan.restricted.items():
        text = counted(count, "restricted sample is", "restricted samples are")
        say(f"{text} not counted ({restriction})")
    if plan.unused:
        names = ", ".join(plan.unused[:_SHOWN]) + (", ..." if len(plan.unused) > _SHOWN else "")
        text = counted(len(plan.unused), "scene has", "scenes have")
        say(f"{text} neither a sample nor a target: {names}")
    if plan.results:
        _say_results(plan)


def _say_results(plan: "Plan") -> None:
    results = plan.results
    assert results, "the caller has checked it"
    if results.whole is None:
        say("the evaluation has no sample that the plan counts", style="yellow")
    else:
        images = counted(results.whole.images, "image")
        which = "of val and test " if results.held_out else ""
        iou = "-" if math.isnan(results.whole.iou) else f"{results.whole.iou:.3f}"
        say(f"IoU of all pixels of {images} {which}from the evaluation: {iou}")
    if results.unknown:
        text = counted(results.unknown, "evaluated sample is", "evaluated samples are")
        say(
            f"{text} not among the counted samples: the evaluation is of another version or "
            "selection",
            style="yellow",
        )
