"""Find the rows or the samples of one or several scenes.

Scenes are named by key, English or Chinese name, alias or file stem. Without a scene, all
rows are shown. Only text is read: it works in a clone that holds no image.
"""

import argparse
import sys

from sceneset.cli.commands.sources import (
    add_query,
    add_source,
    indexed,
    query_of,
    source,
    words_of,
)
from sceneset.cli.exit_codes import FINE
from sceneset.errors import UsageError

EXAMPLES = """
  sceneset lookup                                all rows of all subsets
  sceneset lookup ski                            rows of one scene, train and val, single and multi
  sceneset lookup 滑雪 "high jump" --persons single
  sceneset lookup ski --phase train --stems      the stems, for a split file of your own
  sceneset lookup ski --paths                    image files, one a line
  sceneset lookup ski --samples --json           all that is known of each sample
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    add_query(parser)
    add_source(parser)
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--samples", action="store_true", help="show samples, not rows")
    shape.add_argument("--stems", action="store_true", help="print the stems alone, one a line")
    shape.add_argument(
        "--paths",
        action="store_true",
        help="print the image files, one a line, from the registry's root",
    )
    shape.add_argument("--mask-paths", action="store_true", help="print the mask files")
    parser.add_argument("--json", action="store_true", help="print a list of objects")


def run(args: argparse.Namespace) -> int:
    """Answer one query."""
    if args.stems or args.paths or args.mask_paths:
        if args.json:
            raise UsageError("--json goes with rows and --samples; --stems and --paths are lines")
        _lines(args)
    elif args.samples:
        _samples(args)
    else:
        _rows(args)
    return FINE


def _lines(args: argparse.Namespace) -> None:
    from sceneset.paths import DATA_ROOT

    index = indexed(args)
    found = index.samples(index.ask(**words_of(args)))
    if args.stems and len(found) > 1:
        from sceneset.cli.output import say

        say(
            f"these stems are of {len(found)} subsets and phases; a reader takes one of each: "
            "--subset, --phase",
            style="yellow",
        )
    for group in found:
        folder = "ann_dir" if args.mask_paths else "img_dir"
        before = "" if args.stems else f"{DATA_ROOT}/{group.subset}/{folder}/{group.phase}/"
        after = ("" if args.stems else ".png" if args.mask_paths else group.suffix) + "\n"
        sys.stdout.write(before + f"{after}{before}".join(group.stems) + after)


def _rows(args: argparse.Namespace) -> None:
    from sceneset.cli.output import print_json, print_table, say

    index = indexed(args)
    objects = index.rows(index.ask(**words_of(args)))
    if args.json:
        print_json(objects)
    elif not objects:
        say("no row answers that; --samples looks past the rows", style="yellow")
    else:
        print_table(
            ("subset", "scene", "persons", "phase", "split file", "images", "boxes", "description"),
            [
                (
                    o["subset"],
                    o["scene"],
                    o["persons"],
                    o["phase"],
                    o["split_file"],
                    o["images"],
                    o["boxes"],
                    o["description"]["zh"],
                )
                for o in objects
            ],
            right=("images", "boxes"),
        )


def _samples(args: argparse.Namespace) -> None:
    from sceneset.catalog.query import content_hashes, find_samples
    from sceneset.cli.output import print_json, print_table, say

    catalog = source(args)
    found = find_samples(catalog, query_of(catalog, args))
    if not args.json:
        print_table(
            ("subset", "phase", "stem", "scenes", "persons", "image"),
            [
                (
                    s.subset,
                    s.tag.phase,
                    s.tag.stem,
                    ", ".join(scene for scene, _ in s.tag.scenes),
                    s.tag.persons_word,
                    s.image,
                )
                for s in found
            ],
        )
        if not found:
            say("no sample answers that", style="yellow")
        return
    hashes = {name: content_hashes(catalog, name) for name in {s.subset for s in found}}
    objects = []
    for sample in found:
        image_md5, mask_md5 = hashes[sample.subset].get(sample.tag.key, (None, None))
        objects.append(sample.as_json() | {"image_md5": image_md5, "mask_md5": mask_md5})
    print_json(objects)
