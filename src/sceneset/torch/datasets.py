"""PyTorch datasets over the samples of a source: by position, or as a stream."""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset, IterableDataset, get_worker_info

from sceneset.errors import BlobError, UndecodableError, UsageError
from sceneset.imaging.decode import decode_image, decode_mask
from sceneset.torch.order import epoch_order, shard
from sceneset.torch.samples import Sample
from sceneset.torch.sources import Source

Transform = Callable[[Any, Any], tuple[Any, Any]]
"""Takes and returns an image and its mask, like the transforms of torchvision.transforms.v2."""
Item = dict[str, Any]


class _Reader:
    """Reads the files of samples in threads, and decodes them in the calling thread."""

    def __init__(
        self, source: Source, transform: Transform | None, *, tv_tensors: bool, readers: int
    ) -> None:
        if readers < 1:
            raise UsageError(f"{readers} readers can't read; use 1 or more")
        self.source, self._transform, self._readers = source, transform, readers
        self._wrap = _tv_tensors() if tv_tensors else None
        self._pool: tuple[int, ThreadPoolExecutor] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_pool": None}

    def read(self, positions: Iterable[int]) -> Iterator[Item]:
        """Yield the items at positions, in this order; the next files are read meanwhile."""
        pending: deque[tuple[Sample, Future[tuple[bytes, bytes]]]] = deque()
        pool = self._threads()
        try:
            for position in positions:
                sample = self.source.samples[int(position)]
                pending.append((sample, pool.submit(self.source.read, sample)))
                if len(pending) > 2 * self._readers:
                    yield self._item(*pending.popleft())
            while pending:
                yield self._item(*pending.popleft())
        finally:
            for _, future in pending:
                future.cancel()

    def _threads(self) -> ThreadPoolExecutor:
        """Return the threads of this process: those of a parent don't survive a fork."""
        if self._pool is None or self._pool[0] != os.getpid():
            self._pool = (os.getpid(), ThreadPoolExecutor(self._readers))
        return self._pool[1]

    def _item(self, sample: Sample, files: "Future[tuple[bytes, bytes]]") -> Item:
        image, mask = self._decode(sample, *files.result())
        if self._wrap:
            image, mask = self._wrap[0](image), self._wrap[1](mask)
        if self._transform:
            image, mask = self._transform(image, mask)
        return {"image": image, "mask": mask, "key": sample.key}

    def _decode(
        self, sample: Sample, image: bytes, mask: bytes
    ) -> tuple[torch.Tensor, torch.Tensor]:
        limits, path = self.source.limits, sample.image_path
        try:
            pixels = decode_image(image, sample.image[-4:], limits).pixels
            path = sample.mask_path
            values = decode_mask(mask, limits)
        except UndecodableError as error:
            raise BlobError(f"{path}: {error}") from None
        if pixels.shape[:2] != values.shape:
            raise BlobError(f"{path}: image and mask differ in size")
        if pixels.ndim == 2:
            pixels = np.repeat(pixels[:, :, None], 3, axis=2)
        # Copies: the decoder uses its buffer again.
        return (
            torch.from_numpy(np.array(pixels.transpose(2, 0, 1), order="C")),
            torch.from_numpy(np.array(values)),
        )


def _tv_tensors() -> tuple[Any, Any]:
    """Return the classes of images and masks that transforms tell apart."""
    try:
        from torchvision.tv_tensors import Image, Mask
    except ModuleNotFoundError:
        raise UsageError("tv_tensors=True needs torchvision; install it") from None
    return Image, Mask


class SegmentationDataset(Dataset):  # type: ignore[misc] # PyTorch is optional
    """Samples by position, for shuffling by a sampler such as ``EpochSampler``.

    An item is a dict: "image", uint8 of 3 x height x width (RGB); "mask", uint8 of height x width
    (0 background, 1 person, 255 ignore); "key", <subset>/<phase>/<stem>. Pixels are as stored; the
    mask fits them.
    """

    def __init__(
        self,
        source: Source,
        transform: Transform | None = None,
        *,
        tv_tensors: bool = False,
        readers: int = 8,
    ) -> None:
        """Use the samples of ``from_registry`` or ``from_folder``.

        Args:
            source: The samples.
            transform: Changes an image and its mask together.
            tv_tensors: Pass torchvision's Image and Mask to the transform instead of tensors.
            readers: Files that one worker reads at the same time.
        """
        self.source = source
        self._reader = _Reader(source, transform, tv_tensors=tv_tensors, readers=readers)

    def __len__(self) -> int:
        return len(self.source.samples)

    def __getitem__(self, position: int) -> Item:
        """Return one sample."""
        [item] = self._reader.read([range(len(self))[position]])
        return item

    def __getitems__(self, positions: Sequence[int]) -> list[Item]:
        """Return the samples of a batch; their files are read at the same time."""
        return list(self._reader.read(positions))


class StreamingDataset(IterableDataset):  # type: ignore[misc] # PyTorch is optional
    """Samples as a stream that is shuffled and divided among processes and workers.

    The order depends on seed and epoch only; call ``set_epoch`` before each epoch. Every process
    of a distributed training draws equally many samples. Items are those of
    ``SegmentationDataset``.
    """

    def __init__(
        self,
        source: Source,
        transform: Transform | None = None,
        *,
        seed: int = 0,
        shuffle: bool = True,
        rank: int | None = None,
        world: int | None = None,
        drop_last: bool = False,
        tv_tensors: bool = False,
        readers: int = 8,
    ) -> None:
        """Use the samples of ``from_registry`` or ``from_folder``.

        Args:
            source: The samples.
            transform: As for ``SegmentationDataset``, like ``tv_tensors`` and ``readers``.
            seed: Another number gives another order.
            shuffle: Without it, samples come in their order.
            rank: Number of this process, from 0; by default as torch.distributed or torchrun say.
            world: Number of processes, likewise.
            drop_last: Leave samples out if they can't be divided evenly among the processes;
                otherwise some are drawn twice.
            tv_tensors: As for ``SegmentationDataset``.
            readers: As for ``SegmentationDataset``.
        """
        self.source = source
        self._reader = _Reader(source, transform, tv_tensors=tv_tensors, readers=readers)
        self._seed, self._shuffle, self._drop_last = seed, shuffle, drop_last
        self._rank, self._world = process_position(rank, world)
        # Shared memory: workers that live for several epochs see the change.
        self._epoch = torch.zeros(1, dtype=torch.int64).share_memory_()

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of the next epoch."""
        self._epoch[0] = epoch

    @property
    def positions(self) -> "np.ndarray[Any, Any]":
        """Positions in ``source.samples`` that this process draws in the current epoch."""
        weights, epoch = self.source.samples.weights, int(self._epoch[0])
        order = epoch_order(weights, self._seed, epoch, shuffle=self._shuffle)
        return shard(order, self._rank, self._world, drop_last=self._drop_last)

    def __iter__(self) -> Iterator[Item]:
        """Yield the samples of this process and worker."""
        worker = get_worker_info()
        part = slice(worker.id, None, worker.num_workers) if worker else slice(None)
        return self._reader.read(self.positions[part])


def process_position(rank: int | None, world: int | None) -> tuple[int, int]:
    """Return the number of this process and of all processes of a distributed training.

    Raises:
        UsageError: Only one number is given, or the rank is not below the number of processes.
    """
    if (rank is None) != (world is None):
        raise UsageError("give both rank and world, or neither")
    if rank is None or world is None:
        distributed = torch.distributed
        if distributed.is_available() and distributed.is_initialized():
            rank, world = distributed.get_rank(), distributed.get_world_size()
        else:  # set by torchrun
            rank, world = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    if not 0 <= rank < world:
        raise UsageError(f"rank {rank} is not below the number of processes, {world}")
    return rank, world
