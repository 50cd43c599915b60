"""Parquet files of Hugging Face datasets: images and masks as structs of bytes and path."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, BinaryIO

from sceneset.exports.fields import fields_of
from sceneset.exports.output import Output
from sceneset.exports.shards import Packed, Shard, cut, mixed, write_shards
from sceneset.exports.types import ExportOptions, ExportSample, Selection, by_phase
from sceneset.storage.files import md5_of

if TYPE_CHECKING:
    import pyarrow as pa

PATTERN = "data/{phase}-*.parquet"
_ROW_GROUP_BYTES, _ROW_GROUP_ROWS = 32_000_000, 100
_FIELDS_BYTES = 200
"""Estimate of what a row takes besides its files."""
_TAGS = ("subset", "phase", "persons", "source", "scenes.list.element")


def write(selection: Selection, options: ExportOptions, out: Output) -> None:
    """Write data/<phase>-<number>-of-<count>.parquet; the samples are in a fixed mixed order."""

    def is_complete(shard: Shard) -> bool:
        return _holds(out, shard)

    write_shards(_plan(selection, options), out, is_complete, _write_shard)


def count(out: Output) -> int:
    """Return the number of rows that the written files hold."""
    import pyarrow.parquet as pq

    return sum(
        pq.read_metadata(out.to / "data" / path).num_rows for path in out.files("data", ".parquet")
    )


def _plan(selection: Selection, options: ExportOptions) -> list[Shard]:
    shards = []
    for phase, group in by_phase(selection.samples).items():
        parts = cut(mixed(group), _size, options)
        shards += [
            Shard(f"data/{phase}-{number:05}-of-{len(parts):05}.parquet", samples, size)
            for number, (samples, size) in enumerate(parts)
        ]
    return shards


def _size(sample: ExportSample) -> int:
    return sample.image_bytes + sample.mask_bytes + _FIELDS_BYTES


def _schema() -> "pa.Schema":
    """Return the columns; their metadata tells Hugging Face datasets which ones are images."""
    import pyarrow as pa

    file = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    columns = {"image": file, "mask": file}
    texts = ("subset", "phase", "stem", "persons", "source")
    numbers = ("boxes", "width", "height", "person_pixels", "ignore_pixels")
    columns |= {name: pa.string() for name in texts} | {name: pa.int64() for name in numbers}
    columns["scenes"] = pa.list_(pa.string())
    features: dict[str, Any] = {name: {"_type": "Image"} for name in ("image", "mask")}
    features |= {name: _value("string") for name in texts}
    features |= {name: _value("int64") for name in numbers}
    features["scenes"] = [_value("string")]
    text = json.dumps({"info": {"features": features}})
    return pa.schema(list(columns.items()), metadata={"huggingface": text})


def _value(kind: str) -> dict[str, str]:
    return {"dtype": kind, "_type": "Value"}


def _write_shard(file: BinaryIO, packed: Iterator[Packed]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = _schema()
    options = {"compression": "zstd", "use_dictionary": _TAGS, "write_statistics": _TAGS}
    with pq.ParquetWriter(file, schema, **options) as writer:
        for rows in _row_groups(packed):
            writer.write_table(pa.Table.from_pylist(rows, schema), row_group_size=len(rows))


def _row_groups(packed: Iterator[Packed]) -> Iterator[list[dict[str, Any]]]:
    """Yield rows until they would be many or large; few of them are in memory."""
    rows: list[dict[str, Any]] = []
    size = 0
    for sample, (image, mask) in packed:
        added = len(image) + len(mask)
        if rows and (size + added > _ROW_GROUP_BYTES or len(rows) == _ROW_GROUP_ROWS):
            yield rows
            rows, size = [], 0
        files = {
            "image": {"bytes": image, "path": sample.image},
            "mask": {"bytes": mask, "path": f"{sample.stem}.png"},
        }
        rows.append(files | fields_of(sample))
        size += added
    if rows:
        yield rows


def _holds(out: Output, shard: Shard) -> bool:
    """Return whether a file holds exactly the samples of its shard, byte for byte."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(out.to / shard.path) as file:
            if file.metadata.num_rows != len(shard.samples) or file.schema_arrow != _schema():
                return False
            rows = (
                row for batch in file.iter_batches(_ROW_GROUP_ROWS) for row in batch.to_pylist()
            )
            return all(map(_is_row_of, rows, shard.samples))
    except (pa.ArrowException, OSError):
        return False


def _is_row_of(row: dict[str, Any], sample: ExportSample) -> bool:
    digests = [md5_of(row.pop(name)["bytes"]) for name in ("image", "mask")]
    return digests == [sample.image_md5, sample.mask_md5] and row == fields_of(sample)
