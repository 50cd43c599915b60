"""Stage what happens to the image and mask of a sample in the working tree, if they are there."""

from pathlib import Path

from sceneset.catalog.reader import Catalog
from sceneset.edits.draft import Draft
from sceneset.schemas.finding import Finding, finding
from sceneset.schemas.scan_row import ScanRow
from sceneset.storage.blobs import Blobs
from sceneset.storage.files import md5_of


class SampleFiles:
    """Moves and deletes files of samples; files that are not checked out need nothing.

    A file whose content is not the scanned one is left alone and reported: there may be no other
    copy of it.
    """

    def __init__(self, catalog: Catalog, draft: Draft) -> None:
        self._catalog, self._draft = catalog, draft
        self._blobs = Blobs(catalog.root)
        self.findings: list[Finding] = []
        """Files that can't be moved or deleted."""

    def move(self, name: str, old: ScanRow, new: ScanRow) -> None:
        """Move the files of a sample to where its new row says."""
        for path, target, md5 in zip(
            self._paths(name, old),
            self._paths(name, new),
            (old.image_md5, old.mask_md5),
            strict=True,
        ):
            if path != target and self._is_as_scanned(name, path, md5):
                self._draft.move(path, target)

    def delete(self, name: str, row: ScanRow) -> None:
        """Delete the files of a sample from the working tree; DVC's cache keeps them."""
        for path, md5 in zip(self._paths(name, row), (row.image_md5, row.mask_md5), strict=True):
            if self._is_as_scanned(name, path, md5):
                if not self._blobs.path(md5).is_file():
                    self._draft.keep(md5, path)
                self._draft.delete(path)

    def _paths(self, name: str, row: ScanRow) -> tuple[Path, Path]:
        folder = self._catalog.paths.subset(name)
        return (
            folder / "img_dir" / row.phase / row.image,
            folder / "ann_dir" / row.phase / row.mask,
        )

    def _is_as_scanned(self, name: str, path: Path, md5: str) -> bool:
        """Return whether a file is there with the scanned content; report another content."""
        if not path.is_file():
            return False
        if md5_of(path.read_bytes()) == md5:
            return True
        self.findings.append(
            finding(
                "scan-incomplete",
                "differs from the file that was scanned",
                subset=name,
                file=self._catalog.paths.relative(path),
                hint="`dvc checkout` restores it; if the change is intended, `dvc add` its folder "
                "and run `dvc repro`; then run the command again",
            )
        )
        return False
