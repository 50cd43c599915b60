"""Find the rows of the scene tables, or the samples, of one or more scenes.

A scene can be given by its key, its English or Chinese name, an alias or its file stem. Without a
scene, all rows are shown. `lookup` reads only text files, so it works in a clone without images.
Of a version, withdrawn samples are left out of samples, stems and paths, as in a pull.
"""

import argparse
import sys

from sceneset.cli.commands.sources import (
    add_query,
    add_source,
    open_catalog,
    open_current_index,
    query_options,
)
from sceneset.cli.exit_codes import FINE
from sceneset.errors import UsageError

EXAMPLES = """
  sceneset lookup                           all rows of all subsets
  sceneset lookup ski                       the rows of one scene
  sceneset lookup 滑雪 "high jump" --persons single
  sceneset lookup ski --phase train --stems   the stems, for a split file
  sceneset lookup ski --paths               the image files, one per line
  sceneset lookup ski --samples --json      everything known about each sample
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_query(parser)
    add_source(parser)
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--samples", action="store_true", help="show samples instead of rows")
    shape.add_argument("--stems", action="store_true", help="print only the stems, one per line")
    shape.add_argument(
        "--paths",
        action="store_true",
        help="print the image files, one per line, relative to the registry",
    )
    shape.add_argument("--mask-paths", action="store_true", help="print the mask files, likewise")
    parser.add_argument("--json", action="store_true", help="print a list of JSON objects")


def run(args: argparse.Namespace) -> int:
    """Print the rows, samples, stems or paths."""
    if args.stems or args.paths or args.mask_paths:
        if args.json:
            raise UsageError("--json can't be combined with --stems, --paths or --mask-paths")
        _print_lines(args)
    elif args.samples:
        _print_samples(args)
    else:
        _print_rows(args)
    return FINE


def _print_lines(args: argparse.Namespace) -> None:
    from sceneset.paths import DATA_ROOT, has_no_working_tree

    index = open_current_index(args)
    found = index.samples(index.resolve_query(**query_options(args)))
    if args.rev is not None or has_no_working_tree(args.repo):
        from sceneset.catalog.scanned_files import withdrawn_samples

        withdrawn = withdrawn_samples(open_catalog(args), [group.subset for group in found])
        for group in found:
            keys = ((group.subset, group.phase, stem) for stem in group.stems)
            group.stems = [key[2] for key in keys if key not in withdrawn]
        found = [group for group in found if group.stems]
    if args.stems and len(found) > 1:
        from sceneset.cli.output import say

        say(
            f"warning: the stems are from {len(found)} combinations of subset and phase; "
            "use --subset and --phase to select one",
            style="yellow",
        )
    for group in found:
        folder = "ann_dir" if args.mask_paths else "img_dir"
        prefix = "" if args.stems else f"{DATA_ROOT}/{group.subset}/{folder}/{group.phase}/"
        suffix = ("" if args.stems else ".png" if args.mask_paths else group.suffix) + "\n"
        sys.stdout.write(prefix + f"{suffix}{prefix}".join(group.stems) + suffix)


def _print_rows(args: argparse.Namespace) -> None:
    from sceneset.cli.language import text_in
    from sceneset.cli.output import print_json, print_table, say

    index = open_current_index(args)
    objects = index.rows(index.resolve_query(**query_options(args)))
    if args.json:
        print_json(objects)
    elif not objects:
        say("no row matches; use --samples to search all samples", style="yellow")
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
                    text_in(o["description"]),
                )
                for o in objects
            ],
            right=("images", "boxes"),
            optional=("description", "boxes"),
        )


def _print_samples(args: argparse.Namespace) -> None:
    from sceneset.catalog.lookup import find_samples
    from sceneset.catalog.query import resolve_query
    from sceneset.catalog.scanned_files import content_hashes, withdrawn_samples
    from sceneset.cli.output import print_json, print_table, say

    catalog = open_catalog(args)
    found = find_samples(catalog, resolve_query(catalog, **query_options(args)))
    withdrawn = withdrawn_samples(catalog, {sample.subset for sample in found})
    found = [sample for sample in found if (sample.subset, *sample.tag.key) not in withdrawn]
    if not args.json:
        print_table(
            ("subset", "phase", "stem", "scenes", "persons", "image"),
            [
                (
                    s.subset,
                    s.tag.phase,
                    s.tag.stem,
                    ", ".join(scene for scene, _ in s.tag.scenes),
                    s.tag.persons_summary,
                    s.image,
                )
                for s in found
            ],
            optional=("image",),
        )
        if not found:
            say("no sample matches", style="yellow")
        return
    hashes = {name: content_hashes(catalog, name) for name in {s.subset for s in found}}
    objects = []
    for sample in found:
        image_md5, mask_md5 = hashes[sample.subset].get(sample.tag.key, (None, None))
        objects.append(sample.as_json() | {"image_md5": image_md5, "mask_md5": mask_md5})
    print_json(objects)
