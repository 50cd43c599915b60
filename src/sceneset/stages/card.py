"""Write the document's table of every subset, and an overview, as Markdown and HTML."""

import sys

from sceneset.catalog.reader import Catalog
from sceneset.reporting.cards import card_texts, read_statistics
from sceneset.stages.runner import registry_stage
from sceneset.storage.files import write_text


def write_cards(catalog: Catalog) -> None:
    """Write registry/cards/ from the entries and the statistics."""
    for name, text in card_texts(catalog, *read_statistics(catalog)):
        write_text(catalog.paths.cards / name, text, fsync=False)


main = registry_stage(write_cards)

if __name__ == "__main__":
    sys.exit(main())
