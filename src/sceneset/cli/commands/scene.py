"""Add a scene to the vocabulary, rename or merge scenes, or give a scene further names.

  add KEY                  a new scene, with --en, --zh or both
  rename OLD NEW           another key; the old one becomes an alias
  merge KEY... --into KEY  the samples and names go to the scene of --into
  alias KEY NAME...        further names that look-ups accept

Tags, scene tables and selections of the whole registry follow as one change. A renamed scene keeps
the names of its split files, because training configurations name them.
"""

import argparse
from typing import TYPE_CHECKING

from sceneset.cli.commands.sample_options import add_change, show_edited
from sceneset.cli.commands.sources import find_catalog
from sceneset.errors import FindingsError, UnknownNameError, UsageError

if TYPE_CHECKING:
    from sceneset.catalog.reader import Catalog
    from sceneset.edits.draft import Draft
    from sceneset.schemas.scene import Scene

EXAMPLES = """
  sceneset scene add snow_park --en "snow park" --zh 雪地公园
  sceneset scene rename ski skiing_alpine --dry-run
  sceneset scene merge skateboard roller --into wheels
  sceneset scene alias ski "downhill skiing" 高山滑雪
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("action", choices=("add", "rename", "merge", "alias"), help="what to do")
    parser.add_argument("names", nargs="+", metavar="NAME", help="keys or names of scenes")
    parser.add_argument("--en", default="", metavar="TEXT", help="add: the English name")
    parser.add_argument("--zh", default="", metavar="TEXT", help="add: the Chinese name")
    parser.add_argument(
        "--file-stem", metavar="STEM", help="add: start of its split files' names (default: KEY)"
    )
    parser.add_argument("--into", metavar="KEY", help="merge: the scene that remains")
    add_change(parser)


def run(args: argparse.Namespace) -> int:
    """Change the vocabulary and what uses it."""
    from sceneset.cli.output import say
    from sceneset.edits.edit_registry import edit_registry
    from sceneset.storage.transaction import Command

    _check_options(args)
    catalog = find_catalog()
    action, names = args.action, args.names
    options = (args.en, args.zh, args.file_stem or "", args.into or "")
    command = Command.of("scene", action, *names, "--", *options)

    def plan(catalog: "Catalog", draft: "Draft") -> str:
        return _change_scenes(args, catalog, draft)

    edited = edit_registry(catalog, command, plan, dry_run=args.dry_run, notify=say)
    return show_edited(edited, args, done=edited.result if edited else "")


def _check_options(args: argparse.Namespace) -> None:
    wanted = {"add": (1, 1), "rename": (2, 2), "merge": (1, 1000), "alias": (2, 1000)}
    least, most = wanted[args.action]
    if not least <= len(args.names) <= most:
        usage = {
            "add": "add KEY",
            "rename": "rename OLD NEW",
            "merge": "merge KEY... --into KEY",
            "alias": "alias KEY NAME...",
        }
        raise UsageError(f"write: sceneset scene {usage[args.action]}")
    if args.action == "add" and not (args.en or args.zh):
        raise UsageError("give the scene a name: --en, --zh or both")
    if args.action != "add" and (args.en or args.zh or args.file_stem):
        raise UsageError("--en, --zh and --file-stem are for `sceneset scene add`")
    if (args.action == "merge") != bool(args.into):
        raise UsageError("`sceneset scene merge` needs --into, and no other action has it")


def _change_scenes(args: argparse.Namespace, catalog: "Catalog", draft: "Draft") -> str:
    """Note the change; return what was done."""
    from sceneset.counts import counted
    from sceneset.edits.scenes import add_scene, alias_scene, merge_scenes, rename_scene

    first, *others = args.names
    if args.action == "add":
        add_scene(catalog, draft, _scene(args))
        return f"the scene {first} was added"
    if args.action == "alias":
        key = _find(catalog, first)
        alias_scene(catalog, draft, key, others)
        return f"{key} is found as {', '.join(others)} now"
    if args.action == "rename":
        key = _find(catalog, first)
        count = rename_scene(catalog, draft, key, others[0])
        samples = counted(count, "sample")
        return f"{key} is called {others[0]} now, in the tags of {samples}"
    into = _find(catalog, args.into)
    keys = [key for name in args.names if (key := _find(catalog, name)) != into]
    if not keys:
        raise UsageError(f"--into {into}: name other scenes to merge into it")
    count = merge_scenes(catalog, draft, list(dict.fromkeys(keys)), into)
    return f"{', '.join(keys)} became part of {into}, in the tags of {counted(count, 'sample')}"


def _find(catalog: "Catalog", name: str) -> str:
    from sceneset.schemas.terms import TOTAL

    key = catalog.vocabulary.find(name)
    if key == TOTAL:
        raise UsageError(f"{TOTAL} is no scene of the vocabulary")
    if key is None:
        nearest = ", ".join(catalog.vocabulary.nearest(name))
        hint = f"Nearest: {nearest}. " if nearest else ""
        raise UnknownNameError(
            f"no scene is called {name!r}. {hint}`sceneset scenes` lists all scenes"
        )
    return key


def _scene(args: argparse.Namespace) -> "Scene":
    from pydantic import ValidationError

    from sceneset.schemas.scene import Scene
    from sceneset.storage.yaml_files import schema_finding

    key = args.names[0]
    name = {language: text for language in ("en", "zh") if (text := getattr(args, language))}
    fields = {"key": key, "name": name, "file_stem": args.file_stem or key}
    try:
        return Scene.model_validate(fields)
    except ValidationError as error:
        detail = error.errors(include_url=False)[0]
        raise FindingsError([schema_finding(detail, Scene, key, None)]) from None
