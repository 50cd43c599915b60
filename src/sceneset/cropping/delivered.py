"""Read the samples of a delivery, in any layout that `sceneset add` reads, to crop them."""

from collections.abc import Sequence

from sceneset.catalog.reader import Catalog
from sceneset.catalog.subset_folder import Layout, printable
from sceneset.counts import counted
from sceneset.cropping.originals import Original, Originals
from sceneset.cropping.types import Reason, Refusal
from sceneset.delivery.read import read_delivery
from sceneset.delivery.types import Delivery, Request
from sceneset.errors import FindingsError
from sceneset.formats.tree import without_suffix
from sceneset.progress import Progress
from sceneset.schemas.finding import errors_of
from sceneset.schemas.scan_row import ScanRow
from sceneset.schemas.tag import Tag
from sceneset.storage.files import read_bytes


def delivered_originals(request: Request, catalog: Catalog, progress: Progress) -> Originals:
    """Check a delivery as `sceneset add` does, and return its images.

    Args:
        request: The delivery, with ``quarantine`` set: samples with errors are listed as refused.
        catalog: The registry whose limits, rules and withdrawn images count.
        progress: Called with the samples.

    Raises:
        FindingsError: The delivery as a whole can't be read.
    """
    delivery = read_delivery(request, catalog, progress)
    general = [p for p in errors_of(delivery.findings) if p not in delivery.left_out]
    if general or delivery.entry is None:
        raise FindingsError(general or errors_of(delivery.findings))
    limit = catalog.params.limits.max_bytes
    files = _Files(delivery.layout, limit)
    rows = {row.key: row for row in delivery.rows}
    delivered = {(one.phase, one.stem): one.image for one in delivery.delivered}
    images = [
        _original(tag, rows[tag.key], delivered.get(tag.key, ""), delivery)
        for tag in sorted(delivery.tags, key=lambda tag: tag.key)
        if tag.key in rows
    ]
    refused = [
        Refusal(
            Reason.WITHDRAWN if p.code == "forgotten" else Reason.DELIVERY,
            f"{p.phase}/{p.stem}" if p.stem else p.file,
            "",
            f"{p.code}: {p.message}",
        )
        for p in delivery.left_out
    ]
    return Originals(
        images,
        files.image,
        files.mask,
        refused,
        described=printable(request.folder.resolve().name),
        category=delivery.entry.category,
        provenance=delivery.entry.provenance,
        says=[*delivery.says, *_clips_text(images)],
    )


def _clips_text(images: Sequence[Original]) -> list[str]:
    """Return the advice to register originals whose clips the crops would not know."""
    number = sum(bool(original.tag.source) for original in images)
    originals = counted(number, "original has", "originals have")
    advice = (
        f"{originals} a source such as a video. The source of a crop is its original: register "
        "the originals too, so that `sceneset split` keeps the crops of one video together"
    )
    return [advice] if number else []


def _original(tag: Tag, row: ScanRow, path: str, delivery: Delivery) -> Original:
    phase, stem = tag.key
    own = f"img_dir/{phase}/{stem}"
    return Original(
        tag=tag,
        names=(own, without_suffix(path)) if path else (own,),
        source=stem,
        recorded=path or f"{own}{delivery.layout.img_suffix}",
        image_md5=row.image_md5,
        suffix=delivery.layout.img_suffix,
        width=row.width,
        height=row.height,
        orientation=row.orientation,
    )


class _Files:
    def __init__(self, layout: Layout, limit: int) -> None:
        self._layout, self._limit = layout, limit

    def image(self, original: Original) -> bytes:
        path = self._layout.images[original.key]
        return read_bytes(path, original.recorded, limit=self._limit)

    def mask(self, original: Original) -> bytes:
        path = self._layout.masks[original.key]
        return read_bytes(path, f"the mask of {original.recorded}", limit=self._limit)
