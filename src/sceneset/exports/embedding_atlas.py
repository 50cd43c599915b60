"""Export to a Parquet table for Embedding Atlas: thumbnails, tags and measurements."""

from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from sceneset.exports.fields import fields_of
from sceneset.exports.output import Output
from sceneset.exports.types import ExportOptions, ExportSample, Selection

if TYPE_CHECKING:
    import pyarrow as pa

_FILE = "samples.parquet"
_ROW_GROUP_ROWS = 1000
_THUMBNAIL_BYTES = 20_000
"""Estimate of a row; a thumbnail of 256 pixels is rarely larger."""
_TEXTS = ("id", "subset", "phase", "stem", "scenes", "persons", "source")
_NUMBERS = ("boxes", "width", "height", "person_pixels", "ignore_pixels")
_SHARES = ("person_share", "ignore_share")


class _EmbeddingAtlas:
    name = "embedding-atlas"
    title = "Embedding Atlas (Parquet)"
    loses = (
        "Images are thumbnails of at most 256 pixels. Of the masks, only the number and the share "
        "of pixels are kept."
    )
    takes = frozenset[str]()

    def write(self, selection: Selection, options: ExportOptions, out: Output) -> None:  # noqa: ARG002
        """Write samples.parquet, a row for each sample in their order."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        from sceneset.imaging.decode import decode_image
        from sceneset.imaging.facts import thumbnail_jpeg

        def thumbnail(sample: ExportSample, files: tuple[bytes, bytes]) -> bytes:
            return thumbnail_jpeg(decode_image(files[0], sample.suffix, out.limits).pixels)

        samples = selection.samples
        out.reserve(min(s.image_bytes, _THUMBNAIL_BYTES) for s in samples)
        # Masks are read too, so that samples with a broken file are left out in every format.
        found = (_row(sample, data) for sample, data in out.each_file(samples, thumbnail))
        first = list(islice(found, 1))  # the remote is reached before a file is opened
        rows = chain(first, found)
        schema = _schema()
        with (
            out.open(_FILE) as file,
            pq.ParquetWriter(file, schema, compression="zstd", write_statistics=_TEXTS) as writer,
        ):
            while group := list(islice(rows, _ROW_GROUP_ROWS)):
                writer.write_table(pa.Table.from_pylist(group, schema))

    def count(self, out: Output) -> int:
        """Count the rows."""
        import pyarrow.parquet as pq

        return int(pq.read_metadata(out.to / _FILE).num_rows)


def _schema() -> "pa.Schema":
    import pyarrow as pa

    columns = [("image", pa.struct([("bytes", pa.binary())]))]
    columns += [(name, pa.string()) for name in _TEXTS]
    columns += [(name, pa.int64()) for name in _NUMBERS]
    columns += [(name, pa.float64()) for name in _SHARES]
    return pa.schema(columns)


def _row(sample: ExportSample, thumbnail: bytes) -> dict[str, Any]:
    """Return a row; scenes are text, because charts group by text."""
    area = sample.width * sample.height
    return fields_of(sample) | {
        "image": {"bytes": thumbnail},
        "id": "/".join(sample.key),
        "scenes": ", ".join(sample.scenes),
        "person_share": sample.person / area,
        "ignore_share": sample.ignore / area,
    }


EXPORTER = _EmbeddingAtlas()
