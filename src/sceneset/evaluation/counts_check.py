"""Check a table of counts that comes from a file, which anybody may have changed."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

_KNOWN = ("subset", "phase", "stem", "scenes", "width", "height", "mask_md5", "problem", "values")
"""Columns with a value in each row."""


def problem_of(table: "pa.Table", counts: Sequence[str]) -> str | None:
    """Return what no evaluation writes into a table of counts, or None.

    Args:
        table: The table, with the right types.
        counts: The columns with numbers of pixels.
    """
    import pyarrow.compute as pc

    if empty := next((name for name in _KNOWN if table[name].null_count), None):
        return f"has a row without {empty}"
    keys = [table[name] for name in ("subset", "phase", "stem")]
    names = pc.binary_join_element_wise(*keys, "/")
    if len(names.unique()) < len(names):
        return "has a sample twice"
    if pc.list_flatten(table["scenes"]).null_count:
        return "has a row with a scene without a name"
    rows = table.filter(pc.is_valid(table["both"]))
    if not len(rows):
        return None
    columns = {name: rows[name] for name in counts}
    if any(column.null_count for column in columns.values()):
        return "has a row with some counts only"
    if any(pc.min(column).as_py() < 0 for column in columns.values()):
        return "has a count below 0"
    both = columns["both"]
    is_more = pc.or_(pc.less(columns["truth"], both), pc.less(columns["predicted"], both))
    either = pc.subtract(pc.add(columns["truth"], columns["predicted"]), both)
    pixels = pc.multiply(rows["width"].cast("int64"), rows["height"].cast("int64"))
    is_more = pc.or_(is_more, pc.greater(pc.add(either, columns["ignored"]), pixels))
    return "has a row with more pixels than its image" if pc.any(is_more).as_py() else None
