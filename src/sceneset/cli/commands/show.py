"""Show one subset: what it is, its scene table, its counts and its colours."""

import argparse
from typing import TYPE_CHECKING, Any

from sceneset.registry.commands.sources import add_source, source
from sceneset.registry.edge import FINE

if TYPE_CHECKING:
    from sceneset.registry.catalog import Registry
    from sceneset.schemas.stats import SubsetStats

EXAMPLES = """
  sceneset show CustomSeg_Person_20240115_demo-full
  sceneset show demo-full               a part of the name is enough
  sceneset show demo-full --json
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("subset", help="a subset's name or a part of it")
    add_source(parser)
    parser.add_argument("--json", action="store_true", help="print one object")


def run(args: argparse.Namespace) -> int:
    """Show it."""
    from sceneset.registry import query

    registry = source(args)
    asked = query.ask(registry, subsets=[args.subset])
    [name] = asked.subsets
    rows = [row.as_json(registry.vocabulary) for row in query.find_rows(registry, asked)]
    path = registry.paths.stats / f"{name}.yaml"
    stats = None
    if path.is_file():
        from sceneset.registry.yamlfile import load
        from sceneset.schemas.stats import SubsetStats

        stats = load(path, SubsetStats, registry.paths.shown(path))
    entry = registry.entry(name)
    if args.json:
        from sceneset.registry.render import print_json

        numbers = stats.numbers.model_dump(mode="json") if stats else None
        print_json(
            {
                "subset": name,
                "kind": entry.kind,
                "category": entry.category,
                "description": entry.description.model_dump(),
                "img_suffix": entry.img_suffix,
                "samples": len(registry.tags(name)),
                "rows": rows,
                "statistics": numbers,
            }
        )
        return FINE
    _print(registry, name, rows, stats)
    return FINE


def _print(
    registry: "Registry", name: str, rows: "list[dict[str, Any]]", stats: "SubsetStats | None"
) -> None:
    from sceneset.registry.document import overall
    from sceneset.registry.render import console, print_table, say

    entry, out = registry.entry(name), console()
    out.print(name, style="bold")
    out.print(f"kind {entry.kind}, {len(registry.tags(name))} samples, {entry.category}")
    for language in ("en", "zh"):
        if stats:
            out.print(overall(entry, stats, language))
    print_table(
        ("split", "file", "phase", "images", "boxes", "description"),
        [
            (
                r["split"],
                r["split_file"],
                r["phase"],
                r["images"],
                r["boxes"],
                f"{r['description']['en']}  {r['description']['zh']}",
            )
            for r in rows
        ],
        right=("images", "boxes"),
    )
    if stats is None:
        say("no statistics yet: run `dvc repro`", style="yellow")
        return
    colour = stats.numbers.colour
    if colour:
        print_table(
            ("colour, 0 to 1", "R", "G", "B"),
            [
                (what.replace("_", " "), *(f"{value:.6f}" for value in values))
                for what, values in colour.model_dump().items()
            ],
            right=("R", "G", "B"),
        )
        out.print("pooled mean and std belong in a training config")
