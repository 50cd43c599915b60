"""List the vocabulary: every scene with its names, and how many samples the registry holds."""

import argparse
from typing import Any

from sceneset.registry.commands.sources import add_source, source
from sceneset.registry.edge import FINE

EXAMPLES = """
  sceneset scenes
  sceneset scenes --json
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_source(parser)
    parser.add_argument("--json", action="store_true", help="print a list of objects")


def run(args: argparse.Namespace) -> int:
    """Show the scenes."""
    from collections import Counter

    from sceneset.registry.render import print_json, print_table

    registry = source(args)
    counts: Counter[tuple[str, str | None]] = Counter()
    images: Counter[str] = Counter()
    for tags in registry.each(registry.tags):
        for tag in tags:
            counts.update(set(tag.memberships))
            images.update({scene for scene, _ in tag.scenes})
    objects: list[dict[str, Any]] = [
        {
            "key": scene.key,
            "en": scene.name.en,
            "zh": scene.name.zh,
            "file_stem": scene.file_stem,
            "aliases": list(scene.aliases),
            "images": images[scene.key],
            "single": counts[scene.key, "single"],
            "multi": counts[scene.key, "multi"],
        }
        for scene in registry.vocabulary.scenes
    ]
    if args.json:
        print_json(objects)
    else:
        columns = ("key", "en", "zh", "file_stem", "images", "single", "multi", "aliases")
        rows = [
            [", ".join(o[c]) if isinstance(o[c], list) else o[c] for c in columns] for o in objects
        ]
        heads = ("scene", "English", "Chinese", "file stem", "images", "single", "multi", "aliases")
        print_table(heads, rows, right=("images", "single", "multi"))
    return FINE
