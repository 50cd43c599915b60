"""Rank samples by how far their masks differ from what a model sees."""

import heapq
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import repeat
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sceneset.catalog.reader import Catalog
from sceneset.errors import BlobError, UndecodableError
from sceneset.exports.types import ExportSample, Key
from sceneset.imaging.decode import decode_mask, decode_small
from sceneset.imaging.overlay import turned
from sceneset.models.model_file import ModelFile
from sceneset.models.model_pool import ModelPool
from sceneset.models.model_process import Failure
from sceneset.models.preparation import Preparation, prepare
from sceneset.progress import Progress, no_progress
from sceneset.schemas.params import Limits
from sceneset.suggestions.disagreement import UNMARKED, Disagreement, disagreement
from sceneset.suggestions.person_map import Output, person_map
from sceneset.versions.local_files import LocalFiles

if TYPE_CHECKING:
    from sceneset.models.network import Network

ORDERS = ("disagreement", "unmarked")
"""What the first samples have most of: disagreement, or a person without a mask."""
MOST_PROBLEMS = 1000
"""Samples without a hint that are listed; more are counted."""


class Reading(NamedTuple):
    """How a model is fed and read."""

    preparation: Preparation = Preparation()
    output: Output = Output()


class Ranked(NamedTuple):
    """A sample with what differs."""

    key: Key
    difference: Disagreement


class Problem(NamedTuple):
    """A sample that the model did not look at."""

    key: Key
    reason: str


@dataclass
class SecondLook:
    """What a model sees in the selected samples."""

    model: ModelFile
    library: str = ""
    order: str = ORDERS[0]
    looked: int = 0
    """Number of samples that were compared."""
    with_person: int = 0
    """Number of them whose mask has a person."""
    blind: int = 0
    """Number of them in which the model does not see the persons of the mask."""
    full: int = 0
    """Number of samples whose whole picture the model takes for a person."""
    unmarked: int = 0
    """Number of samples in which the model sees a person without a mask."""
    ranked: list[Ranked] = field(default_factory=list)
    """The first samples."""
    problems: list[Problem] = field(default_factory=list)
    """The first samples without a hint."""
    failed: int = 0
    """Number of samples without a hint."""

    def count(self, found: Disagreement) -> None:
        """Count a sample that was compared."""
        self.looked += 1
        self.with_person += found.marked > 0
        self.blind += found.is_blind
        self.full += found.is_full
        self.unmarked += found.part >= UNMARKED

    def add_problem(self, key: Key, reason: str) -> None:
        """Count a sample that was not compared."""
        self.failed += 1
        if len(self.problems) < MOST_PROBLEMS:
            self.problems.append(Problem(key, reason))


class _Pictures(NamedTuple):
    """The two files of a sample."""

    image: bytes
    suffix: str
    mask: bytes


def look_again(
    catalog: Catalog,
    samples: Sequence[ExportSample],
    model: ModelFile,
    reading: Reading,
    *,
    files: LocalFiles,
    order: str = ORDERS[0],
    limit: int,
    progress: Progress = no_progress,
) -> SecondLook:
    """Return the samples whose masks differ most from what a model sees.

    Equal files give an equal ranking, whatever the number of processes. Memory depends on ``limit``
    and not on the number of samples.

    Args:
        catalog: The registry.
        samples: The samples.
        model: A segmentation model.
        reading: How it is fed and read.
        files: Reads the files.
        order: One of ORDERS.
        limit: Number of samples to rank.
        progress: Called with the samples.

    Raises:
        ModelError: The model can't be run, or its output can't be read.
    """
    found = SecondLook(model, order=order)
    pictures = _Samples(catalog, samples, files, found)
    with ModelPool(model, size=reading.preparation.size) as pool:
        found.library = pool.loaded.library
        ranked = progress(pictures.compare(pool, reading), len(samples), "look again")
        best = (one for one in ranked if one and _value(one, order) > 0)
        found.ranked = heapq.nsmallest(limit, best, key=partial(_rank, order=order))
    found.problems.sort()
    if samples and pictures.unusable == len(samples):
        raise model.error(f"has no usable output for any picture: {found.problems[0].reason}")
    return found


def _value(one: Ranked, order: str) -> float:
    return one.difference.score if order == ORDERS[0] else one.difference.part


def _rank(one: Ranked, *, order: str) -> tuple[float, Key]:
    return -_value(one, order), one.key


class _Samples:
    """Samples on their way through the processes."""

    def __init__(
        self,
        catalog: Catalog,
        samples: Sequence[ExportSample],
        files: LocalFiles,
        found: SecondLook,
    ) -> None:
        self._limits = catalog.params.limits
        self._samples, self._files, self._found = samples, files, found
        self._sent: deque[Key] = deque()
        self._unsent = 0
        self.unusable = 0
        """Number of samples for which the output of the model can't be used."""

    def compare(self, pool: ModelPool, reading: Reading) -> Iterator[Ranked | None]:
        """Yield something for each sample; None if it has a problem, which is counted."""
        work = partial(_look, reading=reading, limits=self._limits)
        for result in pool.map(work, self._pictures()):
            key = self._sent.popleft()
            if isinstance(result, Failure):
                self.unusable += result.is_output
                self._found.add_problem(key, result.reason)
                yield None
            else:
                self._found.count(result)
                yield Ranked(key, result)
        yield from repeat(None, self._unsent)

    def _pictures(self) -> Iterator[_Pictures]:
        for sample in self._samples:
            try:
                image = self._files.read(sample.image_path, sample.image_md5)
                mask = self._files.read(sample.mask_path, sample.mask_md5)
            except BlobError as error:
                self._found.add_problem(sample.key, str(error))
                self._unsent += 1
                continue
            self._sent.append(sample.key)
            yield _Pictures(image, sample.suffix, mask)


def _look(
    network: "Network", pictures: _Pictures, *, reading: Reading, limits: Limits
) -> Disagreement:
    """Compare a mask with what the model sees; this function runs in another process.

    Raises:
        OutputError: The model's output can't be read.
        UndecodableError: The image or its mask can't be decoded.
    """
    wanted = network.input
    side = 2 * max(wanted.width, wanted.height)
    small = decode_small(pictures.image, pictures.suffix, side, limits)
    mask = decode_mask(pictures.mask, limits)
    height, width = mask.shape
    if (width, height) != small.size:
        raise UndecodableError(
            "size-differs",
            f"the mask is {width} x {height}, its image {small.size[0]} x {small.size[1]}",
        )
    shown = turned(np.asarray(small.image), small.orientation)
    blob, placement = prepare(shown, reading.preparation, wanted)
    persons = person_map(
        network.run(blob), reading.output, channels_last=network.input.channels_last
    )
    return disagreement(turned(mask, small.orientation), placement.cut(persons))
