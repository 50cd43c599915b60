"""Print what `sceneset suggest --model` found, and write its lists and pictures."""

import argparse
from typing import TYPE_CHECKING, Any

from sceneset.cli.commands.sources import ask_on_terminal, open_catalog
from sceneset.counts import counted

if TYPE_CHECKING:
    from sceneset.suggestions.second_look import Ranked, SecondLook

_SHOWN = 5  # samples without a hint


def print_second_look(args: argparse.Namespace) -> None:
    """Run the model on the selected samples; print and write what differs most."""
    from sceneset.cli.language import translate
    from sceneset.cli.output import print_json, progress, say
    from sceneset.cli.selected_samples import selected_samples
    from sceneset.cli.suggested_samples import check_files, write_list, write_pictures
    from sceneset.models.model_file import read_model
    from sceneset.models.preparation import Preparation
    from sceneset.suggestions.person_map import Output
    from sceneset.suggestions.second_look import Reading, look_again
    from sceneset.versions.local_files import LocalFiles

    reading = Reading(Preparation.parse(args.prepare), Output.parse(args.output))
    model = read_model(args.model, args.model_license)
    model.input(reading.preparation.size)  # refuses it before anything is fetched
    catalog = open_catalog(args)
    check_files(args, catalog)
    selection = selected_samples(args, catalog)
    files = LocalFiles(catalog)
    if args.fetch:
        wanted = [(one.image_path, one.image_md5) for one in selection.samples]
        wanted += [(one.mask_path, one.mask_md5) for one in selection.samples]
        files.fetch(wanted, remote=args.remote, ask=ask_on_terminal, notify=say, progress=progress)
    found = look_again(
        catalog,
        selection.samples,
        model,
        reading,
        files=files,
        order=args.sort,
        limit=args.limit,
        progress=progress,
    )
    if args.json:
        print_json(_as_json(found, args, selection.version))
    else:
        _print(found)
    keys = [one.key for one in found.ranked]
    if args.to:
        write_list(args.to, catalog, keys)
    if args.view:
        texts = {one.key: [_sentence(one)] for one in found.ranked}
        write_pictures(args, catalog, keys, texts, files, notes=[translate(_model_text(found))])


def _print(found: "SecondLook") -> None:
    from sceneset.cli.output import Label, print_table, say

    if found.ranked:
        print_table(
            ("sample", "hint", "score", "IoU", "unmarked", "unseen", "largest part"),
            [
                (
                    "/".join(one.key),
                    Label(one.difference.hint),
                    f"{one.difference.score:.2f}",
                    f"{one.difference.iou:.2f}",
                    _percent(one.difference.unmarked),
                    _percent(one.difference.unseen),
                    _percent(one.difference.part),
                )
                for one in found.ranked
            ],
            right=("score", "IoU", "unmarked", "unseen", "largest part"),
            optional=("unseen", "IoU", "unmarked"),
        )
    say(f"{counted(found.looked, 'sample')} compared with what the model sees")
    say(_model_text(found))
    if found.unmarked:
        say(f"the model sees a person without a mask in {counted(found.unmarked, 'sample')}")
    say(
        "these are hints and no findings: such models are blind to small, distant and many people, "
        "and take some animals, statues and pictures for people"
    )
    if found.blind:
        say(
            f"in {found.blind:,} of {found.with_person:,} samples with persons, the model sees "
            "less than a tenth of the mask, so it gives no hint on them",
            style="yellow",
        )
    if found.full and found.full == found.looked:
        say(
            "the model takes the whole of each picture for a person: check its file, --prepare and "
            "--output",
            style="yellow",
        )
    say_problems(found.failed, [("/".join(one.key), one.reason) for one in found.problems])


def say_problems(number: int, problems: "list[tuple[str, str]]") -> None:
    """Say which samples have no hint, and why."""
    from sceneset.cli.output import say

    if not number:
        return
    shown = "; ".join(f"{name}: {reason}" for name, reason in problems[:_SHOWN])
    more = f"; {number - _SHOWN:,} more" if number > _SHOWN else ""
    count = counted(number, "sample was", "samples were")
    say(f"{count} not compared: {shown}{more}", style="red")


def _model_text(found: "SecondLook") -> str:
    record = found.model.record()
    licence = f"licence {record['license']}" if record["license"] else "licence unknown"
    return f"model: {record['file']}, SHA-256 {record['sha256'][:16]}, {licence}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _sentence(one: "Ranked") -> str:
    """Return what differs, for the text below a picture."""
    from sceneset.cli.language import translate

    found = one.difference
    parts = [translate(found.hint)] if found.hint else []
    parts.append(translate(f"score {found.score:.2f}, IoU {found.iou:.2f}"))
    if found.part > 0:
        left, top, right, bottom = (round(100 * side) for side in found.box)
        parts.append(
            translate(
                f"largest part without a mask: {_percent(found.part)} of the picture, "
                f"from {left} % to {right} % of its width and {top} % to {bottom} % of its height"
            )
        )
    return "; ".join(parts)


def _as_json(found: "SecondLook", args: argparse.Namespace, version: str) -> dict[str, Any]:
    return {
        "model": found.model.record() | {"library": found.library},
        "prepare": args.prepare,
        "output": args.output,
        "state": version,
        "sort": found.order,
        "compared": found.looked,
        "with_person": found.with_person,
        "blind": found.blind,
        "full": found.full,
        "with_unmarked_person": found.unmarked,
        "samples": [
            {"sample": "/".join(one.key), "hint": one.difference.hint}
            | {
                name: list(value) if isinstance(value, tuple) else value
                for name, value in one.difference._asdict().items()
            }
            for one in found.ranked
        ],
        "not_compared": found.failed,
        "problems": [{"sample": "/".join(one.key), "reason": one.reason} for one in found.problems],
    }
