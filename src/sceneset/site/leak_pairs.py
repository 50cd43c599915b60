"""Pairs of images that a rule on leakage or duplicates relates, with a small picture of each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sceneset.catalog.reader import Catalog
from sceneset.quality.leakage import LEAKAGE_CODES
from sceneset.schemas.finding import Finding
from sceneset.site.finding_places import FindingPlaces
from sceneset.site.folder import SiteFolder
from sceneset.site.sample_keys import SampleName
from sceneset.storage.picture_store import PictureStore

MAX_PAIRS = 100
"""Pairs that are shown in all."""


@dataclass
class Picture:
    """A small picture of a sample."""

    sample: SampleName
    path: str = ""
    """Of the picture below the catalogue's folder; "" if there is none."""
    width: int = 0
    height: int = 0


class LeakPair(NamedTuple):
    """A finding with the two samples that it relates."""

    finding: Finding
    one: Picture
    other: Picture


def leak_pairs(findings: Iterable[Finding], places: FindingPlaces) -> list[LeakPair]:
    """Return the first findings that relate two samples which pages show.

    Args:
        findings: Findings of any rules.
        places: The samples that findings are about.
    """
    pairs: list[LeakPair] = []
    for found in findings:
        if len(pairs) == MAX_PAIRS:
            break
        if found.code not in LEAKAGE_CODES or found.waived:
            continue
        one, other = places.sample_of(found), places.related_to(found)
        if one and other and other != one:
            pairs.append(LeakPair(found, Picture(one), Picture(other)))
    return pairs


def write_pictures(
    folder: SiteFolder, store: PictureStore, catalog: Catalog, some: Sequence[Picture]
) -> None:
    """Write those pictures that the store has, named by their hashes.

    Raises:
        FindingsError: A scan can't be read.
    """
    wanted: dict[str, list[Picture]] = {}
    for picture in some:
        wanted.setdefault(picture.sample.subset, []).append(picture)
    for subset, pictures in sorted(wanted.items()):
        hashes = _image_hashes(catalog, subset, {picture.sample.stem for picture in pictures})
        thumbs = store.thumbs(set(hashes.values()))
        for picture in pictures:
            md5 = hashes.get(picture.sample[1:], "")
            if thumb := thumbs.get(md5):
                picture.path = f"thumbs/{md5[:2]}/{md5}.webp"
                picture.width, picture.height = thumb.width, thumb.height
                folder.write(picture.path, thumb.webp)


def _image_hashes(catalog: Catalog, subset: str, stems: set[str]) -> dict[tuple[str, str], str]:
    """Return the hash of the image of each sample with one of these stems, by phase and stem."""
    import pyarrow as pa
    import pyarrow.compute as pc

    scan = catalog.scan(subset, ("phase", "stem", "image_md5"))
    rows = scan.filter(pc.is_in(scan["stem"], pa.array(sorted(stems), pa.string())))
    return {
        (phase, stem): md5.hex()
        for phase, stem, md5 in zip(
            *(rows[name].to_pylist() for name in ("phase", "stem", "image_md5")), strict=True
        )
    }
