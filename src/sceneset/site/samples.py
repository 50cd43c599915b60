"""The samples that pages show, of one subset at a time.

Withdrawn samples are left out, whatever state is read, and restricted ones unless they are wanted.
"""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, NamedTuple

from sceneset.catalog.reader import Catalog
from sceneset.reporting.sheet_samples import Choice, allowed
from sceneset.schemas.orientation import STEPS
from sceneset.schemas.provenance import Restriction
from sceneset.schemas.tag import Tag
from sceneset.site.draw_pictures import PictureFiles

if TYPE_CHECKING:
    import pyarrow as pa

_COLUMNS = (
    *("phase", "stem", "image", "mask", "image_md5", "mask_md5", "picture", "width", "height"),
    *("orientation", "person", "ignore", "sum_r", "sum_g", "sum_b"),
)


class ShownSample(NamedTuple):
    """A sample with what the scan says of it; sizes are as shown."""

    tag: Tag
    files: PictureFiles
    width: int
    height: int
    person: int
    """Number of person pixels."""
    ignored: int
    colour: tuple[int, int, int]
    """Sums of the R, G and B values of all pixels."""

    @property
    def share(self) -> float:
        """Share of person pixels, 0 to 1."""
        return self.person / (self.width * self.height)


class ShownSubset(NamedTuple):
    """The samples of a subset, sorted by phase and stem."""

    name: str
    samples: list[ShownSample]
    withdrawn: int
    """Number of samples that are not shown because they are withdrawn."""
    restricted: int
    """Number of samples that are not shown because of a restriction."""
    unscanned: int
    """Number of samples of the tags that are not in the scan."""


def read_subset(catalog: Catalog, name: str, left_out: Collection[Restriction] = ()) -> ShownSubset:
    """Return the samples of a listed subset that pages may show.

    Args:
        catalog: The registry.
        name: The subset.
        left_out: Samples with one of these restrictions are not shown.

    Raises:
        FindingsError: A file of the registry can't be read.
    """
    tags: dict[tuple[str, str], Tag] = {tag.key: tag for tag in catalog.tags(name, cache=False)}
    scanned = _rows_by_key(_scan(catalog, name))
    choice = Choice()
    keys = [key for key in tags if key in scanned]
    samples = [
        _sample(name, tags[key], scanned[key])
        for key in allowed(catalog, name, keys, left_out, choice)
    ]
    unscanned = len(tags) - len(keys)
    return ShownSubset(name, samples, choice.withdrawn, choice.restricted, unscanned)


def _scan(catalog: Catalog, name: str) -> "pa.Table":
    from sceneset.catalog.scan_table import table_from_rows

    if catalog.origin is None and not catalog.paths.scan(name).exists():
        return table_from_rows([], catalog.params.algorithms.scan)
    return catalog.scan(name, _COLUMNS)


def _rows_by_key(scan: "pa.Table") -> dict[tuple[str, str], tuple[Any, ...]]:
    columns = [scan[name].to_pylist() for name in _COLUMNS]
    return {(row[0], row[1]): row for row in zip(*columns, strict=True)}


def _sample(name: str, tag: Tag, row: tuple[Any, ...]) -> ShownSample:
    phase, _, image, mask, image_md5, mask_md5, _, width, height, turn, person, ignored, *sums = row
    if STEPS[turn or 1][0]:
        width, height = height, width
    files = PictureFiles(
        f"{name}/img_dir/{phase}/{image}",
        image_md5.hex(),
        f"{name}/ann_dir/{phase}/{mask}",
        mask_md5.hex(),
        turn or 1,
    )
    red, green, blue = sums
    return ShownSample(tag, files, width, height, person, ignored, (red, green, blue))
