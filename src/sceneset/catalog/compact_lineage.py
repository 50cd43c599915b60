"""Keep the lineages of many commits in little memory, and find the rows of some images.

Rows are kept as bytes: as models they need five times the memory.
"""

from collections.abc import Collection, Iterable

from sceneset.catalog.lineage import join_groups, lineage_sort_key, root_of
from sceneset.schemas.lineage import LineageRow

_COLUMNS = tuple(LineageRow.model_fields)
_OLD, _NEW = _COLUMNS.index("image_md5"), _COLUMNS.index("new_image_md5")


class CompactLineage:
    """Rows of lineages, each once, and which image files belong to the same sample."""

    def __init__(self) -> None:
        self._rows: set[bytes] = set()
        self._parents: dict[int, int] = {}
        """A tree of image files for each sample, by content hash."""

    def add(self, rows: Iterable[LineageRow]) -> None:
        """Add rows; none of them if their iterator raises an exception."""
        lines = ["\t".join((*row.before, *row.after, row.reason)).encode() for row in rows]
        for line in lines:
            if line not in self._rows:
                self._rows.add(line)
                values = line.split(b"\t")
                join_groups(self._parents, int(values[_OLD], 16), int(values[_NEW], 16))

    def related_images(self, images: Iterable[str]) -> set[str]:
        """Return image files and all files that became them or that they became."""
        found, parents = set(images), self._parents
        named = {int(md5, 16) for md5 in found} & parents.keys()
        roots = {root_of(parents, md5) for md5 in named}
        if roots:
            found.update(f"{md5:032x}" for md5 in parents if root_of(parents, md5) in roots)
        return found

    def rows_of(self, images: Collection[str]) -> list[LineageRow]:
        """Return the changes of image files, sorted.

        Args:
            images: Content hashes of the files before the change.
        """
        wanted = {md5.encode() for md5 in images}
        found = (line.split(b"\t") for line in self._rows)
        rows = [
            LineageRow.model_validate(
                dict(zip(_COLUMNS, (value.decode() for value in values), strict=True))
            )
            for values in found
            if values[_OLD] in wanted
        ]
        return sorted(rows, key=lineage_sort_key)
