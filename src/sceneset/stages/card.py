"""Write the document's table of every subset, and an overview, as Markdown and HTML."""

import sys

from sceneset.registry import document
from sceneset.registry.catalog import Registry
from sceneset.registry.edge import FINE, guarded
from sceneset.registry.files import write_text
from sceneset.registry.yamlfile import load
from sceneset.schemas.stats import SetStats, SubsetStats


def write_cards(registry: Registry) -> None:
    """Write registry/cards/ from the entries and the statistics."""
    paths, vocabulary = registry.paths, registry.vocabulary

    def stats_of(name: str) -> SubsetStats:
        path = paths.stats / f"{name}.yaml"
        return load(path, SubsetStats, paths.shown(path))

    subsets = list(registry.each(stats_of))
    path = paths.stats / "dataset.yaml"
    union = load(path, SetStats, paths.shown(path))
    for language in document.LANGUAGES:
        for stats in subsets:
            entry = registry.entry(stats.subset)
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
        write_cards(Registry.open())
        return FINE

    return guarded(run)


if __name__ == "__main__":
    sys.exit(main())
