"""The tags of a subset as columns of small numbers, for counts over millions of samples.

Parsing a row of tags takes microseconds, reading columns of text a tenth of that. A file is only
read in columns if its samples are exactly those of the scan, whose names are checked, and if its
distinct values are valid. Any other file is parsed row by row, which reports its errors.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import ValidationError

from sceneset.catalog.reader import Catalog
from sceneset.catalog.tags_csv import COLUMNS
from sceneset.schemas.tag import SceneMembership, Tag
from sceneset.schemas.terms import Persons, Phase
from sceneset.storage.files import read_bytes

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    Codes = npt.NDArray[np.int32]
    Flags = npt.NDArray[np.bool_]

_READ = ("phase", "stem", "scenes", "persons", "source")
_NUMBERS = {
    "boxes": r"^[0-9]{0,15}$",
    "origin": r"^([0-9]{1,9} [0-9]{1,9} [0-9]{1,9} [0-9]{1,9})?$",
}
"""Columns whose values are not returned; other ones need the parser, which judges them."""


class Label(NamedTuple):
    """Scenes and persons that some samples have in common."""

    scenes: tuple[SceneMembership, ...]
    persons: Persons | None

    @property
    def tag(self) -> Tag:
        """A tag with this label, for what asks questions about tags."""
        return Tag(phase=Phase.TRAIN, stem="x", scenes=self.scenes, persons=self.persons)


class TagColumns(NamedTuple):
    """The tags of a subset, sorted by phase and stem; arrays have one value for each sample."""

    phase: "pa.Array"
    """Texts."""
    stem: "pa.Array"
    label: "Codes"
    """Places in ``labels``."""
    labels: list[Label]
    """All different labels."""
    source: "Codes"
    """Places in ``sources``; -1 without a source."""
    sources: list[str]
    """All different sources."""
    is_crop: "Flags"
    """Whether the sample has an origin."""

    def __len__(self) -> int:
        return len(self.label)


def tag_columns(catalog: Catalog, name: str, scan: "pa.Table | None" = None) -> TagColumns:
    """Return the tags of a listed subset as columns.

    Args:
        catalog: The registry.
        name: The subset.
        scan: Its scan with at least phase and stem; without it, the tags are parsed row by row.

    Raises:
        FindingsError: The tags can't be read.
    """
    found = _read_columns(catalog, name, scan) if scan is not None else None
    return found or _parsed_columns(catalog.tags(name, cache=False))


def _parsed_columns(tags: Sequence[Tag]) -> TagColumns:
    import numpy as np
    import pyarrow as pa

    labels: dict[Label, int] = {}
    sources: dict[str, int] = {"": -1}
    label = [labels.setdefault(Label(tag.scenes, tag.persons), len(labels)) for tag in tags]
    source = [sources.setdefault(tag.source, len(sources) - 1) for tag in tags]
    del sources[""]
    return TagColumns(
        pa.array([str(tag.phase) for tag in tags], pa.string()),
        pa.array([tag.stem for tag in tags], pa.string()),
        np.array(label, np.int32),
        [*labels],
        np.array(source, np.int32),
        [*sources],
        np.array([tag.origin is not None for tag in tags], np.bool_),
    )


def _read_columns(catalog: Catalog, name: str, scan: "pa.Table") -> TagColumns | None:
    """Return the columns of a file of tags that needs no parser, else None."""
    import pyarrow as pa

    path = catalog.paths.tags(name)
    data = read_bytes(path, catalog.paths.relative(path))
    try:
        table = _table_of(data, len(scan))
        if table is None or not _has_samples_of(table, scan):
            return None
        labels, label = _labels(table)
        sources, source = _sources(table)
    except (pa.ArrowException, ValidationError):
        return None
    known = catalog.vocabulary.by_key
    if any(scene not in known for one in labels for scene, _ in one.scenes):
        return None
    phase, stem = (table[name].combine_chunks() for name in ("phase", "stem"))
    return TagColumns(phase, stem, label, labels, source, sources, _is_crop(table))


def _table_of(data: bytes, rows: int) -> "pa.Table | None":
    """Return the rows of CSV text as texts; None if the text is not as plain as `tags_text`.

    Args:
        data: The text.
        rows: Its number of rows; text with more or fewer lines is not read.
    """
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import csv

    head, _, rest = data.partition(b"\n")
    header = head.decode("utf-8", "replace").split(",")
    is_plain = not any(byte in data for byte in (b'"', b"\r", b"\0"))
    has_rows = rest.count(b"\n") + (not rest.endswith(b"\n")) == rows
    if not (is_plain and rest and has_rows) or header not in ([*COLUMNS], [*COLUMNS[:-1]]):
        return None
    table = csv.read_csv(
        pa.BufferReader(data),
        read_options=csv.ReadOptions(use_threads=False),
        parse_options=csv.ParseOptions(quote_char=False),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(header, pa.string()), strings_can_be_null=False
        ),
    )
    for column in set(_NUMBERS) & set(header):
        if not pc.all(pc.match_substring_regex(table[column], _NUMBERS[column])).as_py():
            return None
    return table.select([name for name in (*_READ, "origin") if name in header])


def _has_samples_of(table: "pa.Table", scan: "pa.Table") -> bool:
    """Return whether phases and stems are those of a scan, in its order, each once."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if len(table) != len(scan):
        return False
    phase = scan["phase"].cast(pa.string())
    if not (table["phase"].equals(phase) and table["stem"].equals(scan["stem"])):
        return False
    key = pc.binary_join_element_wise(table["phase"], table["stem"], "/").combine_chunks()
    return len(key) < 2 or bool(pc.all(pc.less(key[:-1], key[1:])).as_py())


def _labels(table: "pa.Table") -> "tuple[list[Label], Codes]":
    """Return the different labels, and the place of each row's label."""
    import pyarrow.compute as pc

    joined = pc.binary_join_element_wise(table["scenes"], table["persons"], "\x1f")
    texts, places = _encoded(joined)
    labels = []
    for text in texts:
        scenes, persons = text.split("\x1f")
        tag = Tag.model_validate(
            {"phase": "train", "stem": "x", "scenes": scenes, "persons": persons}
        )
        labels.append(Label(tag.scenes, tag.persons))
    return labels, places


def _sources(table: "pa.Table") -> "tuple[list[str], Codes]":
    """Return the different sources, and the place of each row's source; -1 without one."""
    import numpy as np

    texts, places = _encoded(table["source"])
    sources: dict[str, int] = {"": -1}
    number = []
    for text in texts:
        source = Tag.model_validate({"phase": "train", "stem": "x", "source": text}).source
        number.append(sources.setdefault(source, len(sources) - 1))
    del sources[""]
    codes = np.array(number, np.int32)
    return [*sources], codes[places] if len(codes) else places


def _is_crop(table: "pa.Table") -> "Flags":
    import numpy as np
    import pyarrow.compute as pc

    if "origin" not in table.column_names:
        return np.zeros(len(table), np.bool_)
    found: Flags = pc.not_equal(table["origin"], "").to_numpy()
    return found


def _encoded(column: Any) -> "tuple[list[str], Codes]":
    """Return the different texts of a column, and the place of each row's text."""
    import numpy as np

    encoded = column.combine_chunks().dictionary_encode()
    return encoded.dictionary.to_pylist(), encoded.indices.to_numpy().astype(np.int32)
