"""Keep the test images of released versions in the user's cache folder.

Every check compares training images with the test images of all versions, and a version never
changes. So what a version adds to the versions before it is kept in a file, and the scans of that
version are read only once.

The files are in the user's cache folder and not in the registry's, because a clone could bring the
latter along with files that hide test images. A file counts only for the repository that it was
written for, for the same scans in the same order of versions, and if it has all of its bytes. It
may be deleted at any time.
"""

from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from sceneset.quality.sample_table import EXACT_COLUMNS
from sceneset.quality.tested_images import TESTED_COLUMNS, NewTestImages
from sceneset.storage.files import atomic_write, open_regular
from sceneset.storage.git import git
from sceneset.storage.user_cache import cache_folder

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT = 1
"""Version of the files and of what counts as a test image; files of another one are not read."""
_FOLDER = "tested"
_DIGEST = 32  # bytes


class VersionImages(NamedTuple):
    """What one version adds to the versions before it."""

    scans: list[str]
    """The git objects of its scans."""
    images: NewTestImages


class VersionCache:
    """The files of one repository, read and written version by version, oldest first."""

    def __init__(self, root: Path) -> None:
        """Start before the first version.

        Args:
            root: The registry's top folder.
        """
        self._key = _digest(repr((FORMAT, TESTED_COLUMNS, _repository(root))).encode())

    def advance(self, version: str, scans: str) -> None:
        """Go to the next version.

        Args:
            version: Its number.
            scans: The git object of its folder of scans.
        """
        self._key = _digest(self._key + f"{version} {scans}".encode())

    def read(self) -> VersionImages | None:
        """Return what the version adds, or None if no file says so."""
        import pyarrow as pa

        try:
            with open(self._path(), "rb", opener=open_regular) as file:
                head, body = file.read(2 * _DIGEST), file.read()
            if head != self._key + _digest(self._key + body):
                return None
            return _from_table(pa.ipc.open_file(pa.BufferReader(body)).read_all())
        except (OSError, pa.ArrowException, LookupError, ValueError, MemoryError):
            return None  # missing, damaged or foreign: the version is read again

    def write(self, found: VersionImages) -> None:
        """Keep what the version adds; if that is not possible, it is read again next time."""
        import pyarrow as pa

        with suppress(OSError, pa.ArrowException, OverflowError):
            table, sink = _to_table(found), pa.BufferOutputStream()
            with pa.ipc.new_file(sink, table.schema) as writer:
                writer.write_table(table)
            body = sink.getvalue().to_pybytes()
            with atomic_write(self._path(), fsync=False) as temporary:
                temporary.write_bytes(self._key + _digest(self._key + body) + body)

    def _path(self) -> Path:
        return cache_folder() / _FOLDER / self._key.hex()


def _schema() -> "pa.Schema":
    import pyarrow as pa

    digests, exact = pa.list_(pa.binary(16)), pa.list_(pa.list_(pa.uint64()))
    columns = {"scans": pa.list_(pa.string()), "files": digests, "pictures": digests}
    return pa.schema([*columns.items(), ("exact", exact)])


def _to_table(found: VersionImages) -> "pa.Table":
    import pyarrow as pa

    columns = {"scans": found.scans, **found.images._asdict()}
    return pa.table({name: [values] for name, values in columns.items()}, schema=_schema())


def _from_table(table: "pa.Table") -> VersionImages | None:
    if table.schema != _schema() or len(table) != 1:
        return None
    scans, files, pictures, exact = (column[0].values.to_pylist() for column in table.columns)
    if any(len(values) != len(EXACT_COLUMNS) for values in exact):
        return None
    return VersionImages(scans, NewTestImages(files, pictures, [tuple(v) for v in exact]))


def _repository(root: Path) -> tuple[object, ...]:
    """Return what tells a repository from others, and changes what its objects stand for."""
    common = root / git(root, "rev-parse", "--git-common-dir").strip("\n")
    status = common.stat()
    replaced = git(root, "for-each-ref", "--format=%(objectname) %(refname)", "refs/replace")
    return str(common.resolve()), status.st_dev, status.st_ino, replaced


def _digest(data: bytes) -> bytes:
    return blake2b(data, digest_size=_DIGEST).digest()
