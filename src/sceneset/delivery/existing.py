"""Compare a delivery with the subset that gets its samples."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from sceneset.catalog.subset_folder import Key
from sceneset.catalog.tags_csv import tags_text
from sceneset.delivery.types import Files
from sceneset.schemas.base import Localized
from sceneset.schemas.finding import Finding, finding
from sceneset.schemas.names import composed
from sceneset.schemas.scan_row import ScanRow
from sceneset.schemas.subset import SplitRow, Subset
from sceneset.schemas.tag import Tag
from sceneset.schemas.terms import Phase
from sceneset.storage.dvc_digests import digests_of_rows
from sceneset.storage.files import md5_of


def existing_findings(rows: Iterable[ScanRow], existing: Mapping[Key, Files]) -> Iterator[Finding]:
    """Yield delivered samples whose name a sample of the subset has already.

    Names that differ in case or Unicode normal form alone are one name on Windows and macOS.
    """
    names = {_folded(key): key for key in existing}
    for row in rows:
        key = row.key if row.key in existing else names.get(_folded(row.key))
        if key is None:
            continue
        hint = "rename the delivered sample, or leave it out with --quarantine"
        if key != row.key:
            what = f"differs from {key[1]!r}, which the subset has, in case or normal form alone"
        elif existing[key] == Files(row.image_md5, row.mask_md5):
            what = "is in the subset already, with the same files"
            hint = "leave it out with --quarantine"
        elif existing[key].image_md5 == row.image_md5:
            what = "is in the subset already, with another mask"
            hint = "take corrected masks with --replace masks; --quarantine leaves the sample out"
        else:
            what = "is in the subset already, with another image"
        yield finding(
            "sample-exists",
            what,
            file=f"img_dir/{row.phase}/{row.image}",
            phase=row.phase,
            stem=row.stem,
            hint=hint,
        )


def _folded(key: Key) -> tuple[Phase, str]:
    return key[0], composed(key[1]).casefold()


def known_rows(entry: Subset) -> list[SplitRow]:
    """Return the rows of a subset to read the split files of further samples by.

    Counts and descriptions are those of the whole subset and are left out.
    """
    update = {"images": None, "description": Localized()}
    return [row.model_copy(update=update) for row in entry.splits]


def digests_of_samples(rows: Sequence[ScanRow], tags: Iterable[Tag]) -> tuple[str, ...]:
    """Return digests of the files and tags of samples."""
    keys = {row.key for row in rows}
    text = tags_text(tag for tag in tags if tag.key in keys)
    return (*(digest.md5 for digest in digests_of_rows(rows).values()), md5_of(text.encode()))
