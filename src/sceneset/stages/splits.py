"""Write the split files of one subset: its scene table's rows, selected from its tags."""

import sys
from collections.abc import Sequence

from sceneset.catalog.reader import Catalog
from sceneset.catalog.split_selection import split_files
from sceneset.cli.exit_codes import guarded
from sceneset.errors import UsageError
from sceneset.storage.files import write_text


def write_splits(catalog: Catalog, name: str) -> None:
    """Write every split file of a subset; files of rows that are gone go too."""
    folder = catalog.paths.subset(name) / "split_dir"
    texts = split_files(catalog.entry(name), catalog.tags(name))
    for file, text in texts.items():
        write_text(folder / file, text)
    for path in folder.iterdir():
        if path.name not in texts:
            path.unlink()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the stage for the subset named on the command line."""
    words = list(sys.argv[1:] if arguments is None else arguments)

    def run() -> int:
        if len(words) not in {1, 2}:
            raise UsageError("usage: python -m sceneset.stages.splits SUBSET [ALGORITHM]")
        write_splits(Catalog.find(), words[0])
        return 0

    return guarded(run)


if __name__ == "__main__":
    sys.exit(main())
