"""Write the document's table of every subset, and an overview, as Markdown and HTML."""

import sys
from itertools import product

from sceneset.catalog.reader import Catalog
from sceneset.reporting import cards
from sceneset.schemas.stats import SetStats, SubsetStats
from sceneset.stages.runner import registry_stage
from sceneset.storage.files import write_text
from sceneset.storage.yaml_files import load


def write_cards(catalog: Catalog) -> None:
    """Write registry/cards/ from the entries and the statistics."""
    paths, vocabulary = catalog.paths, catalog.vocabulary

    def read_stats(name: str) -> SubsetStats:
        path = paths.stats / f"{name}.yaml"
        return load(path, SubsetStats, paths.relative(path))

    def write(name: str, text: str) -> None:
        write_text(paths.cards / name, text, fsync=False)

    subsets = list(catalog.each(read_stats))
    path = paths.stats / "dataset.yaml"
    union = load(path, SetStats, paths.relative(path))
    for language, form in product(cards.LANGUAGES, cards.FORMATS):
        for stats in subsets:
            entry = catalog.entry(stats.subset)
            card = cards.subset_card(vocabulary, entry, stats, language, form)
            write(f"{stats.subset}.{language}.{form}", card)
        write(f"index.{language}.{form}", cards.index_card(subsets, union, language, form))


main = registry_stage(write_cards)

if __name__ == "__main__":
    sys.exit(main())
