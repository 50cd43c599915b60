"""The protocol that each format to export to follows."""

from typing import Protocol

from sceneset.exports.output import Output
from sceneset.exports.types import ExportOptions, Selection


class Exporter(Protocol):
    """One format to write."""

    name: str
    """The word after `sceneset export`."""
    title: str
    """The name that people know, and its readers."""
    loses: str
    """What the format can't hold, as sentences; "" if it holds everything."""
    takes: frozenset[str]
    """Supported options besides the defaults: "class", "folder" (of --scene-as), "polygons",
    "merged", "shard_bytes", "parquet"."""

    def write(self, selection: Selection, options: ExportOptions, out: Output) -> None:
        """Write the samples. Files that can't be read are reported by ``out``."""

    def count(self, out: Output) -> int:
        """Return the number of samples in the written files, by reading these again."""
