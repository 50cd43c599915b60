"""Write the split files of one subset: the rows of its scene table, selected from its tags."""

import sys

from sceneset.catalog.reader import Catalog
from sceneset.catalog.split_selection import split_files
from sceneset.stages.runner import subset_stage
from sceneset.storage.files import write_text


def write_splits(catalog: Catalog, name: str) -> None:
    """Write all split files of a subset, and delete those that the scene table no longer names."""
    folder = catalog.paths.subset(name) / "split_dir"
    texts = split_files(catalog.entry(name), catalog.tags(name))
    for file, text in texts.items():
        write_text(folder / file, text)
    for path in folder.iterdir():
        if path.name not in texts:
            path.unlink()


main = subset_stage("splits", write_splits)

if __name__ == "__main__":
    sys.exit(main())
