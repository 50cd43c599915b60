"""Arguments that several commands share: which registry and revision, and which samples."""

import argparse

from sceneset.cli.argument_types import whole_number
from sceneset.schemas.terms import Persons, Phase

TYPE_CHECKING = False  # importing typing would take longer than a look-up
if TYPE_CHECKING:
    from typing import Any

    from sceneset.catalog.index import Index
    from sceneset.catalog.reader import Catalog


def add_source(parser: argparse.ArgumentParser) -> None:
    """Add --rev and --repo."""
    parser.add_argument(
        "--rev",
        help="read a version (1.2.0, or latest), tag, branch or commit; the working tree is not "
        "changed",
    )
    add_repo(parser)


def add_repo(parser: argparse.ArgumentParser) -> None:
    """Add --repo."""
    parser.add_argument(
        "--repo",
        default=".",
        help="the registry to read: a folder, a git URL or a bare repository; URL//FOLDER for a "
        "registry in a folder of a repository (default: the current folder)",
    )


def add_remote(parser: argparse.ArgumentParser) -> None:
    """Add --remote."""
    parser.add_argument(
        "--remote", metavar="NAME", help="the DVC remote to use (default: the default remote)"
    )


def add_fetch(parser: argparse.ArgumentParser) -> None:
    """Add --fetch."""
    parser.add_argument(
        "--fetch", action="store_true", help="download files that are not on this machine"
    )


def add_internal(parser: argparse.ArgumentParser) -> None:
    """Add --internal."""
    parser.add_argument(
        "--internal",
        action="store_true",
        help="with a URL in --repo: include samples that the registry restricts to internal use",
    )


def add_view(parser: argparse.ArgumentParser, *, with_rule: bool = True) -> None:
    """Add --limit, --all and --rule, which say how findings are shown; see ``cli.findings.View``.

    Args:
        parser: The parser.
        with_rule: Whether to add --rule; `fix` has one of its own.
    """
    if with_rule:
        parser.add_argument(
            "--rule",
            action="append",
            dest="shown_rule",
            metavar="CODE",
            type=_rule_code,
            help="show only findings of this rule (can be repeated); the exit code still counts "
            "all findings",
        )
    parser.set_defaults(shown_rule=None, has_rule=with_rule)
    parser.add_argument(
        "--limit",
        type=whole_number(1),
        dest="shown_limit",
        metavar="N",
        help="places to show of each rule (default: 5)",
    )
    parser.add_argument(
        "--all",
        action="store_true",
        dest="shown_all",
        help="show every finding on a line of its own",
    )


def _rule_code(text: str) -> str:
    from sceneset.schemas.rules import find_rule

    try:
        return find_rule(text).code
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def ask_on_terminal(question: str) -> bool:
    """Ask a question on the terminal and return whether the answer is yes; without one, no."""
    import sys

    from sceneset.cli.output import say

    if not (sys.stdin and sys.stdin.isatty() and sys.stderr.isatty()):
        return False
    say(f"{question} [y/N]")
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def find_catalog() -> "Catalog":
    """Return the registry of the current folder; what takes long shows its progress."""
    from sceneset.catalog.reader import Catalog
    from sceneset.cli.output import progress

    return Catalog.find(".", progress=progress)


def open_state(repo: str, rev: "str | None") -> "Catalog":
    """Return a revision of a registry; what takes long shows its progress."""
    from sceneset.cli.output import progress
    from sceneset.versions import revisions

    return revisions.open_state(repo, rev, progress=progress)


def open_catalog(args: argparse.Namespace) -> "Catalog":
    """Return the registry and revision that --repo and --rev name."""
    return open_state(args.repo, args.rev)


def open_current_index(args: argparse.Namespace) -> "Index":
    """Return the up-to-date index of the registry and revision that --repo and --rev name.

    If the index is up to date, no library is loaded.
    """
    from sceneset.catalog.index import Index
    from sceneset.paths import find_root, has_no_working_tree

    is_working_tree = args.rev is None and not has_no_working_tree(args.repo)
    root = find_root(args.repo) if is_working_tree else open_catalog(args).root

    def build(*, rebuild: bool) -> Index:
        from pathlib import Path

        from sceneset.catalog.index_builder import open_index
        from sceneset.cli.output import progress, say

        return open_index(Path(root), rebuild=rebuild, progress=progress, notify=say)

    return Index.current(root, lambda: build(rebuild=True)) or build(rebuild=False)


def add_query(parser: argparse.ArgumentParser) -> None:
    """Add scenes, --persons, --phase and --subset."""
    add_scenes(parser)
    parser.add_argument(
        "--persons", choices=[p.value for p in Persons], help="number of persons per image"
    )
    parser.add_argument(
        "--phase",
        choices=[p.value for p in Phase],
        action="append",
        default=[],
        help="train, val or test; may be given several times",
    )


def add_scenes(parser: argparse.ArgumentParser) -> None:
    """Add scenes and --subset."""
    parser.add_argument(
        "scene",
        nargs="*",
        metavar="SCENE",
        help="a scene by key, name, alias or file stem, or a selection of params.yaml; several "
        "select the union",
    )
    parser.add_argument(
        "--subset",
        action="append",
        default=[],
        help="name of a subset, or a unique part of it; may be given several times",
    )


def query_options(args: argparse.Namespace) -> "dict[str, Any]":
    """Return the arguments of `add_query` as keyword arguments of `resolve_query`."""
    return {
        "scenes": args.scene,
        "persons": args.persons,
        "phases": args.phase,
        "subsets": args.subset,
    }
