"""Files that pack samples: which sample goes where, and writing those that are not complete.

The plan follows from the selection alone, so an interrupted export continues with the same shards.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from typing import BinaryIO

from sceneset.exports.output import Output
from sceneset.exports.types import ExportOptions, ExportSample
from sceneset.storage.files import md5_of

SHARD_BYTES = 500_000_000
"""Size of a shard if the user names none."""

Packed = tuple[ExportSample, tuple[bytes, bytes]]
"""A sample with the bytes of its image and of its mask."""


@dataclass(frozen=True, slots=True)
class Shard:
    """One file to write."""

    path: str
    """In the folder of the export."""
    samples: list[ExportSample]
    size: int
    """Estimate of the file's size in bytes."""


def mixed(samples: Sequence[ExportSample]) -> list[ExportSample]:
    """Return the samples in a fixed order that mixes subsets and scenes.

    Readers take packed samples in their order and shuffle within a buffer only.
    """
    return sorted(samples, key=lambda sample: md5_of("/".join(sample.key).encode()))


def cut(
    samples: Sequence[ExportSample],
    size_of: Callable[[ExportSample], int],
    options: ExportOptions,
) -> list[tuple[list[ExportSample], int]]:
    """Return groups of samples with their sizes in bytes, none larger than --shard-bytes.

    A sample that is larger alone is a group of its own.
    """
    limit = options.shard_bytes or SHARD_BYTES
    groups: list[tuple[list[ExportSample], int]] = []
    for sample in samples:
        size = size_of(sample)
        if groups and groups[-1][1] + size <= limit:
            groups[-1][0].append(sample)
            groups[-1] = groups[-1][0], groups[-1][1] + size
        else:
            groups.append(([sample], size))
    return groups


def write_shards(
    shards: Sequence[Shard],
    out: Output,
    is_complete: Callable[[Shard], bool],
    write: Callable[[BinaryIO, Iterator[Packed]], None],
) -> None:
    """Write the shards that are not complete; a few samples are in memory at the same time.

    Args:
        shards: The plan.
        out: The folder.
        is_complete: Whether an existing file holds all samples of its shard.
        write: Writes the samples of a shard into its file.

    Raises:
        FindingsError: The disk is too small.
        DvcError: The remote can't be reached.
    """
    exists = {shard.path for shard in shards if (out.to / shard.path).is_file()}
    open_shards = [shard for shard in shards if not (shard.path in exists and is_complete(shard))]
    out.reserve(shard.size for shard in open_shards)
    path_of = {s.key: shard.path for shard in open_shards for s in shard.samples}
    samples = [sample for shard in open_shards for sample in shard.samples]
    for shard in open_shards:
        if shard.path in exists:  # samples that could not be read before are missing in it
            (out.to / shard.path).unlink()
    with closing(_files(out, samples)) as files:
        for path, packed in groupby(files, lambda item: path_of[item[0].key]):
            with out.open(path) as file:
                write(file, packed)


def _files(out: Output, samples: list[ExportSample]) -> Generator[Packed, None, None]:
    yield from out.each_file(samples, lambda _, files: files)
