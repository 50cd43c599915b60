"""Crop all originals of a source into a delivery that `sceneset add` takes."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sceneset.catalog.crops import CROPS_FILE, crops_text
from sceneset.catalog.params_edit import entry_text
from sceneset.catalog.reader import Catalog
from sceneset.catalog.split_selection import in_table_order
from sceneset.catalog.tags_csv import tags_text
from sceneset.cropping.cut import Cropped, Cutter
from sceneset.cropping.originals import Original, Originals
from sceneset.cropping.provenance import provenance_of_crops
from sceneset.cropping.types import ERRORS, Detection, Reason, Refusal, Rules
from sceneset.delivery.read import read_delivery
from sceneset.delivery.scene_table import complete_rows
from sceneset.delivery.types import Delivery, Request
from sceneset.progress import Progress
from sceneset.quality.ignored import ignored_subset_findings
from sceneset.schemas.crop import CropRow
from sceneset.schemas.subset import Subset
from sceneset.schemas.tag import Tag
from sceneset.schemas.terms import Kind, Phase
from sceneset.storage.files import write_text
from sceneset.threads import map_in_threads

TAGS_FILE, ENTRY_FILE = "tags.csv", "entry.yaml"


@dataclass
class CropSet:
    """The crops of a source, and everything that was left out."""

    tags: list[Tag] = field(default_factory=list)
    rows: list[CropRow] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    """Sorted by image."""
    originals: int = 0
    """Number of images of the source."""
    boxes: int = 0
    """Number of boxes that belong to them."""
    seams: int = 0
    """Boxes over the seam of a panorama, which count as two."""
    others: Mapping[str, int] = field(default_factory=dict)
    """Number of boxes of each other class than person, by its name."""
    says: list[str] = field(default_factory=list)

    @property
    def errors(self) -> list[Refusal]:
        """What is wrong with the input."""
        return [refusal for refusal in self.refused if refusal.reason in ERRORS]

    @property
    def counts(self) -> dict[Reason, int]:
        """How often each reason occurs, in the order of the reasons."""
        counts = Counter(refusal.reason for refusal in self.refused)
        return {reason: counts[reason] for reason in Reason if counts[reason]}

    @property
    def cropped(self) -> int:
        """Number of images with at least one crop."""
        return len({(tag.phase, tag.source) for tag in self.tags})


def crop(
    originals: Originals,
    boxes: dict[tuple[Phase, str], list[Detection]],
    folder: Path,
    rules: Rules,
    catalog: Catalog,
    *,
    about: str,
    progress: Progress,
) -> CropSet:
    """Cut the crops and write img_dir and ann_dir of a delivery.

    The same input gives the same files and the same order.

    Args:
        originals: The images.
        boxes: The boxes of each image.
        folder: An empty folder, which becomes the delivery.
        rules: Thresholds.
        catalog: The registry whose limits count.
        about: Where the boxes come from, for the record.
        progress: Called with the images.
    """
    found = CropSet(originals=len(originals.images), says=list(originals.says))
    for part in ("img_dir", "ann_dir"):
        for phase in dict.fromkeys(original.tag.phase for original in originals.images):
            (folder / part / phase).mkdir(parents=True)
    cutter = Cutter(originals, folder, rules, catalog.params.limits, about)

    def cut(original: Original) -> Cropped:
        return cutter.crop(original, boxes.get(original.key, ()))

    for result in map_in_threads(cut, progress(originals.images, len(originals.images), "crop")):
        found.tags += result.tags
        found.rows += result.rows
        found.refused += result.refused
        found.seams += result.seams
    found.boxes = sum(map(len, boxes.values()))
    _delete_empty(folder)
    return found


def _delete_empty(folder: Path) -> None:
    """Delete folders of phases without a crop: in a delivery, they would be a finding."""
    for path in folder.glob("*/*"):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def write_texts(
    found: CropSet, originals: Originals, folder: Path, *, name: str, suffix: str, catalog: Catalog
) -> None:
    """Write tags.csv, entry.yaml and crops.csv of a delivery.

    Args:
        found: The crops, at least one.
        originals: The images, whose provenance the crops have.
        folder: The folder of the delivery.
        name: The name of the subset.
        suffix: The suffix of the images.
        catalog: The registry that the subset is for.
    """
    tags = sorted(found.tags, key=lambda tag: tag.key)
    vocabulary = catalog.vocabulary
    entry = Subset.model_validate(
        {
            "name": name,
            "kind": Kind.CROP,
            "category": originals.category,
            "description": originals.description,
            "img_suffix": suffix,
            "provenance": provenance_of_crops(originals, tags),
            "splits": in_table_order(
                vocabulary, complete_rows(vocabulary, [], tags, from_tags=True)
            ),
        }
    )
    write_text(folder / TAGS_FILE, tags_text(tags))
    write_text(folder / ENTRY_FILE, entry_text(entry))
    write_text(folder / CROPS_FILE, crops_text(found.rows))


def checked_delivery(
    folder: Path, name: str, catalog: Catalog, progress: Progress, *, is_new: bool
) -> Delivery:
    """Return the delivery of crops, checked as any other.

    Args:
        folder: The folder, complete.
        name: The name of the subset.
        catalog: The registry that the subset is for.
        progress: Called with the samples.
        is_new: Whether the subset is to be added, so that git must not ignore its files.
    """
    request = Request(folder, name, Kind.CROP, folder / ENTRY_FILE, folder / TAGS_FILE)
    delivery = read_delivery(request, catalog, progress)
    if delivery.entry and is_new:
        splits = [row.file for row in delivery.entry.splits]
        delivery.findings += ignored_subset_findings(catalog, name, splits)
    return delivery
