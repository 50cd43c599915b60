"""Answer SQL queries over the tags, scans and scenes of a state, with DuckDB (extra "sql").

The database is in memory and has no access to files, so a query changes nothing.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sceneset.catalog.reader import Catalog
from sceneset.catalog.scan_table import arrow_schema
from sceneset.catalog.scanned_files import withdrawn_samples
from sceneset.errors import UsageError
from sceneset.paths import DATA_ROOT
from sceneset.storage.files import atomic_write

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

TABLES = ("samples", "scenes", "scans")
EVERYTHING = "select * from samples join scans using (subset, phase, stem)"
"""The query that `sceneset sql --parquet FILE` writes without another one."""
_HASHES = ("image_md5", "mask_md5", "picture", "phash_turned", "pdq")
_BATCH = 1 << 16  # rows


class Answer(NamedTuple):
    """The first rows of an answer."""

    columns: list[str]
    rows: list[tuple[Any, ...]]
    is_complete: bool
    """False if there are more rows."""


def query(catalog: Catalog, text: str, limit: int) -> Answer:
    """Return the first ``limit`` rows that a query selects.

    Args:
        catalog: The registry.
        text: One SELECT statement over the tables `samples`, `scenes` and `scans`.
        limit: Largest number of rows.

    Raises:
        UsageError: DuckDB is not installed, or the query is not a valid SELECT.
        FindingsError: A file of the registry can't be read.
    """
    with _database(catalog, text) as connection:
        result = connection.execute(text)
        rows = result.fetchmany(limit + 1)
        columns = [str(column[0]) for column in result.description or ()]
    return Answer(columns, rows[:limit], is_complete=len(rows) <= limit)


def write_parquet(catalog: Catalog, text: str, path: Path) -> int:
    """Write all rows that a query selects as Parquet; return their number.

    Raises:
        UsageError: As for ``query``.
        FindingsError: As for ``query``.
        OSError: The file can't be written.
    """
    import pyarrow.parquet as pq

    rows = 0
    with _database(catalog, text) as connection:
        reader: Any = connection.sql(text).to_arrow_reader(_BATCH)
        with (
            atomic_write(path) as temporary,
            pq.ParquetWriter(temporary, reader.schema, compression="zstd") as file,
        ):
            for batch in reader:
                file.write_batch(batch)
                rows += batch.num_rows
    return rows


@contextmanager
def _database(catalog: Catalog, text: str) -> Iterator["duckdb.DuckDBPyConnection"]:
    """Yield a database with the tables of a query; turn DuckDB's errors into usage errors."""
    try:
        import duckdb
    except ModuleNotFoundError:
        raise UsageError(
            "`sceneset sql` needs DuckDB; install it with `pip install 'sceneset[sql]'`"
        ) from None
    options: dict[str, Any] = {
        "enable_external_access": "false",
        "python_enable_replacements": "false",
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
    }
    with duckdb.connect(":memory:", config=options) as connection:
        try:
            _check(connection, text)
            _create_tables(connection, catalog, text)
            connection.execute("SET lock_configuration = true")
            yield connection
        except duckdb.Error as error:
            raise UsageError(f"the query: {str(error).strip().splitlines()[0]}") from None


def _check(connection: "duckdb.DuckDBPyConnection", text: str) -> None:
    import duckdb

    statements = connection.extract_statements(text)
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise UsageError("the query must be one SELECT statement; the tables can't be changed")


def _create_tables(connection: "duckdb.DuckDBPyConnection", catalog: Catalog, text: str) -> None:
    """Create the tables that a query mentions."""
    words = set(re.findall(r"\w+", text.casefold()))
    withdrawn = withdrawn_samples(catalog) if words & {"samples", "scans"} else set()
    if "samples" in words:
        connection.register("samples", _samples(catalog, withdrawn))
    if "scenes" in words:
        connection.register("scenes", _scenes(catalog))
    if "scans" in words:
        has_star = "*" in re.sub(r"count\s*\(\s*\*\s*\)", "", text.casefold())
        named = [name for name in arrow_schema().names if has_star or name in words]
        columns = list(dict.fromkeys(("phase", "stem", *named)))
        connection.register("scan_files", _scans(catalog, columns, withdrawn))
        shown = ["phase::varchar as phase"]
        shown += [f"lower(hex({name})) as {name}" for name in _HASHES if name in columns]
        connection.execute(
            f"create view scans as select * replace ({', '.join(shown)}) from scan_files"  # noqa: S608
        )


def _samples(catalog: Catalog, withdrawn: set[tuple[str, str, str]]) -> "pa.Table":
    import pyarrow as pa

    schema = pa.schema(
        [
            *((name, pa.string()) for name in ("subset", "phase", "stem", "kind")),
            ("scenes", pa.list_(pa.string())),
            ("persons", pa.string()),
            ("boxes", pa.int64()),
            ("source", pa.string()),
            ("image_path", pa.string()),
            ("mask_path", pa.string()),
        ]
    )

    def read(name: str) -> "pa.Table":
        entry, folder = catalog.entry(name), f"{DATA_ROOT}/{name}"
        tags = [
            tag
            for tag in catalog.tags(name, cache=False)
            if not withdrawn or (name, *tag.key) not in withdrawn
        ]
        columns: dict[str, Sequence[Any]] = {
            "subset": [name] * len(tags),
            "phase": [str(tag.phase) for tag in tags],
            "stem": [tag.stem for tag in tags],
            "kind": [str(entry.kind)] * len(tags),
            "scenes": [list(dict.fromkeys(scene for scene, _ in tag.scenes)) for tag in tags],
            "persons": [tag.persons_summary for tag in tags],
            "boxes": [tag.boxes for tag in tags],
            "source": [tag.source or None for tag in tags],
            "image_path": [f"{folder}/img_dir/{t.phase}/{t.stem}{entry.img_suffix}" for t in tags],
            "mask_path": [f"{folder}/ann_dir/{t.phase}/{t.stem}.png" for t in tags],
        }
        return pa.table(columns, schema=schema)

    return pa.concat_tables(chain([schema.empty_table()], catalog.each(read)))


def _scenes(catalog: Catalog) -> "pa.Table":
    import pyarrow as pa

    scenes = catalog.vocabulary.scenes
    return pa.table(
        {
            "scene": pa.array([scene.key for scene in scenes], pa.string()),
            "en": pa.array([scene.name.en for scene in scenes], pa.string()),
            "zh": pa.array([scene.name.zh for scene in scenes], pa.string()),
            "file_stem": pa.array([scene.file_stem for scene in scenes], pa.string()),
            "aliases": pa.array([list(s.aliases) for s in scenes], pa.list_(pa.string())),
        }
    )


def _scans(
    catalog: Catalog, columns: Sequence[str], withdrawn: set[tuple[str, str, str]]
) -> "pa.Table":
    import pyarrow as pa

    schema = pa.schema([arrow_schema().field(name) for name in columns])
    start = schema.insert(0, pa.field("subset", pa.string())).empty_table()

    def read(name: str) -> "pa.Table":
        table = catalog.scan(name, columns).select(columns).replace_schema_metadata(None)
        if any(subset == name for subset, _, _ in withdrawn):
            keys = zip(table["phase"].to_pylist(), table["stem"].to_pylist(), strict=True)
            table = table.filter(pa.array([(name, *key) not in withdrawn for key in keys]))
        names = pa.array([name], pa.string()).take(pa.array([0] * len(table), pa.int32()))
        return table.add_column(0, "subset", names)

    return pa.concat_tables(chain([start], catalog.each(read)))
