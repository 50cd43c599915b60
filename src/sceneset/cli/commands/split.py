"""Propose a split into train, val and test that shares no source, and apply it.

Samples are chosen by scene, selection or subset, and by further options; a sample must meet all
options.

Related images stay together: images of one declared source (video, session, original image), with
the same pixels, similar under the rules on leakage, or numbered frames of one clip. The shares are
near the wanted ones in every scene. A table shows them, with the reason where they are not.

Images in val and test stay there and count, unless --redo is given. Images that are related to
images outside of the choice get the phase of those. Test images of a version never go to train.

Without --apply, nothing is changed. The same images, tags and seed always give the same split.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sceneset.cli.commands.sample_options import (
    add_change,
    add_samples,
    choice_of,
    choice_words,
    show_edited,
)
from sceneset.cli.commands.sources import find_catalog
from sceneset.cli.exit_codes import FINE
from sceneset.errors import UnknownNameError, UsageError
from sceneset.schemas.terms import Phase

if TYPE_CHECKING:
    from sceneset.catalog.reader import Catalog
    from sceneset.edits.draft import Draft
    from sceneset.edits.split_samples import Proposal, SplitOptions

EXAMPLES = """
  sceneset split web --val 0.1                   show a split of the subset
  sceneset split web --val 0.1 --test 0.1 --stratify scene,persons --seed 7
  sceneset split ski city --val 0.2 --to-csv split.csv
  sceneset split web --val 0.1 --dry-run         show its changes and findings
  sceneset split web --val 0.1 --apply           make the change
"""

_MAX_SEED = 2**64 - 1
_KINDS = {"by": ("source", "stem"), "stratify": ("scene", "persons")}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_samples(parser)
    for phase, what in ((Phase.VAL, "validation"), (Phase.TEST, "test")):
        parser.add_argument(
            f"--{phase}",
            type=_share,
            default=0.0,
            metavar="SHARE",
            help=f"wanted share of {what} images, for example 0.1",
        )
    parser.add_argument(
        "--by",
        type=lambda text: _kinds("by", text),
        default=("source",),
        metavar="source[,stem]",
        help="stem: images without a source are one session if their stems differ in the number at "
        "the end only, even if the images are not similar (default: source)",
    )
    parser.add_argument(
        "--stratify",
        type=lambda text: _kinds("stratify", text),
        default=("scene",),
        metavar="scene[,persons]",
        help="reach the shares in each scene, or per scene and persons (default: scene)",
    )
    parser.add_argument(
        "--seed", type=_seed, default=0, metavar="N", help="another number gives another split"
    )
    parser.add_argument(
        "--redo", action="store_true", help="give images in val and test a new phase too"
    )
    parser.add_argument(
        "--to-csv", type=Path, metavar="FILE", help="write the new phase and group of every image"
    )
    parser.add_argument("--apply", action="store_true", help="make the change")
    add_change(parser)


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: use a number from 0 to below 1")
    return share


def _seed(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) > _MAX_SEED:
        raise argparse.ArgumentTypeError(f"{text!r}: use a whole number of 0 or more")
    return int(text)


def _kinds(option: str, text: str) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(part.strip() for part in text.split(",")))
    known = _KINDS[option]
    if not set(found) <= set(known):
        raise argparse.ArgumentTypeError(f"{text!r}: use {', '.join(known)} or both with a comma")
    return found


def run(args: argparse.Namespace) -> int:
    """Show the split, and make the change with --apply."""
    from sceneset.catalog.sample_choice import choose_samples
    from sceneset.cli.output import say
    from sceneset.counts import counted
    from sceneset.edits.edit_registry import edit_registry
    from sceneset.edits.samples import move_samples
    from sceneset.edits.split_samples import propose_split
    from sceneset.storage.transaction import Command

    options, catalog = _options(args), find_catalog()
    _name_subsets(args, catalog)
    choice_of(args, catalog)  # wrong names are reported before the lock is taken

    def propose(catalog: "Catalog") -> "Proposal":
        return propose_split(catalog, choose_samples(catalog, *choice_of(args, catalog)), options)

    if not (args.apply or args.dry_run):
        return _show_proposal(propose(catalog), args)

    def plan(catalog: "Catalog", draft: "Draft") -> "Proposal":
        proposal = propose(catalog)
        move_samples(catalog, draft, proposal.moves)
        return proposal

    command = Command.of("split", *choice_words(args), repr(options))
    edited = edit_registry(catalog, command, plan, dry_run=args.dry_run, notify=say)
    proposal = edited.result if edited else None
    details: dict[str, Any] = {"split": None}
    done = ""
    if proposal:
        details["split"] = _object(proposal)
        done = f"{counted(_moved(proposal), 'sample was', 'samples were')} moved to another phase"
        _write_csv(proposal, args)
        if not args.json:
            _print(proposal, args)
    return show_edited(edited, args, done=done, details=details)


def _options(args: argparse.Namespace) -> "SplitOptions":
    from sceneset.edits.split_samples import SplitOptions

    if not (args.val or args.test):
        raise UsageError("say how many images to hold out: --val 0.1, --test 0.1 or both")
    if args.val + args.test >= 1:
        raise UsageError("--val and --test leave nothing for train; their sum must be below 1")
    shares = {Phase.TRAIN: 1 - args.val - args.test, Phase.VAL: args.val, Phase.TEST: args.test}
    return SplitOptions(shares, args.stratify, "stem" in args.by, args.seed, args.redo)


def _name_subsets(args: argparse.Namespace, catalog: "Catalog") -> None:
    """Let names of subsets among the scenes mean --subset; a name of both means the scene."""
    from sceneset.catalog.query import resolve_query
    from sceneset.cli.output import say

    scenes = []
    for word in args.scene:
        try:
            found = resolve_query(catalog, subsets=[word]).subsets
        except UnknownNameError:
            found = ()  # if it is no scene either, it is reported as an unknown scene
        if catalog.vocabulary.find(word) or word in catalog.params.selections:
            scenes.append(word)
            if found and not args.subset:
                say(
                    f"{word} is read as a scene or selection of all subsets; to split "
                    f"{', '.join(found)}, write --subset {word}",
                    style="yellow",
                )
        elif found:
            args.subset = [*args.subset, *found]
        else:
            scenes.append(word)
    args.scene = scenes


def _moved(proposal: "Proposal") -> int:
    return sum(map(len, proposal.moves.values()))


def _write_csv(proposal: "Proposal", args: argparse.Namespace) -> None:
    from sceneset.edits.split_samples import proposal_text
    from sceneset.storage.files import write_text

    if args.to_csv:
        write_text(args.to_csv, proposal_text(proposal))


def _show_proposal(proposal: "Proposal", args: argparse.Namespace) -> int:
    from sceneset.cli.output import print_json, say
    from sceneset.counts import counted

    _write_csv(proposal, args)
    if args.json:
        print_json({"changed": False, "split": _object(proposal, samples=args.samples)})
        return FINE
    _print(proposal, args)
    if args.to_csv:
        say(f"{counted(len(proposal.samples), 'image')} written to {args.to_csv}")
    say("nothing was changed: --dry-run shows the changes and findings, --apply makes the changes")
    return FINE


def _object(proposal: "Proposal", *, samples: bool = False) -> dict[str, Any]:
    return {
        "images": len(proposal.samples),
        "groups": proposal.groups,
        "moved": _moved(proposal),
        "held": proposal.held,
        "tested": proposal.tested,
        "stuck": proposal.stuck,
        "shares": [shares._asdict() for shares in proposal.shares],
        "samples": [
            {"subset": name, "phase": phase, "stem": stem, "to": to, "group": group or None}
            for name, (phase, stem), to, group in proposal.samples
        ]
        if samples
        else None,
    }


def _print(proposal: "Proposal", args: argparse.Namespace) -> None:
    """Print the shares of all strata, and which images stay and why."""
    from sceneset.cli.language import translate
    from sceneset.cli.output import Label, print_table, say
    from sceneset.counts import counted

    total = proposal.shares[0]
    phases = [phase for phase in Phase if total.wanted[phase] or total.reached[phase]]
    columns = [translate(f"{phase} / wanted") for phase in phases]
    print_table(
        ("scene", "persons", "images", "groups", *columns, "why not nearer"),
        [
            (
                shares.scene,
                shares.persons,
                shares.images,
                shares.groups,
                *(
                    f"{100 * shares.reached[p]:.1f} % / {100 * shares.wanted[p]:.3g} %"
                    for p in phases
                ),
                Label(shares.reason),
            )
            for shares in proposal.shares
        ],
        right=("images", "groups", *columns),
    )
    images = counted(len(proposal.samples) - proposal.held, "image")
    groups = counted(proposal.groups, "group")
    moved = counted(_moved(proposal), "image gets", "images get")
    say(f"{images} in {groups} of related images; {moved} another phase")
    if proposal.held and not args.redo:
        count = counted(proposal.held, "image stays", "images stay")
        say(f"{count} in val or test, counted there; --redo gives these new phases too")
    if proposal.tested:
        count = counted(proposal.tested, "image was a test image", "images were test images")
        say(f"{count} of a version; related images stay out of train with them")
    for reason, places in proposal.stuck.items():
        count = counted(len(places), "image stays", "images stay")
        say(f"{count} as before, because the group {reason} (first: {places[0]})", style="yellow")
