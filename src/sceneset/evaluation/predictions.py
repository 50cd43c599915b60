"""Predicted masks in a folder, one file for each sample."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from sceneset.catalog.reader import Catalog
from sceneset.errors import FindingsError, UsageError
from sceneset.evaluation.compare import Prediction
from sceneset.evaluation.names import Key, Matches, NameIndex
from sceneset.exports.types import ExportSample
from sceneset.formats.tree import is_litter
from sceneset.imaging.prediction_file import (
    SUFFIXES,
    Predicted,
    PredictionError,
    Reading,
    read_prediction,
)
from sceneset.schemas.params import Limits
from sceneset.storage.files import read_bytes

_JPEG = {".jpg", ".jpeg"}


class Predictions(Protocol):
    """Where predicted masks come from."""

    matches: Matches
    other_files: Counter[str]
    """Number of files that are no masks, by suffix."""
    other_results: Counter[str]
    """Number of COCO results of other categories than person, by name."""

    def prediction(self, sample: ExportSample) -> Prediction:
        """Return the prediction of a sample that ``matches`` found.

        Raises:
            PredictionError: It can't be used.
        """


class PredictedFile(NamedTuple):
    """A predicted mask in a file."""

    path: Path
    name: str
    """For messages."""
    reading: Reading
    limits: Limits

    def read(self) -> Predicted:
        """Return the mask; see ``Prediction``."""
        try:
            data = read_bytes(self.path, self.name, limit=self.limits.max_bytes)
        except FindingsError as error:
            raise PredictionError("unreadable", error.findings[0].message) from None
        return read_prediction(data, self.path.suffix.lower(), self.reading, self.limits)


class FolderPredictions:
    """Predicted masks in a folder."""

    def __init__(
        self,
        folder: Path,
        samples: Sequence[ExportSample],
        catalog: Catalog,
        reading: Reading,
        *,
        ending: str = "",
    ) -> None:
        """Look for the predictions of samples.

        Args:
            folder: Their folder.
            samples: The selected samples.
            catalog: The registry, with the names of all other samples.
            reading: What values mean.
            ending: What follows the stem in each file name, for example "_mask".

        Raises:
            UsageError: The folder can't be read, or has no mask at all.
        """
        self._folder, self._reading, self._limits = folder, reading, catalog.params.limits
        self.other_files: Counter[str] = Counter()
        self.other_results: Counter[str] = Counter()
        names: list[tuple[str, str]] = []
        for name in _files(folder):
            path = Path(name)
            if path.suffix.lower() in SUFFIXES:
                names.append((name, path.stem))
            else:
                self.other_files[path.suffix.lower() or "no suffix"] += 1
        if not names:
            known = ", ".join(SUFFIXES)
            if _JPEG & self.other_files.keys():
                known += "; JPEG changes the values of masks, so write PNG"
            raise UsageError(f"{folder} holds no predictions: no file name ends with {known}")
        index = NameIndex(names, catalog.names, ending=ending)
        selected = [sample.key for sample in samples]
        self.matches = index.match(selected, other_samples(catalog, selected))

    def prediction(self, sample: ExportSample) -> PredictedFile:
        """Return the prediction of a sample; see ``Predictions``."""
        name = self.matches.found[sample.key]
        return PredictedFile(self._folder / name, name, self._reading, self._limits)


def _files(folder: Path, prefix: str = "", above: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield the paths of all files below a folder, relative to it and sorted.

    Links are followed: training programs make them to their last or best run.

    Args:
        folder: The folder.
        prefix: What its files begin with.
        above: The folders that it is in, without links.

    Raises:
        UsageError: A folder can't be listed, or is a link to a folder that it is in.
    """
    if not folder.exists():
        raise UsageError(f"{folder}: there is no such file or folder of predictions")
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder of predictions, and no .json or .parquet file")
    real = os.path.realpath(folder)
    if real in above:
        raise UsageError(f"{folder} is a link to a folder that it is in; remove it")
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise UsageError(f"{folder}: {error.strerror}") from None
    for entry in entries:
        if is_litter(entry.name):
            continue
        if entry.is_dir():
            yield from _files(Path(entry.path), f"{prefix}{entry.name}/", (*above, real))
        else:
            yield f"{prefix}{entry.name}"


def other_samples(catalog: Catalog, selected: Iterable[Key]) -> Iterator[Key]:
    """Yield the samples of the registry that are not selected."""
    known = set(selected)
    for name in catalog.names:
        for tag in catalog.tags(name, cache=False):
            key = (name, str(tag.phase), tag.stem)
            if key not in known:
                yield key
