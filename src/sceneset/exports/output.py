"""The folder that an export writes to: files placed by hash, masks decoded, and texts."""

import csv
import io
import os
from collections import defaultdict, deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import BinaryIO, TypeVar

from sceneset.counts import counted
from sceneset.errors import BlobError, UndecodableError
from sceneset.exports.types import ExportOptions, ExportSample, Key, LeftOut
from sceneset.progress import Progress
from sceneset.schemas.params import Limits
from sceneset.storage.blob_export import BlobRequest, Export, check_space, refuse_links_above
from sceneset.storage.blobs import Blobs
from sceneset.storage.disk_space import SpaceNeeded
from sceneset.storage.files import atomic_write, write_text
from sceneset.storage.object_store import WORKERS

TYPE_CHECKING = False
if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Mask = npt.NDArray[np.uint8]

T = TypeVar("T")

Paths = Callable[[ExportSample], tuple[str | None, str | None]]
"""Returns where image and mask of a sample go, relative to the folder; None: not written."""

_WINDOW = 4 * WORKERS  # results that wait for those before them
_KEY, _TAGS = ("file", "subset", "phase", "stem"), ("scenes", "persons", "boxes", "source")
_HINT = "make room, or name a folder on another disk"


class Output:
    """Writes an export. A sample whose files can't be read is left out as a whole."""

    def __init__(
        self,
        to: Path,
        blobs: Blobs,
        link: str,
        limits: Limits,
        *,
        progress: Progress,
        begin: Callable[[], None],
    ) -> None:
        """Prepare an export into ``to``; ``begin`` is called once, before the first file."""
        self.to, self.limits = to, limits
        self.bad: dict[str, str] = {}
        """The reason for each file of the registry that can't be read, by path."""
        self.bad_samples: set[Key] = set()
        """The samples of these files."""
        self.notes: list[str] = []
        self.left_out: list[LeftOut] = []
        self._blobs, self._link, self._progress, self._begin = blobs, link, progress, begin
        self._has_begun = False
        self._placements: list[Paths] = []
        self._fetched = 0
        self._fetched_in_threads: set[str] = set()

    @property
    def fetched(self) -> int:
        """The number of blobs downloaded from the remote."""
        return self._fetched + len(self._fetched_in_threads)

    def place(self, samples: Sequence[ExportSample], paths: Paths) -> list[ExportSample]:
        """Copy or link images and masks as they are, each verified by its hash.

        Files that an earlier run put in place are kept.

        Args:
            samples: The samples.
            paths: Says where the files of a sample go.

        Returns:
            The samples that are complete.

        Raises:
            FindingsError: The disk is too small.
            DvcError: The remote can't be reached.
        """
        places: dict[tuple[str, int], list[str]] = defaultdict(list)
        owners: dict[str, tuple[ExportSample, str]] = {}
        for sample in samples:
            image, mask = paths(sample)
            if image is not None:
                places[sample.image_md5, sample.image_bytes].append(image)
                owners[image] = sample, sample.image_path
            if mask is not None:
                places[sample.mask_md5, sample.mask_bytes].append(mask)
                owners[mask] = sample, sample.mask_path
        requests = [BlobRequest(md5, size, tuple(to)) for (md5, size), to in places.items()]
        check_space(requests, self._blobs, self.to, self._link)
        self._placements.append(paths)
        export = Export(self._blobs, self.to, self._link)
        export.probe_remote(requests)
        self.begin()
        export.run(self._progress(requests, len(requests), "export"))
        self._fetched += export.result.fetched
        for path, why in export.result.bad.items():
            self._report_bad(*owners[path], why)
        return [sample for sample in samples if sample.key not in self.bad_samples]

    def each_mask(
        self, samples: Sequence[ExportSample], convert: Callable[[ExportSample, "Mask"], T]
    ) -> Iterator[tuple[ExportSample, T]]:
        """Yield the samples in their order, with what ``convert`` makes of their masks.

        Args:
            samples: The samples.
            convert: Called in threads with a sample and its mask of height x width: 0, 1 and 255.
        """

        def decoded(sample: ExportSample, files: tuple[bytes, bytes]) -> T:
            from sceneset.imaging.decode import decode_mask

            mask = decode_mask(files[1], self.limits)
            if mask.shape != (sample.height, sample.width):
                raise UndecodableError(
                    "scan-stale",
                    f"is {mask.shape[1]} x {mask.shape[0]}, but the scan says "
                    f"{sample.width} x {sample.height}",
                )
            return convert(sample, mask)

        return self.each_file(samples, decoded, images=False)

    def each_file(
        self,
        samples: Sequence[ExportSample],
        convert: Callable[[ExportSample, tuple[bytes, bytes]], T],
        *,
        images: bool = True,
    ) -> Iterator[tuple[ExportSample, T]]:
        """Yield the samples in their order, with what ``convert`` makes of their files' bytes.

        At most a few samples are in memory at the same time. Samples whose files are missing,
        damaged or undecodable are reported in ``bad`` and not yielded.

        Args:
            samples: The samples.
            convert: Called in threads with a sample and the bytes of image and mask, verified by
                their hashes.
            images: Read images; otherwise, their bytes are b"".

        Raises:
            FindingsError: The disk of the cache is too small.
            DvcError: The remote can't be reached.
        """
        wanted = {s.image_md5: s.image_bytes for s in samples if images}
        wanted |= {s.mask_md5: s.mask_bytes for s in samples}
        absent = {md5: n for md5, n in wanted.items() if not self._blobs.path(md5).exists()}
        space = SpaceNeeded()
        space.add(self._blobs.path("0" * 32).parent, absent.values())
        space.check(_HINT)
        self._fetched += self._blobs.probe(absent)
        self.begin()
        shown = self._progress(samples, len(samples), "export")
        with closing(self._in_threads(shown, convert, images)) as outcomes:
            for sample, outcome in outcomes:
                try:
                    result = outcome.result()
                except _UnreadableError as error:
                    self._report_bad(sample, error.path, str(error))
                    continue
                yield sample, result

    def _in_threads(
        self,
        samples: Iterable[ExportSample],
        convert: Callable[[ExportSample, tuple[bytes, bytes]], T],
        images: bool,
    ) -> Generator[tuple[ExportSample, "Future[T]"], None, None]:
        def work(sample: ExportSample) -> T:
            image = self._read(sample.image_md5, sample.image_path) if images else b""
            mask = self._read(sample.mask_md5, sample.mask_path)
            try:
                return convert(sample, (image, mask))
            except UndecodableError as error:
                path = sample.image_path if images else sample.mask_path
                raise _UnreadableError(path, str(error)) from None

        waiting: deque[tuple[ExportSample, Future[T]]] = deque()
        with ThreadPoolExecutor(WORKERS) as pool:
            try:
                for sample in samples:
                    waiting.append((sample, pool.submit(work, sample)))
                    if len(waiting) >= _WINDOW:
                        yield waiting.popleft()
                while waiting:
                    yield waiting.popleft()
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise

    def _read(self, md5: str, path: str) -> bytes:
        data = self._blobs.cached(md5)
        if data is None:
            try:
                data = self._blobs.fetch(md5)
            except BlobError as error:
                raise _UnreadableError(path, str(error)) from None
            self._fetched_in_threads.add(md5)
        return data

    def _report_bad(self, sample: ExportSample, path: str, why: str) -> None:
        self.bad[path] = why
        self.bad_samples.add(sample.key)
        for paths in self._placements:  # no reader shall find half a sample
            for place in filter(None, paths(sample)):
                (self.to / place).unlink(missing_ok=True)

    def leave_out(self, sample: ExportSample, what: str, reason: str) -> None:
        """Record in left_out.csv that a detail of a sample is not in the export."""
        self.left_out.append(LeftOut(*sample.key, what, reason))

    def leave_out_pixels(self, sample: ExportSample, what: str, pixels: int, effect: str) -> None:
        """Record in left_out.csv what became of some pixels of a mask, if there are any."""
        if pixels:
            self.leave_out(sample, what, f"{counted(pixels, 'pixel')} {effect}")

    def leave_out_scenes(self, samples: Iterable[ExportSample], options: ExportOptions) -> None:
        """Record the samples of several scenes, of which a class or folder holds only the first."""
        if options.scene_as == "metadata":
            return
        for sample in samples:
            if len(sample.scenes) > 1:
                others = ", ".join(sample.scenes[1:])
                kept = f"its {options.scene_as} is {sample.scene}"
                self.leave_out(sample, "scenes", f"{kept}; it is also in: {others}")

    def reserve(self, sizes: Iterable[int]) -> None:
        """Check that the folder's disk has room for new files of these sizes in bytes.

        Raises:
            FindingsError: The disk is too small.
        """
        space = SpaceNeeded()
        space.add(self.to.absolute(), sizes)
        space.check(_HINT)

    def write_text(self, path: str, text: str) -> None:
        """Write a text file, in UTF-8."""
        self.begin()
        refuse_links_above(self.to, self.to / path)
        write_text(self.to / path, text)

    def write_bytes(self, path: str, data: bytes) -> None:
        """Write a small file; it is derived again after a power failure."""
        with self.open(path) as file:
            file.write(data)

    @contextmanager
    def open(self, path: str) -> Iterator[BinaryIO]:
        """Yield a file to write; it gets its name when the block succeeds."""
        self.begin()
        target = self.to / path
        refuse_links_above(self.to, target)
        temporary = target.with_name(f".{target.name}.part")
        with (
            atomic_write(target, fsync=False, temporary=temporary) as new,
            new.open("xb") as file,
        ):
            yield file

    def write_samples(
        self, samples: Iterable[ExportSample], file_of: Callable[[ExportSample], str]
    ) -> None:
        """Write samples.csv: each image file with its sample and tags, for formats without tags."""
        with self.open("samples.csv") as file:
            text = io.TextIOWrapper(file, "utf-8", newline="")
            writer = csv.writer(text, lineterminator="\n")
            writer.writerow((*_KEY, *_TAGS))
            for sample in samples:
                tags = (";".join(sample.scenes), sample.persons, sample.boxes, sample.source)
                writer.writerow((file_of(sample), *sample.key, *tags))
            text.flush()
            text.detach()

    def begin(self) -> None:
        """Prepare the folder before the first file is written."""
        if not self._has_begun:
            self._has_begun = True
            self._begin()

    def files(self, folder: str, suffix: str = "") -> Iterator[str]:
        """Yield the files below a folder, by path in it, sorted; links to folders not followed."""
        start = self.to / folder
        for base, folders, names in os.walk(start):
            folders.sort()
            inner = Path(base).relative_to(start).as_posix()
            for name in sorted(names):
                if name.endswith(suffix) and not name.startswith("."):
                    yield name if inner == "." else f"{inner}/{name}"


class _UnreadableError(Exception):
    """A file of the registry can't be read; ``path`` names it."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(reason)
        self.path = path
