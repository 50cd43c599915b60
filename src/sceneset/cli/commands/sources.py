"""Arguments that several commands share: which registry is read, as of when, and what of it."""

import argparse

from sceneset.schemas.words import Persons, Phase

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from sceneset.registry.catalog import Registry
    from sceneset.registry.index import Index
    from sceneset.registry.query import Query


def add_source(parser: argparse.ArgumentParser) -> None:
    """Declare --rev and --repo."""
    parser.add_argument(
        "--rev", help="as it stood at a version (1.2.0), tag, branch or commit; nothing is changed"
    )
    parser.add_argument(
        "--repo", default=".", help="another registry: a folder or a git URL (default: this one)"
    )


def source(args: argparse.Namespace) -> "Registry":
    """Return the registry asked for."""
    from sceneset.registry.catalog import Registry

    return Registry.open(args.repo, args.rev)


def indexed(args: argparse.Namespace) -> "Index":
    """Return the index of the registry asked for, up to date."""
    from sceneset.registry.index import Index
    from sceneset.registry.places import find_root, is_url

    here = args.rev is None and not is_url(args.repo)
    return Index.open(find_root(args.repo) if here else source(args).root)


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


def query_of(registry: "Registry", args: argparse.Namespace) -> "Query":
    """Return the checked query."""
    from sceneset.registry.query import ask

    return ask(registry, **words_of(args))
