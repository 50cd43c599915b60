"""The masks of another version as predictions: how far two annotations agree."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from sceneset.catalog.reader import Catalog
from sceneset.errors import BlobError, UndecodableError
from sceneset.evaluation.names import Key, Matches, Problem
from sceneset.exports.types import ExportSample
from sceneset.imaging.decode import decode_mask
from sceneset.imaging.prediction_file import Predicted, PredictionError
from sceneset.schemas.params import Limits
from sceneset.versions.local_files import LocalFiles


class VersionMasks:
    """Masks of another version; pixels that are ignored in either version are left out."""

    def __init__(self, catalog: Catalog, samples: Sequence[ExportSample]) -> None:
        """Find the masks of samples.

        A sample must have the same name and the same image in both versions.

        Args:
            catalog: The other version.
            samples: The selected samples.

        Raises:
            FindingsError: A file of the other version can't be read.
        """
        self.files = LocalFiles(catalog)
        self.other_files: Counter[str] = Counter()
        self.other_results: Counter[str] = Counter()
        self.matches = Matches()
        self._limits = catalog.params.limits
        self._masks: dict[Key, str] = {}
        known = self._known(catalog, {sample.subset for sample in samples})
        for sample in samples:
            image, mask = known.get(sample.key, (b"", b""))
            if not image:
                problem = Problem("missing", "is not in the other version")
            elif image.hex() != sample.image_md5:
                problem = Problem("other-image", "has another image in the other version")
            else:
                self._masks[sample.key] = mask.hex()
                self.matches.found[sample.key] = sample.mask_path
                continue
            self.matches.problems[sample.key] = problem

    @staticmethod
    def _known(catalog: Catalog, names: set[str]) -> dict[Key, tuple[bytes, bytes]]:
        """Return the hashes of image and mask of all samples of subsets."""
        found: dict[Key, tuple[bytes, bytes]] = {}
        columns = ("phase", "stem", "image_md5", "mask_md5")
        for name in sorted(names & set(catalog.names)):
            scan = catalog.scan(name, columns)
            for phase, stem, *hashes in zip(
                *(scan[column].to_pylist() for column in columns), strict=True
            ):
                found[name, phase, stem] = (hashes[0], hashes[1])
        return found

    def wanted(self) -> list[tuple[str, str | None]]:
        """Return path and hash of all masks, for ``LocalFiles.fetch``."""
        return [(path, self._masks[key]) for key, path in self.matches.found.items()]

    def prediction(self, sample: ExportSample) -> "MaskOfVersion":
        """Return the mask of a sample in the other version; see ``Predictions``."""
        try:
            data = self.files.read(sample.mask_path, self._masks[sample.key])
        except BlobError as error:
            raise _unreadable(error) from None
        return MaskOfVersion(data, self._limits)


class MaskOfVersion(NamedTuple):
    """A mask of another version."""

    data: bytes
    limits: Limits

    def read(self) -> Predicted:
        """Return the mask; see ``Prediction``."""
        try:
            return Predicted(decode_mask(self.data, self.limits), "mask")
        except UndecodableError as error:
            raise _unreadable(error) from None


def _unreadable(error: Exception) -> PredictionError:
    return PredictionError("unreadable", f"its mask in the other version {error}")
