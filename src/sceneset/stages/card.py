"""Write the document's table of every subset, and an overview, as Markdown and HTML."""

import sys

from sceneset.catalog.reader import Catalog
from sceneset.cli.exit_codes import FINE, guarded
from sceneset.reporting import cards as document
from sceneset.schemas.stats import SetStats, SubsetStats
from sceneset.storage.files import write_text
from sceneset.storage.yaml_files import load


def write_cards(catalog: Catalog) -> None:
    """Write registry/cards/ from the entries and the statistics."""
    paths, vocabulary = catalog.paths, catalog.vocabulary

    def stats_of(name: str) -> SubsetStats:
        path = paths.stats / f"{name}.yaml"
        return load(path, SubsetStats, paths.shown(path))

    subsets = list(catalog.each(stats_of))
    path = paths.stats / "dataset.yaml"
    union = load(path, SetStats, paths.shown(path))
    for language in document.LANGUAGES:
        for stats in subsets:
            entry = catalog.entry(stats.subset)
            base = paths.cards / f"{stats.subset}.{language}"
            for suffix, text in (("md", document.markdown), ("html", document.html)):
                write_text(
                    base.parent / f"{base.name}.{suffix}",
                    text(vocabulary, entry, stats, language),
                    lasting=False,
                )
        index = paths.cards / f"index.{language}"
        for suffix, page in (("md", document.index_markdown), ("html", document.index_html)):
            write_text(
                index.with_name(f"{index.name}.{suffix}"),
                page(subsets, union, language),
                lasting=False,
            )


def main() -> int:
    """Run the stage."""

    def run() -> int:
        write_cards(Catalog.find())
        return FINE

    return guarded(run)


if __name__ == "__main__":
    sys.exit(main())
