"""A sampler for map-style datasets that gives the same order as the stream."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from torch.utils.data import Sampler

from sceneset.torch.datasets import SegmentationDataset, process_position
from sceneset.torch.order import epoch_order, shard

if TYPE_CHECKING:
    from sceneset.torch.order import Positions


class EpochSampler(Sampler):  # type: ignore[misc] # PyTorch is optional
    """Draws positions by seed, epoch and rank; samples of a selection by its weight.

    The order of batches does not depend on the number of workers.
    """

    def __init__(
        self,
        dataset: SegmentationDataset,
        *,
        seed: int = 0,
        shuffle: bool = True,
        rank: int | None = None,
        world: int | None = None,
        drop_last: bool = False,
    ) -> None:
        """Sample from a dataset; the arguments are those of ``StreamingDataset``."""
        self._weights = dataset.source.samples.weights
        self._seed, self._shuffle, self._drop_last = seed, shuffle, drop_last
        self._rank, self._world = process_position(rank, world)
        self._epoch = 0
        self._length = len(self._positions())

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of the next epoch."""
        self._epoch = epoch

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[int]:
        return iter(self._positions().tolist())

    def _positions(self) -> "Positions":
        order = epoch_order(self._weights, self._seed, self._epoch, shuffle=self._shuffle)
        return shard(order, self._rank, self._world, drop_last=self._drop_last)
