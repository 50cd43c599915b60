"""Folders of images and of masks, under any names."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import lru_cache

from sceneset.counts import counted
from sceneset.formats.mask_values import MASK_SUFFIXES
from sceneset.formats.names import informative_folders
from sceneset.formats.tree import Tree, phase_of, suffix_of, without_suffix
from sceneset.formats.types import FormatSample, MaskFile, Options, Report
from sceneset.imaging.mask_file import holds_mask
from sceneset.schemas.finding import finding
from sceneset.schemas.names import composed
from sceneset.schemas.terms import Phase

_MASK_FOLDERS = {
    *("mask", "masks", "ann_dir", "annotations", "annotation", "labels", "label", "gt", "mattes"),
    *("ground_truth", "groundtruth", "segmentationclass", "segmentation", "seg", "matte", "alpha"),
    *("segmentationobject", "segmentationclasspng", "pedmasks", "annots", "pixel-level", "png"),
    *("segmentationclassnpy", "silhouettes", "masks_machine", "parsing", "480p_masks"),
}
_MASK_ENDINGS = (
    *("_mask", "-mask", ".mask", "_matte", "-matte", "_gt", "_label", "_seg", "_segmentation"),
    *("_labelids", "_alpha", "_ann", "_parsing", "_profile"),
)
_IMAGE_SUFFIXES = (".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".webp", ".tif", ".tiff")
_ARRAYS = (".npy", ".mat")
_CACHED = 4096  # folders, or pairs of folders: most files share few
_MIN_SHARE = 0.5  # of the masks must have an image for the folders to be recognized


class _Pairing:
    """Which files of a delivery are masks, and the image of each."""

    def __init__(self, tree: Tree) -> None:
        masks, images = [], []
        others = _folders_of_other_arrays(tree)
        for file in tree.files:
            if suffix_of(file) in _ARRAYS and file.rpartition("/")[0] in others:
                continue
            if _is_mask(file):
                masks.append(file)
            elif suffix_of(file) in _IMAGE_SUFFIXES:
                images.append(file)
        self.lone_masks: list[str] = []
        self.pairs: dict[str, str] = {}
        """The mask of each image."""
        self.several: dict[str, list[str]] = {}
        """The masks of an image that has more than one."""
        by_stem = _by_stem(images)
        found: dict[str, list[str]] = defaultdict(list)
        for mask in masks:
            own_image = _closest(_images_of(mask, by_stem), mask)
            if own_image is None:
                self.lone_masks.append(mask)
            else:
                found[own_image].append(mask)
        for image, own in found.items():
            if len(own) == 1:
                self.pairs[image] = own[0]
            else:
                self.several[image] = own
        self.lone_images = [image for image in images if image not in found]
        self.mask_folders = sorted({mask.rpartition("/")[0] for mask in self.pairs.values()})


def _folders_of_other_arrays(tree: Tree) -> set[str]:
    """Return the folders whose NumPy or MATLAB files are no masks, by their first file.

    Vectors of tags for each image, and lists of class names, have the same suffix.
    """
    first: dict[str, str] = {}
    for file in tree.with_suffix(*_ARRAYS):
        first.setdefault(file.rpartition("/")[0], file)
    return {folder for folder, file in first.items() if not holds_mask(tree.path(file))}


def _is_mask(file: str) -> bool:
    suffix = suffix_of(file)
    if suffix not in MASK_SUFFIXES:
        return False
    if suffix in _ARRAYS:
        return True
    folder, _, name = file.rpartition("/")
    return without_suffix(name).casefold().endswith(_MASK_ENDINGS) or _is_below_masks(folder)


@lru_cache(maxsize=_CACHED)
def _is_below_masks(folder: str) -> bool:
    return any(
        part in _MASK_FOLDERS or part.endswith(("masks", "_mask", "_gt"))
        for part in folder.casefold().split("/")
    )


def _by_stem(images: list[str]) -> dict[str, list[str]]:
    """Return images by their stems in NFC, and by these casefolded."""
    found: dict[str, list[str]] = defaultdict(list)
    for image in images:
        stem = composed(without_suffix(image.rpartition("/")[2]))
        for form in {stem, stem.casefold()}:
            found[form].append(image)
    return found


def _images_of(mask: str, by_stem: dict[str, list[str]]) -> list[str]:
    """Return the images that can belong to a mask: those in another case only if no other fits."""
    stem = composed(_image_stem(mask))
    found = by_stem.get(stem, []) or by_stem.get(stem.casefold(), [])
    same = [i for i in found if composed(without_suffix(i.rpartition("/")[2])) == stem]
    return same or found


def _image_stem(mask: str) -> str:
    stem = without_suffix(mask.rpartition("/")[2])
    for ending in _MASK_ENDINGS:
        if stem.casefold().endswith(ending):
            return stem[: -len(ending)]
    return stem


def _closest(images: list[str], mask: str) -> str | None:
    """Return the image whose folders fit those of a mask best, or None if several do."""
    if len(images) < 2:
        return images[0] if images else None
    folder = mask.rpartition("/")[0]
    scores = [_folder_score(image.rpartition("/")[0], folder) for image in images]
    best = max(scores)
    return images[scores.index(best)] if scores.count(best) == 1 else None


@lru_cache(maxsize=_CACHED)
def _folder_score(image: str, mask: str) -> tuple[bool, int]:
    """Return how well the folder of an image fits that of a mask."""
    own = [part for part in mask.casefold().split("/") if part and part not in _MASK_FOLDERS]
    parts = image.casefold().split("/")
    return phase_of(mask) is phase_of(image), sum(part in parts for part in own)


class _MaskFolders:
    name = "masks"
    title = "folders of images and masks"
    loses = ""

    def detect(self, tree: Tree) -> str | None:
        pairing = _Pairing(tree)
        pairs = len(pairing.pairs) + len(pairing.several)
        if not pairs or pairs < _MIN_SHARE * (pairs + len(pairing.lone_masks)):
            return None
        where = ", ".join(folder or "the delivery itself" for folder in pairing.mask_folders[:3])
        return f"{counted(pairs, 'image has', 'images have')} a mask in {where}"

    def read(self, tree: Tree, options: Options, report: Report) -> Iterator[FormatSample]:
        del options
        pairing = _Pairing(tree)
        yield from (
            FormatSample(
                image=image,
                phase=phase_of(image) or phase_of(mask) or Phase.TRAIN,
                mask=MaskFile(mask),
                annotation=mask,
                source=_source(image),
            )
            for image, mask in sorted(pairing.pairs.items())
        )
        for image, masks in sorted(pairing.several.items()):
            report(
                finding(
                    "annotation-broken",
                    f"has {counted(len(masks), 'mask')}: {', '.join(masks[:4])}",
                    file=image,
                    hint="keep one mask for each image",
                )
            )
        report_lone_files(pairing.lone_images, pairing.lone_masks, report)


def report_lone_files(images: Iterable[str], masks: Iterable[str], report: Report) -> None:
    """Report images without an annotation, and masks without an image."""
    for image in images:
        report(
            finding(
                "mask-missing",
                "has no annotation; an image without one is not an image without people",
                file=image,
                hint="annotate it or remove it; --quarantine leaves it out",
                phase=phase_of(image) or Phase.TRAIN,
                stem=without_suffix(image.rpartition("/")[2]),
            )
        )
    for mask in masks:
        report(
            finding(
                "image-missing",
                "has no image, or more than one fits",
                file=mask,
                hint="add the image under the same name; --quarantine leaves it out",
                phase=phase_of(mask) or Phase.TRAIN,
                stem=without_suffix(mask.rpartition("/")[2]),
            )
        )


def _source(image: str) -> str:
    """Return the folders of an image that are not generic: frames of one clip are in one folder."""
    return "/".join(informative_folders(image))


FORMAT = _MaskFolders()
