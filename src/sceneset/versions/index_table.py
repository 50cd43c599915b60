"""The table of all samples of a version, registry/versions/index.parquet, which DVC tracks.

Git holds only its .dvc file, because the table changes in full with each release. So
`dvc get REPO registry/versions/index.parquet --rev TAG` fetches it without sceneset.
"""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sceneset.catalog.reader import Catalog
from sceneset.errors import DvcError, fail
from sceneset.paths import DATA_ROOT
from sceneset.schemas.tag import Tag
from sceneset.storage.blobs import Blobs
from sceneset.storage.files import atomic_write, md5_of, read_text
from sceneset.storage.leftovers import temporary_folder
from sceneset.storage.yaml_files import dump_yaml
from sceneset.storage.yaml_parser import parse
from sceneset.versions.release_commit import committed_path

if TYPE_CHECKING:
    import pyarrow as pa

INDEX = "registry/versions/index.parquet"
IGNORE = "registry/versions/.gitignore"
INDEX_FILES = (f"{INDEX}.dvc", IGNORE)
_IGNORED = "/index.parquet"
_MD5 = re.compile(r"[0-9a-f]{32}")
_SCANNED = ("phase", "stem", "image", "mask", "image_md5", "mask_md5", "width", "height")
_PIXELS = ("person", "ignore")
_ROWS_AT_ONCE = 65_536


def index_schema() -> "pa.Schema":
    """Return the columns of the table; docs/sql.md describes them."""
    import pyarrow as pa

    texts = ("subset", "phase", "stem", "kind", "persons", "source", "image", "mask")
    numbers = {"boxes": pa.int32(), "width": pa.int32(), "height": pa.int32()}
    columns: dict[str, Any] = {name: pa.string() for name in (*texts, "image_md5", "mask_md5")}
    columns |= numbers | {name: pa.int64() for name in _PIXELS}
    return pa.schema([("scenes", pa.list_(pa.string())), *columns.items()])


def index_bytes(catalog: Catalog) -> bytes:
    """Return the table as Parquet, sorted by subset, phase and stem.

    Raises:
        FindingsError: A file of the registry can't be read.
    """
    import pyarrow.parquet as pq

    with temporary_folder() as folder:
        path = folder / "index.parquet"
        with pq.ParquetWriter(path, index_schema(), compression="zstd") as file:
            for name in catalog.names:
                for table in _tables(catalog, name):
                    file.write_table(table)
        return path.read_bytes()


def _tables(catalog: Catalog, name: str) -> "Iterator[pa.Table]":
    """Yield the rows of a subset, some at a time: as Python values they need much memory."""
    kind = str(catalog.entry(name).kind)
    tags: dict[tuple[str, str], Tag] = {tag.key: tag for tag in catalog.tags(name, cache=False)}
    scan = catalog.scan(name, (*_SCANNED, *_PIXELS))
    for start in range(0, scan.num_rows, _ROWS_AT_ONCE):
        yield _rows(name, kind, scan.slice(start, _ROWS_AT_ONCE).to_pydict(), tags)


def _rows(
    name: str, kind: str, scan: dict[str, list[Any]], tags: Mapping[tuple[str, str], Tag]
) -> "pa.Table":
    import pyarrow as pa

    keys = list(zip(scan["phase"], scan["stem"], strict=True))
    folder = f"{DATA_ROOT}/{name}"
    samples = [tags[key] for key in keys]  # a state with errors is not released
    columns = {
        "subset": [name] * len(keys),
        "phase": scan["phase"],
        "stem": scan["stem"],
        "kind": [kind] * len(keys),
        "scenes": [[scene for scene, _ in tag.scenes] for tag in samples],
        "persons": [tag.persons_summary for tag in samples],
        "boxes": [tag.boxes for tag in samples],
        "source": [tag.source or None for tag in samples],
        **{
            file: [
                f"{folder}/{part}/{phase}/{path}"
                for phase, path in zip(scan["phase"], scan[file], strict=True)
            ]
            for file, part in (("image", "img_dir"), ("mask", "ann_dir"))
        },
        **{f"{file}_md5": [md5.hex() for md5 in scan[f"{file}_md5"]] for file in ("image", "mask")},
        **{number: scan[number] for number in ("width", "height", *_PIXELS)},
    }
    schema = index_schema()
    return pa.table({column: columns[column] for column in schema.names}, schema=schema)


class NewIndex(NamedTuple):
    """The files of a release that belong to its table."""

    texts: dict[str, str]
    """The .dvc file and its .gitignore, by path from the root of the registry."""
    embedded: dict[str, bytes]
    """The table as a file of a remote inside the repository, by path from the top of it."""


def prepare_index(catalog: Catalog, blobs: Blobs, *, wanted: bool) -> NewIndex:
    """Store the table of a state, and return the files to commit with it.

    The table is written to DVC's cache and to the remote. If the remote is a folder that git
    tracks, the commit writes it there.

    Args:
        catalog: The state.
        blobs: The remote.
        wanted: Without samples there may be no remote. Then the table is left out, unless an
            earlier release has one.

    Raises:
        DvcError: The remote can't be written to.
    """
    if not wanted and read_pointer(catalog.root) is None:
        return NewIndex({}, {})
    data = index_bytes(catalog)
    md5 = md5_of(data)
    embedded = _embedded_path(catalog.root, blobs, md5)
    if not embedded and blobs.sizes([md5]).get(md5) != len(data):
        _upload(blobs, md5, data)
    blobs.add_to_cache(md5, data)
    texts = {f"{INDEX}.dvc": _pointer_text(md5, len(data)), IGNORE: _ignore_text(catalog.root)}
    return NewIndex(texts, {embedded: data} if embedded else {})


def _upload(blobs: Blobs, md5: str, data: bytes) -> None:
    try:
        blobs.upload(md5, data)
    except DvcError as error:
        raise DvcError(
            f"the table of the samples can't be written to the remote: {error}. A release writes "
            "it there; --remote NAME uses another remote"
        ) from None


def embedded_files(root: Path, blobs: Blobs) -> list[str]:
    """Return the paths, from the top of the repository, of the table of the last release there."""
    pointer = read_pointer(root)
    path = _embedded_path(root, blobs, pointer.md5) if pointer else ""
    return [path] if path else []


def _embedded_path(root: Path, blobs: Blobs, md5: str) -> str:
    path = blobs.local_path(md5)
    return committed_path(root, path) if path else ""


def _pointer_text(md5: str, size: int) -> str:
    """Return the text of the .dvc file of a table, as `dvc add` writes it."""
    out = {"md5": md5, "size": size, "hash": "md5", "path": Path(INDEX).name}
    return dump_yaml({"outs": [out]})


def _ignore_text(root: Path) -> str:
    """Return the text of the .gitignore beside the table, with the lines that it has already."""
    path = root / IGNORE
    text = read_text(path, IGNORE) if path.is_file() else ""
    if _IGNORED in text.splitlines():
        return text
    return f"{text}{'' if text.endswith(chr(10)) or not text else chr(10)}{_IGNORED}\n"


class Pointer(NamedTuple):
    """What the .dvc file of the table records."""

    md5: str
    size: int
    """In bytes."""


def read_pointer(root: Path) -> Pointer | None:
    """Return what the .dvc file of a state names; None if it has none.

    Raises:
        FindingsError: It is not the .dvc file of one file.
    """
    shown = f"{INDEX}.dvc"
    if not (root / shown).is_file():
        return None
    data = parse(read_text(root / shown, shown), shown).data
    try:
        [out] = data["outs"]
        pointer = Pointer(str(out["md5"]), int(out["size"]))
    except (KeyError, TypeError, ValueError):
        pointer = None
    # The hash becomes a part of paths, so it must not lead elsewhere.
    if pointer is None or not _MD5.fullmatch(pointer.md5) or pointer.size < 0:
        fail(
            "file-unreadable",
            "is not the .dvc file of one file",
            file=shown,
            hint="restore it with git; the next release writes it again",
        )
    return pointer


def place_index(root: Path, blobs: Blobs) -> None:
    """Write the table that the .dvc file names into the working tree, if the cache has it."""
    pointer = read_pointer(root)
    data = blobs.cached(pointer.md5) if pointer else None
    if data is not None:
        with atomic_write(root / INDEX) as temporary:
            temporary.write_bytes(data)
