"""Give the samples of a delivery stems that are safe and unique in their phase."""

from collections import defaultdict
from collections.abc import Sequence

from sceneset.formats.tree import Tree, phase_of, without_suffix
from sceneset.formats.types import FormatSample
from sceneset.imaging.edit import clean_stem

_GENERIC = {
    *("images", "image", "img", "imgs", "img_dir", "jpegimages", "pngimages", "photos", "data"),
    *("rgb", "frames", "pictures", "files", "raw"),
}
"""Names of folders that say nothing about the images in them."""


def stems_of(samples: Sequence[FormatSample], tree: Tree) -> list[str]:
    """Return the stem of each sample.

    A sample keeps the name of its image where this is a safe stem that no other sample of the phase
    has. Otherwise, unsafe characters are replaced, and the folders that tell images of one name
    apart are put before it: parkour/00000.jpg becomes parkour_00000. What is still equal gets a
    number.
    """
    del tree
    short = [_clean(without_suffix(sample.image).rpartition("/")[2]) for sample in samples]
    groups: dict[tuple[str, str], list[int]] = defaultdict(list)
    for index, (sample, stem) in enumerate(zip(samples, short, strict=True)):
        groups[sample.phase, stem.casefold()].append(index)
    stems = list(short)
    taken = {key for key, members in groups.items() if len(members) == 1}
    for (phase, _), members in sorted(groups.items()):
        if len(members) == 1:
            continue
        names = [_with_folders(samples[index].image) for index in members]
        common = _common_start(names)
        for index, name in sorted(zip(members, names, strict=True), key=lambda pair: pair[1]):
            stem = _clean("_".join(name[common:]) or short[index])
            number, unique = 1, stem
            while (phase, unique.casefold()) in taken:
                number += 1
                unique = f"{stem}_{number}"
            taken.add((phase, unique.casefold()))
            stems[index] = unique
    return stems


def informative_folders(image: str) -> tuple[str, ...]:
    """Return the folders of an image, without those that say nothing or name a phase."""
    folders = image.split("/")[:-1]
    return tuple(f for f in folders if f.casefold() not in _GENERIC and phase_of(f) is None)


def _with_folders(image: str) -> tuple[str, ...]:
    return (*informative_folders(image), without_suffix(image.rpartition("/")[2]))


def _common_start(names: Sequence[tuple[str, ...]]) -> int:
    """Return how many folders all names share at their start; the last part never counts."""
    common = min(map(len, names)) - 1
    while common and len({name[:common] for name in names}) > 1:
        common -= 1
    return common


def _clean(name: str) -> str:
    try:
        return clean_stem(name.encode("utf-8", "replace").decode())
    except ValueError:
        return "image"
