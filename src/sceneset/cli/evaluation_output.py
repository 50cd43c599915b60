"""Print an evaluation: measures with intervals, groups, differences, and what was left out."""

import math
import sys
from collections.abc import Iterator
from itertools import groupby
from shlex import quote
from typing import TYPE_CHECKING

from sceneset.cli.language import is_chinese, translate
from sceneset.cli.output import Label, print_table, print_text, say
from sceneset.cli.picture_sheets import language
from sceneset.cli.text_width import one_line
from sceneset.counts import counted
from sceneset.reporting.fineness_intervals import FEW

if TYPE_CHECKING:
    from sceneset.evaluation.bootstrap import Estimate, Interval
    from sceneset.evaluation.comparison import Comparison
    from sceneset.evaluation.difference import RunDifference
    from sceneset.evaluation.report import Evaluation

_SHOWN = 5  # samples of each kind of problem, and samples with another IoU


def print_evaluation(found: "Evaluation") -> None:
    """Print everything; problems go to stderr."""
    widths = found.counts.widths
    everything = found.estimates[0]
    if found.compared:
        print_table(
            ("measure", "value", "95 % interval"),
            [
                (measure_title(name), number(interval.value), _interval(interval))
                for name, interval in everything.measures.items()
            ],
            right=("value",),
        )
        _print_gap()
        _print_groups(found.estimates[1:], f"{widths.bands[0]:g}" if widths.bands else "")
        if found.difference:
            _print_difference(found.difference)
        if found.worst:
            _print_gap()
            print_table(
                ("worst samples", "IoU"),
                [("/".join(sample.key), number(sample.iou)) for sample in found.worst],
                right=("IoU",),
            )
    _say_facts(found)
    _say_problems(found)


def _print_gap() -> None:
    """Separate two tables; on a terminal, tables end with an empty line."""
    if not sys.stdout.isatty():
        print_text("")


def measure_title(name: str) -> str:
    """Return the name of a measure in words, with its width."""
    base, _, ratio = name.rpartition("_")
    if base in _TITLES:
        return f"{translate(_TITLES[base])}, {float(ratio) * 100:g} %"
    return translate(_TITLES[name])


_TITLES = {
    "dataset_iou": "IoU of all pixels",
    "image_iou": "IoU, mean of images",
    "dataset_boundary_iou": "Boundary IoU of all pixels",
    "image_boundary_iou": "Boundary IoU, mean of images",
    "dataset_boundary_f": "boundary F of all pixels",
    "image_boundary_f": "boundary F, mean of images",
    "precision": "precision",
    "recall": "recall",
    "accuracy": "pixel accuracy",
    "miss_rate": "miss rate",
    "false_alarm_rate": "false-alarm rate",
}


def number(value: float) -> str:
    """Return a share with four digits; "-" if it is not defined."""
    return "-" if math.isnan(value) else f"{value:.4f}"


def _interval(interval: "Interval") -> str:
    if math.isnan(interval.low):
        return "-"
    return f"{interval.low:.4f} {_to()} {interval.high:.4f}"


def _to() -> str:
    return "至" if is_chinese() else "to"


def _group(found: "Estimate | Comparison") -> tuple[str, str]:
    """Return the kind and the name of a group; in Chinese they are those of the page."""
    kind, name = found.group.kind, found.group.name
    if not is_chinese():
        return kind, name
    from sceneset.evaluation.page_texts import TEXTS, group_name

    return TEXTS[kind].zh, group_name(kind, name, "zh")


def _print_groups(estimates: "list[Estimate]", ratio: str) -> None:
    """Print one row for each group."""
    columns = ["by", "group", "images", "sources", "IoU", "interval", Label("mean IoU")]
    band = f"image_boundary_iou_{ratio}"
    if ratio:
        columns.append(Label("boundary"))
    rows = []
    for found in estimates:
        measures = found.measures
        iou = measures["dataset_iou"]
        interval = "-" if math.isnan(iou.low) else f"{iou.low:.3f}-{iou.high:.3f}"
        row: list[object] = [
            *_group(found),
            found.group.rows.size,
            found.sources,
            number(iou.value),
            interval,
            number(measures["image_iou"].value),
        ]
        if ratio:
            row.append(number(measures[band].value))
        rows.append(row)
    if rows:
        print_table(
            columns,
            rows,
            right=[name for name in columns if name not in {"by", "group", "interval"}],
            optional=("boundary", "sources") if ratio else ("sources",),
        )


def _print_difference(found: "RunDifference") -> None:
    """Print the comparison with another run."""
    rows = []
    for one in found.comparisons:
        value = one.measures["dataset_iou"]
        adjusted = value.p
        if one.group.kind == "scene":
            adjusted = found.adjusted["dataset_iou"][one.group.name]
        rows.append(
            (
                *_group(one),
                one.group.rows.size,
                number(value.first),
                number(value.second),
                _signed(value.second - value.first),
                "-" if math.isnan(value.low) else f"{value.low:+.3f} {_to()} {value.high:+.3f}",
                number(adjusted),
            )
        )
    columns = ("by", "group", "images", "before", "after", "change", "interval", "p")
    _print_gap()
    print_table(
        columns,
        rows,
        right=("images", "before", "after", "change", "p"),
        optional=("images",),
    )
    if any(one.group.kind == "scene" for one in found.comparisons):
        say("the p values of scenes are adjusted for their number (Holm)")
    if found.moved:
        up = sum(one.iou > (one.before or 0) for one in found.moved)
        _print_gap()
        print_table(
            ("largest changes", "before", "after", "change"),
            [
                (
                    "/".join(one.key),
                    number(one.before or 0.0),
                    number(one.iou),
                    _signed(one.iou - (one.before or 0.0)),
                )
                for one in found.moved[: 2 * _SHOWN]
            ],
            right=("before", "after", "change"),
        )
        say(
            f"the IoU of {counted(len(found.moved), 'sample')} changed by 0.1 or more: {up:,} up, "
            f"{len(found.moved) - up:,} down; --json lists all"
        )
    for text, left in (
        ("only in this run", found.only_here),
        ("only in the other run", found.only_there),
    ):
        if left:
            say(f"{counted(left, 'sample is', 'samples are')} {text}", style="yellow")


def _signed(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:+.4f}"


def _say_facts(found: "Evaluation") -> None:
    """Say what was compared and how."""
    everything = found.estimates[0]
    about = found.counts.about
    say(
        f"{found.compared:,} of {counted(len(found.counts.table), 'sample')} compared, "
        f"{counted(everything.sources, 'source')}; truth: {about.get('truth', '')}; "
        f"predictions: {about.get('predictions', '')}"
    )
    kinds = ", ".join(f"{n:,} {translate(kind)}" for kind, n in sorted(found.values.items()))
    if kinds and "threshold" in about:
        say(f"values: {kinds}; threshold {about['threshold']}")
    say(_EMPTY[found.empty.value])
    for doubt in found.doubts:
        say(doubt.text(language()), style="yellow")
    if found.compared and everything.sources < FEW:
        say(
            f"intervals of fewer than {FEW} sources are too narrow: name the clips or original "
            "images in the column source of the tags",
            style="yellow",
        )
    elif few := _groups_with_few_sources(found):
        say(f"intervals of fewer than {FEW} sources are too narrow: {few}", style="yellow")


def _groups_with_few_sources(found: "Evaluation") -> str:
    """Return the groups whose intervals promise too much."""
    return ", ".join(
        " ".join(_group(one))
        for one in found.estimates[1:]
        if one.sources < FEW and not math.isnan(one.measures["dataset_iou"].low)
    )


_EMPTY = {
    "one": "means: an image counts 1 if both masks are empty, 0 if one of them is",
    "zero": "means: an image counts 0 if a mask is empty",
    "skip": "means: images where both masks are empty are left out, so the set of images depends "
    "on the predictions",
    "positive": "means: images without a person in the true mask are left out",
}


def _say_problems(found: "Evaluation") -> None:
    for line in problem_lines(found):
        say(line, style="red")
    if ending := found.matches.ending:
        say(f"these names end in {ending} after the stem: use --ending {quote(ending)}")
    if found.matches.unselected:
        other = counted(found.matches.unselected, "prediction is", "predictions are")
        say(f"{other} of samples that are not selected")
    if found.other_results:
        kinds = ", ".join(f"{n:,} {name}" for name, n in found.other_results.most_common(_SHOWN))
        number = counted(sum(found.other_results.values()), "result")
        say(f"{number} of other categories than person: {kinds}")
    if found.other_files:
        kinds = ", ".join(
            f"{n:,} {one_line(suffix)}" for suffix, n in sorted(found.other_files.items())
        )
        say(f"files that are no masks: {kinds}", style="yellow")


def problem_lines(found: "Evaluation") -> Iterator[str]:
    """Yield one line for each kind of problem, with the first samples."""
    for problem, group in groupby(found.refused, key=lambda one: one.problem):
        samples = list(group)
        texts = (
            f"{'/'.join(one.key)} {one_line(translate(one.detail))}" for one in samples[:_SHOWN]
        )
        shown = "; ".join(texts)
        more = f"; {len(samples) - _SHOWN:,} more" if len(samples) > _SHOWN else ""
        yield f"{problem}: {counted(len(samples), 'sample')} left out: {shown}{more}"
    if surplus := found.matches.surplus:
        names = map(one_line, surplus[:_SHOWN])
        shown = ", ".join(names) + (", ..." if len(surplus) > _SHOWN else "")
        yield f"surplus: {counted(len(surplus), 'prediction')} of no sample: {shown}"
