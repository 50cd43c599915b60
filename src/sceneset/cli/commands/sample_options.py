"""Arguments of the commands that change chosen samples, and how they show a change."""

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sceneset.cli.commands.sources import add_scenes, add_view
from sceneset.cli.exit_codes import FINDINGS, FINE
from sceneset.errors import UsageError
from sceneset.schemas.terms import Persons, Phase

if TYPE_CHECKING:
    from argparse import _ActionsContainer as _Group

    from sceneset.catalog.query import Query
    from sceneset.catalog.reader import Catalog
    from sceneset.catalog.sample_choice import Criteria
    from sceneset.edits.edit_registry import Edited


def add_samples(parser: argparse.ArgumentParser) -> None:
    """Add scenes, --subset and further options that choose samples.

    Phase and persons have other names than in look-ups, because commands set them.
    """
    add_scenes(parser)
    parser.add_argument(
        "--of-persons",
        choices=[p.value for p in Persons],
        help="only samples with this number of persons",
    )
    parser.add_argument(
        "--of-phase",
        choices=[p.value for p in Phase],
        action="append",
        default=[],
        help="only samples of train, val or test (can be repeated)",
    )
    parser.add_argument(
        "--stems-file",
        type=Path,
        metavar="FILE",
        help="only the samples that FILE lists, one per line: a stem, phase/stem or "
        "subset/phase/stem",
    )
    parser.add_argument(
        "--match",
        action="append",
        default=[],
        metavar="GLOB",
        help="only samples whose stem matches, for example 'clip7_*' (can be repeated)",
    )
    parser.add_argument(
        "--finding",
        action="append",
        default=[],
        metavar="CODE",
        help="only samples with a finding of this rule (can be repeated)",
    )


def add_source_from(group: "_Group") -> None:
    """Add --source-from to a parser or a group."""
    group.add_argument(
        "--source-from",
        type=_pattern,
        metavar="REGEX",
        help="take the source from the stem: what the first group of REGEX matches, or the whole "
        "match",
    )


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no regular expression: {error}") from None


def add_change(parser: argparse.ArgumentParser) -> None:
    """Add --dry-run, --samples, --json and the options that say how findings are shown."""
    parser.add_argument(
        "--dry-run", action="store_true", help="show the change and its findings, change nothing"
    )
    parser.add_argument("--samples", action="store_true", help="list every changed sample")
    add_view(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def add_reason(parser: argparse.ArgumentParser) -> None:
    """Add --reason."""
    parser.add_argument(
        "--reason",
        required=True,
        type=_reason,
        metavar="TEXT",
        help="why, on one line; name no person, because git keeps it forever",
    )


def _reason(text: str) -> str:
    words = text.strip()
    if not words or len(words) > _MAX_REASON or any(ord(character) < 32 for character in words):
        raise argparse.ArgumentTypeError(
            f"write one line of text, at most {_MAX_REASON} characters"
        )
    return words


def has_choice(args: argparse.Namespace) -> bool:
    """Return whether any argument chooses samples."""
    names = ("scene", "of_persons", "of_phase", "subset", "stems_file", "match", "finding")
    return any(getattr(args, name) for name in names)


def choice_of(args: argparse.Namespace, catalog: "Catalog") -> "tuple[Query, Criteria]":
    """Return what the arguments of `add_samples` choose.

    Raises:
        UsageError: They choose nothing: a whole registry must be named as `total`.
    """
    from sceneset.catalog.query import resolve_query
    from sceneset.catalog.sample_choice import Criteria

    if not has_choice(args):
        raise UsageError(
            "name the samples: a scene, --subset, --stems-file, --match or --finding; `total` "
            "means all samples of all subsets"
        )
    query = resolve_query(catalog, **_query(args))
    return query, Criteria(args.stems_file, tuple(args.match), tuple(args.finding))


def _query(args: argparse.Namespace) -> dict[str, Any]:
    return {
        "scenes": args.scene,
        "persons": args.of_persons,
        "phases": args.of_phase,
        "subsets": args.subset,
    }


def choice_words(args: argparse.Namespace) -> list[str]:
    """Return what tells the choice of one run from that of another."""
    from sceneset.storage.files import md5_of, read_bytes

    words = [f"{name}={value}" for name, value in sorted(_query(args).items()) if value]
    words += [f"match={pattern}" for pattern in args.match]
    words += [f"finding={code}" for code in args.finding]
    if args.stems_file:
        words.append(f"stems={md5_of(read_bytes(args.stems_file, args.stems_file.name))}")
    return words


def show_edited(
    edited: "Edited[Any] | None",
    args: argparse.Namespace,
    *,
    done: str,
    planned: str = "nothing was changed",
    details: dict[str, Any] | None = None,
) -> int:
    """Print a change that was made or would be made; return the exit code.

    Args:
        edited: The change; None if an interrupted run was finished.
        args: The arguments of the command.
        done: What was done, for example "12 samples were tagged".
        planned: What --dry-run would do, where the changes that are printed do not say it.
        details: Further fields for --json.
    """
    from sceneset.cli.commands.diff import print_changes
    from sceneset.cli.findings import View, print_findings
    from sceneset.cli.output import print_json, say
    from sceneset.schemas.finding import errors_of

    errors = errors_of(edited.findings) if edited else []
    if args.json:
        print_json(
            {
                "changed": edited is None or edited.is_applied,
                "finished": edited is None,
                "counts": edited.diff.counts if edited else None,
                "step": edited.diff.step if edited else None,
                "problems": [p.model_dump(mode="json") for p in edited.findings] if edited else [],
                "samples": [change.as_json() for change in edited.diff.changes]
                if edited and args.samples
                else None,
            }
            | (details or {})
        )
        return FINDINGS if errors else FINE
    if edited is None:
        say(_NEXT)
        return FINE
    if edited.is_applied or edited.diff.changes:
        print_changes(edited.diff, samples=args.samples)
    print_findings(edited.findings, view=View.of(args))
    if edited.is_applied:
        say(done, style="green")
        say(_NEXT)
    elif errors:
        say("the change would be refused because of these errors; nothing was changed")
    else:
        say(planned)
    return FINDINGS if errors else FINE


_MAX_REASON = 200
_NEXT = "Next: git add . && git commit, dvc push, sceneset release"
