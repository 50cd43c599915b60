"""The counts of each pair of masks, as a table in a Parquet file.

Every measure is computed from sums of these counts, so conventions, groups and intervals can be
chosen later, without decoding a mask again.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sceneset.errors import UsageError
from sceneset.evaluation.counts_check import problem_of
from sceneset.storage.files import atomic_write, open_regular

if TYPE_CHECKING:
    import pyarrow as pa

    from sceneset.imaging.mask_agreement import PackedMask

FORMAT = "1"
"""Version of the columns below."""

_CHUNK_ROWS = 1 << 12  # rows that are converted to columns together
_AREAS = ("ignored", "truth", "predicted", "both")
_BAND = ("band_truth", "band_predicted", "band_both")
_EDGE = ("edge_truth", "edge_truth_matched", "edge_predicted", "edge_predicted_matched")
_TEXTS = ("subset", "phase", "stem")


class Widths(NamedTuple):
    """Distances that boundary measures use, as shares of the picture's diagonal."""

    bands: tuple[float, ...] = (0.02,)
    """Of Boundary IoU."""
    radii: tuple[float, ...] = (0.008,)
    """Of the boundary F measure."""

    def columns(self) -> list[str]:
        """Return the names of the columns with counts, in the order of ``count_pair``."""
        bands = [f"{name}_{ratio:g}" for ratio in self.bands for name in _BAND]
        edges = [f"{name}_{ratio:g}" for ratio in self.radii for name in _EDGE]
        return [*_AREAS, *bands, *edges]


class Facts(NamedTuple):
    """What is known of a sample besides its masks."""

    subset: str
    phase: str
    stem: str
    scenes: tuple[str, ...]
    persons: str | None
    source: str
    """The video, session or original image that the sample comes from; "" if it is unknown."""
    width: int
    """In pixels, as stored."""
    height: int
    mask_md5: str
    """Content hash of the true mask."""


class Row(NamedTuple):
    """A selected sample with its counts."""

    facts: Facts
    counts: tuple[int, ...] | None
    """None if the sample has no usable prediction."""
    problem: str = ""
    """The kind of problem if there are no counts, for example "missing"."""
    detail: str = ""
    """One sentence about the problem."""
    values: str = ""
    """What the values of the prediction mean, for example "0/255"."""


def count_pair(truth: "PackedMask", predicted: "PackedMask", widths: Widths) -> tuple[int, ...]:
    """Return the counts of a pair of masks of one size, in the order of ``Widths.columns``."""
    from sceneset.imaging.mask_agreement import agreement, band_pixels, radius_pixels

    width, height = truth.width, len(truth.persons)
    found = agreement(
        truth,
        predicted,
        [band_pixels(ratio, width, height) for ratio in widths.bands],
        [radius_pixels(ratio, width, height) for ratio in widths.radii],
    )
    areas = (found.ignored, found.truth, found.predicted, found.both)
    bands = (number for band in found.bands for number in band)
    return (*areas, *bands, *(number for edges in found.edges for number in edges))


class Counts(NamedTuple):
    """The counts of an evaluation."""

    table: "pa.Table"
    """One row for each selected sample, sorted by subset, phase and stem."""
    widths: Widths
    about: dict[str, str]
    """What was compared: truth, predictions, threshold."""

    @property
    def compared(self) -> "pa.Table":
        """The rows that have counts."""
        import pyarrow.compute as pc

        return self.table.filter(pc.is_valid(self.table["both"]))


def table_of(rows: Iterable[Row], widths: Widths, about: dict[str, str]) -> Counts:
    """Return rows as a table; they must be sorted by subset, phase and stem."""
    import pyarrow as pa

    schema = _schema(widths)
    remaining = iter(rows)
    batches = []
    while chunk := list(islice(remaining, _CHUNK_ROWS)):
        names = widths.columns()
        columns: dict[str, Any] = {
            name: [getattr(row.facts, name) for row in chunk] for name in Facts._fields
        }
        columns["mask_md5"] = [bytes.fromhex(row.facts.mask_md5) for row in chunk]
        columns |= {name: [getattr(row, name) for row in chunk] for name in Row._fields[2:]}
        empty = (None,) * len(names)
        counts = zip(*(row.counts or empty for row in chunk), strict=True)
        columns |= dict(zip(names, counts, strict=True))
        batches.append(pa.record_batch(columns, schema=schema))
    return Counts(pa.Table.from_batches(batches, schema), widths, about)


def _schema(widths: Widths) -> "pa.Schema":
    import pyarrow as pa

    return pa.schema(
        [
            *((name, pa.string()) for name in _TEXTS),
            ("scenes", pa.list_(pa.string())),
            ("persons", pa.string()),
            ("source", pa.string()),
            ("width", pa.int32()),
            ("height", pa.int32()),
            ("mask_md5", pa.binary(16)),
            *((name, pa.string()) for name in Row._fields[2:]),
            *((name, pa.int64()) for name in widths.columns()),
        ]
    )


def write_counts(path: Path, counts: Counts) -> None:
    """Write counts as a Parquet file; the same counts give the same bytes."""
    import pyarrow.parquet as pq

    metadata = {
        "sceneset.counts": FORMAT,
        "sceneset.bands": _joined(counts.widths.bands),
        "sceneset.radii": _joined(counts.widths.radii),
        **{f"sceneset.about.{name}": text for name, text in counts.about.items()},
    }
    with atomic_write(path) as temporary:
        pq.write_table(
            counts.table.replace_schema_metadata(metadata), temporary, compression="zstd"
        )


def read_counts(path: Path) -> Counts:
    """Return the counts in a file.

    Raises:
        UsageError: The file is missing, or was not written by ``write_counts``.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with open(path, "rb", opener=open_regular) as file:
            table = pq.read_table(file)
    except FileNotFoundError:
        raise UsageError(f"{path}: there is no such file") from None
    except (pa.ArrowException, OSError) as error:
        reason = getattr(error, "strerror", None) or str(error).partition("\n")[0]
        raise UsageError(f"{path} can't be read as Parquet: {reason}") from None
    metadata = {
        key.decode(errors="replace"): value.decode(errors="replace")
        for key, value in (table.schema.metadata or {}).items()
    }
    if metadata.get("sceneset.counts") != FORMAT:
        raise UsageError(
            f"{path} has no counts of an evaluation; `sceneset evaluate --to FILE` writes them"
        )
    changed = f"{path} has other columns than an evaluation writes; evaluate again"
    try:
        widths = Widths(*(_split(metadata[f"sceneset.{name}"]) for name in ("bands", "radii")))
        schema = _schema(widths)
        if table.schema.names != schema.names:
            raise UsageError(changed)
        table = table.replace_schema_metadata(None).cast(schema)
    except (KeyError, ValueError, pa.ArrowException):
        raise UsageError(changed) from None
    if fault := problem_of(table, widths.columns()):
        raise UsageError(f"{path} {fault}, which no evaluation writes; evaluate again")
    prefix = "sceneset.about."
    about = {key[len(prefix) :]: text for key, text in metadata.items() if key.startswith(prefix)}
    return Counts(table, widths, about)


def _joined(ratios: Sequence[float]) -> str:
    return " ".join(f"{ratio:g}" for ratio in ratios)


def _split(text: str) -> tuple[float, ...]:
    return tuple(map(float, text.split()))


def keys_of(table: "pa.Table") -> Iterator[tuple[str, str, str]]:
    """Yield subset, phase and stem of each row."""
    yield from zip(*(table[name].to_pylist() for name in _TEXTS), strict=True)
