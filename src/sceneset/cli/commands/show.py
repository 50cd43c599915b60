"""Show one subset: its kind, provenance, scene table, counts and color statistics."""

import argparse
from typing import TYPE_CHECKING, Any

from sceneset.cli.commands.sources import add_source, open_catalog
from sceneset.cli.exit_codes import FINE

if TYPE_CHECKING:
    from sceneset.catalog.reader import Catalog
    from sceneset.schemas.stats import SubsetStats
    from sceneset.schemas.subset import Subset

EXAMPLES = """
  sceneset show CustomSeg_Person_20240115_demo-full
  sceneset show demo-full               a part of the name is enough
  sceneset show demo-full --json
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("subset", metavar="SUBSET", help="name of the subset, or a part of it")
    add_source(parser)
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def run(args: argparse.Namespace) -> int:
    """Print the subset."""
    from sceneset.catalog.lookup import find_rows
    from sceneset.catalog.query import resolve_query

    catalog = open_catalog(args)
    query = resolve_query(catalog, subsets=[args.subset])
    [name] = query.subsets
    rows = [row.as_json(catalog.vocabulary) for row in find_rows(catalog, query)]
    path = catalog.paths.stats / f"{name}.yaml"
    stats = None
    if path.is_file():
        from sceneset.schemas.stats import SubsetStats
        from sceneset.storage.yaml_files import load

        stats = load(path, SubsetStats, catalog.paths.relative(path))
    entry = catalog.entry(name)
    if args.json:
        from sceneset.cli.output import print_json

        numbers = stats.numbers.model_dump(mode="json") if stats else None
        print_json(
            {
                "subset": name,
                "kind": entry.kind,
                "category": entry.category,
                "description": entry.description.model_dump(),
                "img_suffix": entry.img_suffix,
                "samples": len(catalog.tags(name)),
                "rows": rows,
                "statistics": numbers,
                "provenance": entry.provenance and entry.provenance.model_dump(mode="json"),
            }
        )
        return FINE
    _print(catalog, name, rows, stats)
    return FINE


def _print(
    catalog: "Catalog", name: str, rows: "list[dict[str, Any]]", stats: "SubsetStats | None"
) -> None:
    from sceneset.cli.language import is_chinese, text_in
    from sceneset.cli.output import Label, print_table, print_text, say
    from sceneset.counts import counted
    from sceneset.reporting.cards import overall_description

    entry = catalog.entry(name)
    print_text(name, style="bold", is_data=True)
    samples = counted(len(catalog.tags(name)), "sample")
    print_text(f"subset of kind {entry.kind}: {samples}, {entry.category}")
    if stats:
        language = "zh" if is_chinese() else "en"
        print_text(overall_description(entry, stats, language), is_data=True)
    _print_provenance(entry)
    print_table(
        ("split", "file", "phase", "images", "boxes", "description"),
        [
            (
                r["split"],
                r["split_file"],
                r["phase"],
                r["images"],
                r["boxes"],
                text_in(r["description"]),
            )
            for r in rows
        ],
        right=("images", "boxes"),
        optional=("boxes", "split"),
    )
    if stats is None:
        say("no statistics yet; run `dvc repro`", style="yellow")
        return
    colour = stats.numbers.colour
    if colour:
        print_table(
            ("color, 0 to 1", "R", "G", "B"),
            [
                (Label(what.replace("_", " ")), *(f"{value:.6f}" for value in values))
                for what, values in colour.model_dump().items()
            ],
            right=("R", "G", "B"),
        )
        print_text("Use the pooled mean and std in a training config.")


def _print_provenance(entry: "Subset") -> None:
    from sceneset.cli.language import is_chinese
    from sceneset.cli.output import print_text
    from sceneset.reporting.provenance import provenance_facts

    for name, text in provenance_facts(entry.provenance, "zh" if is_chinese() else "en"):
        print_text(f"{name}{'：' if is_chinese() else ': '}{text}", is_data=True)
