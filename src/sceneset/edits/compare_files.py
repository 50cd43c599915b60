"""Compare the files of single samples with delivered ones, by hash and then by pixels."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from sceneset.catalog.reader import Catalog
from sceneset.catalog.subset_folder import Key, printable
from sceneset.delivery.replacements import Replacements
from sceneset.errors import BlobError, FindingsError, UndecodableError, fail
from sceneset.imaging.decode import decode_mask
from sceneset.scanning.measure_sample import (
    Content,
    LoadedPair,
    Pair,
    measure_loaded,
)
from sceneset.schemas.finding import Finding
from sceneset.schemas.params import Limits
from sceneset.schemas.scan_row import ScanRow
from sceneset.storage.blobs import Blobs
from sceneset.storage.files import md5_of, read_bytes
from sceneset.storage.object_store import WORKERS
from sceneset.threads import map_in_threads
from sceneset.versions.mask_iou import iou

_OF_IMAGE = ("picture", "width", "height", "mode", "traits", "orientation")
"""What two files have in common that show the same pixels in the same way."""


class NewFile(NamedTuple):
    """A delivered file that replaces one of a sample."""

    part: str
    """"img_dir" or "ann_dir"."""
    path: Path
    md5: str


class Compared(NamedTuple):
    """The comparison of one sample; ``new`` is None if it has an error or does not change."""

    old: ScanRow
    new: ScanRow | None
    files: tuple[NewFile, ...] = ()
    iou: float | None = None
    findings: tuple[Finding, ...] = ()


class Comparison:
    """Compares the samples of one subset with delivered files. Thread-safe."""

    def __init__(
        self,
        catalog: Catalog,
        name: str,
        delivered: Replacements,
        rows: Mapping[Key, ScanRow],
    ) -> None:
        self._limits: Limits = catalog.params.limits
        self._delivered, self._rows = delivered, rows
        self._folder, self._name = catalog.paths.subset(name), name
        self._blobs = Blobs(catalog.root)
        self._uses_1 = any(row.person for row in rows.values())
        """Whether masks of the subset use 1 for person, so that 255 is not person."""

    def digests(self, keys: Iterable[Key]) -> Iterator[dict[str, str]]:
        """Yield the hashes of the delivered files of each sample, by folder."""
        return map_in_threads(
            lambda key: {
                part: md5_of(self._read_new(files[key]))
                for part, files in self._delivered.files.items()
                if key in files
            },
            keys,
            WORKERS,
        )

    def differs(self, key: Key, digests: Mapping[str, str]) -> bool:
        """Return whether a delivered file of a sample has another hash than the present one."""
        return any(md5 != _md5_of_part(self._rows[key], part) for part, md5 in digests.items())

    def compare(self, key: Key, digests: Mapping[str, str]) -> Compared:
        """Compare a sample with its delivered files."""
        row = self._rows[key]
        taken = {
            part: NewFile(part, self._delivered.files[part][key], md5)
            for part, md5 in digests.items()
            if md5 != _md5_of_part(row, part)
        }
        old_mask = self._read_old(row, "ann_dir") if "ann_dir" in taken else None
        new_mask = self._read_new(taken["ann_dir"].path) if "ann_dir" in taken else None
        if old_mask and new_mask and _same_pixels(old_mask, new_mask, self._limits):
            del taken["ann_dir"]
            new_mask = old_mask
        if not taken:
            return Compared(row, None)
        image = self._folder / "img_dir" / row.phase / row.image
        mask = self._folder / "ann_dir" / row.phase / row.mask
        contents = {
            image: self._read_new(taken["img_dir"].path)
            if "img_dir" in taken
            else self._read_old(row, "img_dir"),
            mask: new_mask if new_mask is not None else self._read_old(row, "ann_dir"),
        }
        pair = Pair(row.phase, row.stem, image, mask, self._folder)
        loaded = LoadedPair({path: Content(data) for path, data in contents.items()})
        measured = measure_loaded(pair, loaded, self._limits)
        new, findings = measured.row, measured.findings
        if new is None and measured.void_row and self._uses_1:
            new = measured.void_row
            findings = tuple(p for p in findings if p.code != "mask-0-255")
        if new and "img_dir" in taken and _is_same_image(row, new):
            del taken["img_dir"]
            same = {"image_md5": row.image_md5, "image_bytes": row.image_bytes}
            new = new.model_copy(update=same)
        if not taken:
            return Compared(row, None)
        overlap = None
        if "ann_dir" in taken and old_mask and new_mask:
            overlap = iou(old_mask, new_mask, self._limits)
        return Compared(
            row,
            new,
            tuple(taken.values()),
            overlap,
            tuple(self._located(p, taken) for p in findings),
        )

    def _located(self, p: Finding, taken: Mapping[str, NewFile]) -> Finding:
        """Return a finding with the delivered file in place of that of the subset."""
        file = taken.get(p.file.partition("/")[0]) or next(iter(taken.values()))
        return p.model_copy(update={"file": self._delivered.shown[file.path]})

    def _read_new(self, path: Path) -> bytes:
        limit = self._limits.max_bytes + 1
        return read_bytes(path, printable(str(path)), limit=limit)

    def _read_old(self, row: ScanRow, part: str) -> bytes:
        """Return a file of the subset: from the working tree, the cache or the remote."""
        md5 = _md5_of_part(row, part)
        path = self._folder / part / row.phase / (row.image if part == "img_dir" else row.mask)
        for place in (self._blobs.path(md5), path):
            try:
                data = read_bytes(place, place.name)
            except FindingsError:
                continue
            if md5_of(data) == md5:
                return data
        try:
            return self._blobs.download(md5)
        except BlobError as error:
            fail(
                "blob-unread",
                f"is needed to judge the new files, and can't be read: {error}",
                subset=self._name,
                file=f"{part}/{row.phase}/{path.name}",
                hint="`dvc pull` gets it where the remote has it",
            )


def _md5_of_part(row: ScanRow, part: str) -> str:
    return row.image_md5 if part == "img_dir" else row.mask_md5


def _is_same_image(old: ScanRow, new: ScanRow) -> bool:
    """Return whether another file of an image shows the same pixels."""
    return old.picture is not None and all(
        getattr(old, name) == getattr(new, name) for name in _OF_IMAGE
    )


def _same_pixels(old: bytes, new: bytes, limits: Limits) -> bool:
    """Return whether two masks hold the same values; False if one can't be decoded."""
    try:
        first, second = decode_mask(old, limits), decode_mask(new, limits)
    except UndecodableError:
        return False
    return first.shape == second.shape and bool((first == second).all())
