"""Reading the files of a subset by their hashes from the remote, each verified."""

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
from sceneset.scanning.known_rows import KnownRows
from sceneset.scanning.measure_sample import (
    Content,
    Loaded,
    Measure,
    Measured,
    Pair,
    Read,
    known_row,
    loaded,
    measure_bytes,
    quiet,
)
from sceneset.scanning.process_pool import by_processes
from sceneset.scanning.worker_pool import Batch
from sceneset.schemas.base import Model
from sceneset.schemas.finding import Finding, finding
from sceneset.schemas.params import RAISE_BYTES, Limits
from sceneset.schemas.scan_row import Md5
from sceneset.schemas.terms import Phase
from sceneset.storage.blobs import Blobs, asked
from sceneset.storage.dvc import open_store
from sceneset.storage.dvc_digests import tracked
from sceneset.storage.object_store import WORKERS, Store

_AHEAD = 2 * WORKERS  # pairs whose files are asked for before they are decoded


class _Listed(Model):
    md5: Md5
    relpath: str


_LISTING = TypeAdapter(list[_Listed])


def listing(
    catalog: Catalog, name: str, folder: str, blobs: Blobs
) -> dict[tuple[Phase, Path], str]:
    """Return the hash of every file that a folder's .dvc file records."""
    path = catalog.paths.subset(name) / f"{folder}.dvc"
    shown = catalog.paths.shown(path)
    digest = tracked(path, shown, subset=name).md5
    blobs.reach([digest])
    try:
        data = blobs.cached(digest) or blobs.ask(digest)
        found = _LISTING.validate_json(data)
        return {_place(path.with_suffix(""), one.relpath): one.md5 for one in found}
    except BlobError as error:
        raise FindingsError([blob_finding(error, shown, name)]) from None
    except (ValidationError, ValueError):
        fail(
            "scan-incomplete",
            "records a folder that is not laid out as a subset's",
            subset=name,
            file=shown,
            hint="files stand in img_dir/<phase> and ann_dir/<phase>; restore it with git",
        )


def _place(folder: Path, relpath: str) -> tuple[Phase, Path]:
    phase, file = relpath.split("/")  # ValueError: it stands elsewhere
    return Phase(phase), folder / phase / file


def reading(blobs: Blobs) -> Measure:
    """Return a measurer that gets blobs from the remote."""

    def measure(pairs: list[Pair], limits: Limits, *, known: KnownRows) -> Iterator[Measured]:
        work = partial(measure_batch, blobs.address())
        here = partial(measure_blobs, blobs.store, limits=limits, known=known)
        return by_processes(work, here, pairs, limits, known)

    return measure


def measure_blobs(
    store: Store, pairs: Iterable[Pair], limits: Limits, known: KnownRows, cores: int = 0
) -> Iterator[Measured]:
    """Measure pairs in their order: many blobs are waited for, ``cores`` pictures are decoded.

    Memory is bounded by those pictures and by the files of a few pairs.
    """
    read, coming = from_store(store, limits), deque[Future[Measured]]()
    with quiet(), _pool(WORKERS) as readers, _pool(cores or os.cpu_count()) as decoders:
        for pair in pairs:
            row = known_row(pair, limits, known)
            if row:
                work = partial(Measured, pair, row, (), is_new=False)
            else:
                files = readers.submit(loaded, pair, read)
                work = partial(_measured, pair, files, limits)
            coming.append(decoders.submit(work))
            if len(coming) > _AHEAD:
                yield coming.popleft().result()
        while coming:
            yield coming.popleft().result()


@contextmanager
def _pool(size: int | None) -> Iterator[ThreadPoolExecutor]:
    """Lend threads; who stops early waits for none of them: a remote may not answer."""
    pool = ThreadPoolExecutor(size)
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    pool.shutdown()


def _measured(pair: Pair, files: "Future[Loaded]", limits: Limits) -> Measured:
    return measure_bytes(pair, files.result(), limits)


def measure_batch(
    address: tuple[str, dict[str, Any]], pairs: Batch, limits: Limits
) -> list[Measured]:
    """Measure pairs whose blobs are on a remote; this runs in other processes."""
    try:
        store = _store(address[0], json.dumps(address[1], sort_keys=True))
        return list(measure_blobs(store, pairs, limits, {}, cores=1))
    except DvcError:
        raise
    except Exception:  # noqa: BLE001 - whatever it is, it must come home
        # An exception that can't be pickled would never arrive, and be waited for.
        raise WorkerError(traceback.format_exc(limit=-8)) from None


@lru_cache(maxsize=4)
def _store(name: str, remotes: str) -> Store:
    """Open a remote once a worker."""
    return open_store(name, json.loads(remotes))


def from_store(store: Store, limits: Limits) -> Read:
    """Return a reader of blobs by their hashes; each is verified."""

    def read(pair: Pair, path: Path) -> Content:
        image, mask = pair.md5 or ("", "")
        md5 = image if path is pair.image else mask
        try:
            return Content(asked(store, md5, limits.max_bytes), md5)
        except BlobTooLargeError as error:
            found = finding("image-too-large", str(error), file=pair.shown(path), hint=RAISE_BYTES)
            raise FindingsError([found]) from None
        except BlobError as error:
            raise FindingsError([blob_finding(error, pair.shown(path))]) from None

    return read


_CODES = {BlobMissingError: "blob-absent", BlobDamagedError: "blob-damaged"}


def blob_finding(error: BlobError, file: str, subset: str = "") -> Finding:
    """Return the finding that a blob could not be had."""
    return finding(
        _CODES.get(type(error), "blob-unread"),
        str(error),
        subset=subset,
        file=file,
        hint="`dvc push` where the file is, or `sceneset verify --repair` where it is cached",
    )
