"""List the images and masks of a delivery by sample, before `sceneset fix` changes any of them.

A file belongs to the sample of its phase and of its stem in Unicode normal form NFC: a Mac may
have written the name of the image in another form than that of the mask.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from sceneset.catalog.subset_folder import KNOWN_SUFFIXES
from sceneset.edits.fix_sample import Key
from sceneset.schemas.names import composed
from sceneset.schemas.terms import Phase

PARTS = ("img_dir", "ann_dir")


class SamplePaths(NamedTuple):
    """The files of one sample; at least one of them exists."""

    image: Path | None = None
    mask: Path | None = None

    def existing(self) -> Iterator[tuple[str, Path]]:
        """Yield each file, after the name of its folder in the delivery."""
        for part, path in zip(PARTS, self, strict=True):
            if path:
                yield part, path


@dataclass
class DeliverySamples:
    """All image files of a delivery."""

    samples: dict[Key, SamplePaths] = field(default_factory=dict)
    """Samples with at most one image and one mask; the key has the stem of the image."""
    mask_stems: dict[Key, str] = field(default_factory=dict)
    """The stem of the mask, where it differs from that of the image in normal form."""
    conflicts: list[tuple[str, str, Path]] = field(default_factory=list)
    """Phase, folder and path of files that share a stem with another file of their folder."""
    taken: set[Key] = field(default_factory=set)
    """Phase and stem of everything else in the folders of the phases."""


def stem_of(path: Path) -> str:
    """Return the name of a file without its suffix."""
    return path.name[: -len(path.suffix)] if path.suffix else path.name


def fold_stem(stem: str) -> str:
    """Return a stem in the form in which Windows and macOS compare names."""
    return composed(stem).casefold()


def list_samples(folder: Path) -> DeliverySamples:
    """List the image files of all phases; links are not followed."""
    result = DeliverySamples()
    for phase in Phase:
        groups: dict[str, dict[str, list[Path]]] = {}
        for part in PARTS:
            for entry in _entries(folder / part, phase):
                path = Path(entry.path)
                if entry.is_file(follow_symlinks=False) and _is_image_name(path):
                    group = groups.setdefault(fold_stem(stem_of(path)), {p: [] for p in PARTS})
                    group[part].append(path)
                else:
                    result.taken.add((phase, stem_of(path)))
        for group in groups.values():
            _add_group(result, phase, *group.values())
    return result


def _entries(folder: Path, phase: str) -> list[os.DirEntry[str]]:
    path = folder / phase
    if folder.is_symlink() or path.is_symlink() or not path.is_dir():
        return []
    with os.scandir(path) as entries:
        return sorted(entries, key=lambda entry: entry.name)


def _is_image_name(path: Path) -> bool:
    """Return whether the name is that of an image, and not of a copy that macOS wrote beside it."""
    if path.name.startswith("._") and os.path.lexists(path.with_name(path.name[2:])):
        return False
    return path.suffix.lower() in KNOWN_SUFFIXES


def _add_group(result: DeliverySamples, phase: str, images: list[Path], masks: list[Path]) -> None:
    """Add files whose stems are equal for a file system that ignores case and normal form."""
    if len(images) > 1 or len(masks) > 1:
        for part, paths in zip(PARTS, (images, masks), strict=True):
            result.conflicts += [(phase, part, path) for path in paths]
        return
    image, mask = (paths[0] if paths else None for paths in (images, masks))
    image_stem, mask_stem = (stem_of(path) if path else "" for path in (image, mask))
    one, other = (composed(stem) for stem in (image_stem, mask_stem))
    if image and mask and one != other:  # they differ in case: either may be right
        result.samples[phase, image_stem] = SamplePaths(image)
        result.samples[phase, mask_stem] = SamplePaths(None, mask)
        return
    key = (phase, image_stem if image else mask_stem)
    result.samples[key] = SamplePaths(image, mask)
    if image and mask and image_stem != mask_stem:
        result.mask_stems[key] = mask_stem
