"""Arguments that several commands share: which registry is read, as of when, and what of it."""

import argparse

from sceneset.schemas.terms import Persons, Phase

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from sceneset.catalog.index import Index
    from sceneset.catalog.query import Query
    from sceneset.catalog.reader import Catalog


def add_source(parser: argparse.ArgumentParser) -> None:
    """Declare --rev and --repo."""
    parser.add_argument(
        "--rev", help="as it stood at a version (1.2.0), tag, branch or commit; nothing is changed"
    )
    parser.add_argument(
        "--repo", default=".", help="another registry: a folder or a git URL (default: this one)"
    )


def source(args: argparse.Namespace) -> "Catalog":
    """Return the registry asked for."""
    from sceneset.versions.revisions import open_state

    return open_state(args.repo, args.rev)


def indexed(args: argparse.Namespace) -> "Index":
    """Return the index of the registry asked for, up to date."""
    from sceneset.catalog.index import Index
    from sceneset.paths import find_root, is_url

    here = args.rev is None and not is_url(args.repo)
    root = find_root(args.repo) if here else source(args).root

    def build(*, rebuild: bool) -> Index:
        from pathlib import Path

        from sceneset.catalog.index_builder import open_index
        from sceneset.cli.output import progress, say

        return open_index(Path(root), rebuild=rebuild, progress=progress, notify=say)

    return Index.current(root, lambda: build(rebuild=True)) or build(rebuild=False)


def add_query(parser: argparse.ArgumentParser) -> None:
    """Declare scenes, --persons, --phase and --subset."""
    parser.add_argument("scene", nargs="*", help="a scene in any of its names; several are joined")
    parser.add_argument("--persons", choices=[p.value for p in Persons], help="single or multi")
    parser.add_argument(
        "--phase",
        choices=[p.value for p in Phase],
        action="append",
        default=[],
        help="may be given several times",
    )
    parser.add_argument(
        "--subset",
        action="append",
        default=[],
        help="a subset's name or a part of it; may be given several times",
    )


def words_of(args: argparse.Namespace) -> "dict[str, Any]":
    """Return what ``add_query`` declared, as the askers of Registry and Index take it."""
    return {
        "scenes": args.scene,
        "persons": args.persons,
        "phases": args.phase,
        "subsets": args.subset,
    }


def query_of(catalog: "Catalog", args: argparse.Namespace) -> "Query":
    """Return the checked query."""
    from sceneset.catalog.query import ask

    return ask(catalog, **words_of(args))
