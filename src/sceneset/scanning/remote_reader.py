"""Measure the files of a subset that are on a DVC remote, without a local copy of them.

Blobs are read by content hash, and each one is verified.
"""

import json
import os
import traceback
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from sceneset.catalog.reader import Catalog
from sceneset.errors import (
    BlobDamagedError,
    BlobError,
    BlobMissingError,
    BlobTooLargeError,
    DvcError,
    FindingsError,
    WorkerError,
    fail,
)
from sceneset.imaging.pillow_warnings import no_warnings
from sceneset.scanning.known_rows import KnownRows
from sceneset.scanning.measure_sample import (
    Content,
    LoadedPair,
    Measure,
    Measured,
    Pair,
    Read,
    known_row,
    load_pair,
    measure_loaded,
)
from sceneset.scanning.process_pool import measure_in_processes
from sceneset.scanning.worker_pool import Batch
from sceneset.schemas.base import Model
from sceneset.schemas.finding import Finding, finding
from sceneset.schemas.params import RAISE_MAX_BYTES, Limits
from sceneset.schemas.scan_row import Md5
from sceneset.schemas.terms import Phase
from sceneset.storage.blobs import Blobs, download
from sceneset.storage.dvc import open_store
from sceneset.storage.dvc_digests import read_dvc_file
from sceneset.storage.object_store import WORKERS, Store

_MAX_PENDING = 2 * WORKERS  # pairs whose files may be requested before they are decoded


class _ListedFile(Model):
    """An entry of a .dir object, in which DVC lists the files of a folder."""

    md5: Md5
    relpath: str


_LISTING = TypeAdapter(list[_ListedFile])


def read_listing(
    catalog: Catalog, name: str, folder: str, blobs: Blobs
) -> dict[tuple[Phase, Path], str]:
    """Return the MD5 hash of every file that a folder's .dvc file records.

    Args:
        catalog: The registry.
        name: The subset.
        folder: "img_dir" or "ann_dir".
        blobs: Where to read the listing from: the local cache, else the remote.

    Raises:
        FindingsError: The listing is missing on the remote, damaged, or not that of a subset.
        DvcError: The remote can't be reached.
    """
    path = catalog.paths.subset(name) / f"{folder}.dvc"
    shown = catalog.paths.relative(path)
    digest = read_dvc_file(path, shown, subset=name).md5
    blobs.probe([digest])
    try:
        data = blobs.cached(digest) or blobs.download(digest)
        files = _LISTING.validate_json(data)
        return {_split_path(path.with_suffix(""), file.relpath): file.md5 for file in files}
    except BlobError as error:
        raise FindingsError([_blob_finding(error, shown, name)]) from None
    except (ValidationError, ValueError):
        fail(
            "scan-incomplete",
            "the recorded folder does not have the layout of a subset",
            subset=name,
            file=shown,
            hint="files must be in img_dir/<phase> and ann_dir/<phase>; restore the file with git",
        )


def _split_path(folder: Path, relpath: str) -> tuple[Phase, Path]:
    """Return the phase and the path of a listed file; ValueError if it is not in a phase folder."""
    phase, file = relpath.split("/")
    return Phase(phase), folder / phase / file


def remote_measure(blobs: Blobs) -> Measure:
    """Return a function that measures pairs whose files are on a remote."""

    def measure(pairs: list[Pair], limits: Limits, *, known: KnownRows) -> Iterator[Measured]:
        work = partial(measure_blob_batch, blobs.address())
        in_threads = partial(measure_blobs, blobs.store, limits=limits, known=known)
        return measure_in_processes(work, in_threads, pairs, limits, known)

    return measure


def measure_blobs(
    store: Store, pairs: Iterable[Pair], limits: Limits, known: KnownRows, cores: int = 0
) -> Iterator[Measured]:
    """Measure pairs on a remote with threads and yield the results in the order of ``pairs``.

    Many more blobs are downloaded at the same time than are decoded, because a download mostly
    waits. Memory depends on the number of threads and not on the number of pairs.

    Args:
        store: The remote.
        pairs: The samples to measure; each pair must have its hashes.
        limits: The largest sizes to download and decode.
        known: Rows of an earlier scan. The blobs of their pairs are not read.
        cores: Number of pairs to decode at the same time; 0 means the number of cores.
    """
    read, pending = blob_reader(store, limits), deque[Future[Measured]]()
    with no_warnings(), _threads(WORKERS) as readers, _threads(cores or os.cpu_count()) as decoders:
        for pair in pairs:
            row = known_row(pair, limits, known)
            if row:
                work = partial(Measured, pair, row, (), is_new=False)
            else:
                files = readers.submit(load_pair, pair, read)
                work = partial(_measure_downloaded, pair, files, limits)
            pending.append(decoders.submit(work))
            if len(pending) > _MAX_PENDING:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


@contextmanager
def _threads(count: int | None) -> Iterator[ThreadPoolExecutor]:
    """Provide a thread pool that is not waited for after an error or Ctrl-C.

    A remote may never answer, so waiting for its threads could hang.
    """
    pool = ThreadPoolExecutor(count)
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()


def _measure_downloaded(pair: Pair, files: "Future[LoadedPair]", limits: Limits) -> Measured:
    return measure_loaded(pair, files.result(), limits)


def measure_blob_batch(
    address: tuple[str, dict[str, Any]], pairs: Batch, limits: Limits
) -> list[Measured]:
    """Measure pairs on a remote; this function runs in a worker process, also on other machines.

    Args:
        address: The name and the settings of the remote, as ``Blobs.address`` returns them.
        pairs: The samples to measure.
        limits: The largest sizes to download and decode.

    Raises:
        DvcError: The remote can't be opened.
        WorkerError: An unexpected exception; the message is its traceback.
    """
    try:
        store = _open_store(address[0], json.dumps(address[1], sort_keys=True))
        return list(measure_blobs(store, pairs, limits, {}, cores=1))
    except DvcError:
        raise
    except Exception:  # noqa: BLE001 - the parent process must receive any exception
        # An exception that can't be pickled would never arrive, and the parent would wait forever.
        raise WorkerError(traceback.format_exc(limit=-8)) from None


@lru_cache(maxsize=4)
def _open_store(name: str, remotes: str) -> Store:
    """Open a remote once per worker process."""
    return open_store(name, json.loads(remotes))


def blob_reader(store: Store, limits: Limits) -> Read:
    """Return a function that downloads and verifies the blobs of a pair by their hashes."""

    def read(pair: Pair, path: Path) -> Content:
        image, mask = pair.md5 or ("", "")
        md5 = image if path is pair.image else mask
        try:
            return Content(download(store, md5, limits.max_bytes), md5)
        except BlobTooLargeError as error:
            fail("image-too-large", str(error), file=pair.relative(path), hint=RAISE_MAX_BYTES)
        except BlobError as error:
            raise FindingsError([_blob_finding(error, pair.relative(path))]) from None

    return read


_CODES = {BlobMissingError: "blob-absent", BlobDamagedError: "blob-damaged"}


def _blob_finding(error: BlobError, file: str, subset: str = "") -> Finding:
    """Return the finding for a blob that could not be read from the remote."""
    return finding(
        _CODES.get(type(error), "blob-unread"),
        str(error),
        subset=subset,
        file=file,
        hint="run `dvc push` on a machine that has the file, "
        "or `sceneset verify --repair` on one whose DVC cache has it",
    )
