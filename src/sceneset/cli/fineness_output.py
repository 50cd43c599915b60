"""Print a report of fineness: groups with intervals, the worst samples, and what was left out."""

import math
import sys
from typing import TYPE_CHECKING

from sceneset.cli.output import Label, print_table, print_text, say
from sceneset.counts import counted
from sceneset.reporting.fineness_intervals import FEW

if TYPE_CHECKING:
    from sceneset.reporting.fineness import Selected, Values
    from sceneset.reporting.fineness_intervals import Interval
    from sceneset.reporting.fineness_report import Report, Worst

_LABELS = {"all": "all", "subset": "subset", "scene": "scene", "reference": "reference"}


def print_report(report: "Report") -> None:
    """Print the tables."""
    columns = ("by", "group", "masks", "sources", "fineness", "turning", "straight", "edge")
    headers = ("finer", "finer, same size")
    names = (*columns, *headers) if report.reference else columns
    rows: list[list[object]] = []
    for group in report.groups:
        row = [
            Label(_LABELS[group.kind]),
            group.name,
            group.samples,
            group.sources,
            _estimate(group.fineness, 2),
            _number(group.parts["turning"], 1),
            _percent(group.parts["straight"]),
            _percent(group.parts["edge"]),
        ]
        if report.reference:
            row += [_estimate(group.finer, 3), _estimate(group.finer_same_size, 3)]
        rows.append(row)
    print_table(names, rows, right=names[2:], optional=("edge", "straight", "turning", "sources"))
    if report.worst:
        if not sys.stdout.isatty():  # on a terminal, tables end with an empty line
            print_text("")
        print_table(
            ("lowest fineness", "fineness", "turning", "straight", "edge"),
            [
                (
                    "/".join(sample.key),
                    _number(sample.fineness, 2),
                    _number(sample.parts["turning"], 1),
                    _percent(sample.parts["straight"]),
                    _percent(sample.parts["edge"]),
                )
                for sample in report.worst
            ],
            right=("fineness", "turning", "straight", "edge"),
        )
    _say_facts(report)


def sentence(sample: "Worst") -> str:
    """Return what is written below the picture of a sample."""
    turning, straight, edge = (sample.parts[name] for name in ("turning", "straight", "edge"))
    return (
        f"fineness {sample.fineness:.2f}: turning {turning:.1f} rad, straight {straight:.0%}, "
        f"edge {edge:.0%}"
    )


def say_left_out(selected: "Selected", reference: "Values | None") -> None:
    """Say which samples are in no number, and why."""
    choice = selected.choice
    older = sum(values.older for values in selected.subsets)
    without = sum(values.without for values in selected.subsets)
    if choice.withdrawn:
        text = counted(choice.withdrawn, "withdrawn sample was", "withdrawn samples were")
        say(f"{text} left out", style="yellow")
    if choice.restricted:
        text = counted(
            choice.restricted, "sample for internal use was", "samples for internal use were"
        )
        say(f"{text} left out; --internal includes them, if you may", style="yellow")
    if older:
        text = counted(older, "sample has", "samples have")
        say(
            f"{text} no outlines in the scan, because an older algorithm wrote it. To measure "
            "them, set `algorithms.scan: 7` in params.yaml and run `dvc repro`",
            style="yellow",
        )
    if without:
        text = counted(without, "mask has", "masks have")
        say(f"{text} no outline with contrast near it, and no fineness", style="yellow")
    if reference and reference.without:
        text = counted(
            reference.without, "mask of the reference has", "masks of the reference have"
        )
        say(f"{text} no outline with contrast near it, and no fineness", style="yellow")


def _say_facts(report: "Report") -> None:
    say(
        "fineness is the median of turning x (1 - straight) x edge of the masks; in brackets are "
        "95 % intervals over sources"
    )
    if report.reference:
        say(
            f"finer: how often a mask is finer than one of {report.reference}; 0.5 means that "
            "there is no difference. Same size: only masks with about as many person pixels"
        )
    if any(1 < group.sources < FEW for group in report.groups):
        say(
            f"intervals of fewer than {FEW} sources are narrower than they should be",
            style="yellow",
        )


def _number(value: float, digits: int) -> str:
    return "-" if math.isnan(value) else f"{value:.{digits}f}"


def _percent(value: float) -> str:
    return "-" if math.isnan(value) else f"{100 * value:.0f} %"


def _estimate(interval: "Interval | None", digits: int) -> str:
    """Return a value and its interval: "0.94 (0.91-0.97)"."""
    if interval is None:
        return ""
    text = _number(interval.value, digits)
    if math.isnan(interval.low):
        return text
    return f"{text} ({interval.low:.{digits}f}-{interval.high:.{digits}f})"
