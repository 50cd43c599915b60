"""Open the index of a registry and print the number of its samples: ... ROOT."""

import sys
from pathlib import Path

from sceneset.catalog.index_builder import open_index

index = open_index(Path(sys.argv[1]))
print(sum(len(group.stems) for group in index.samples(index.resolve_query())))
