"""Sprites: up to 48 thumbnails in one picture, with the outlines of their masks beside it.

A page of a hundred thousand samples would otherwise have as many files. Where a sprite ends is
decided by the hashes of its own images, so that new samples change only the sprites around them.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import NamedTuple

from sceneset.imaging.thumbnail import picture_sheet
from sceneset.schemas.base import Localized
from sceneset.site.draw_pictures import SIDE, PictureFiles
from sceneset.site.folder import SiteFolder
from sceneset.storage.picture_store import OutlineKey, PictureStore

COLUMNS = 8
"""Thumbnails of a row; each has a square cell of SIDE pixels, and is centered in it."""
MOST = 48
_FEWEST = 16
_FORMAT = 1
_QUALITY = 68


class Sprite(NamedTuple):
    """Samples that share a sprite."""

    digest: str
    """Name of its files."""
    length: int
    """Number of its samples."""

    @property
    def files(self) -> tuple[str, str]:
        """Its picture and its data file, below the catalogue's folder."""
        name = f"sprites/{self.digest[:2]}/{self.digest}"
        return f"{name}.webp", f"{name}.js"


def split_into_sprites(samples: Sequence[PictureFiles]) -> Iterator[Sequence[PictureFiles]]:
    """Yield the samples of each sprite."""
    start = 0
    for place, sample in enumerate(samples, 1):
        length = place - start
        # One image in 32 ends a sprite.
        is_end = length >= _FEWEST and int(sample.image_md5[:2], 16) % 32 == 0
        if is_end or length == MOST or place == len(samples):
            yield samples[start:place]
            start = place


def write_sprite(
    folder: SiteFolder,
    samples: Sequence[PictureFiles],
    store: PictureStore,
    missing: tuple[set[str], set[OutlineKey]],
    problems: Mapping[str, Localized],
) -> Sprite:
    """Write the two files of a sprite, unless they exist.

    Args:
        folder: The catalogue.
        samples: At most MOST samples.
        store: Has their pictures.
        missing: Images without a thumbnail, by their hash, and masks without an outline.
        problems: Why files have no picture, by their hash.
    """
    undrawn, unmasked = missing
    reasons = [
        (problems.get(sample.image_md5) if sample.image_md5 in undrawn else None)
        or (problems.get(sample.mask_md5) if sample.outline in unmasked else None)
        for sample in samples
    ]
    here = [int(sample.image_md5 not in undrawn) for sample in samples]
    identity = [
        (sample.image_md5, sample.outline, sample.outline in unmasked) for sample in samples
    ]
    texts = [reason and reason.model_dump() for reason in reasons]
    state = json.dumps([_FORMAT, identity, here, texts], ensure_ascii=False)
    digest = blake2b(state.encode(), digest_size=10).hexdigest()
    sprite = Sprite(digest, len(samples))
    if all(map(folder.has, sprite.files)):
        for file in sprite.files:
            folder.keep(file)
        return sprite
    outlines = store.outlines({sample.outline for sample in samples})
    drawn = [
        [*outline[:5]] if (outline := outlines.get(sample.outline)) else None for sample in samples
    ]
    rows = -(-len(samples) // COLUMNS)
    values = {"rows": rows, "outlines": drawn, "here": here, "problems": texts}
    thumbs = store.thumbs({sample.image_md5 for sample in samples})
    pictures = [
        thumb.webp if (thumb := thumbs.get(sample.image_md5)) else None for sample in samples
    ]
    sheet = picture_sheet(pictures, columns=COLUMNS, side=SIDE, quality=_QUALITY)
    picture, data = sprite.files
    folder.write(picture, sheet)
    folder.write(data, script_call("sprite", digest, values))
    return sprite


def script_call(name: str, *values: object) -> str:
    """Return a classic script that hands values to the page's script.

    Pages that are opened from a file can't read data in another way.
    """
    texts = (json.dumps(value, ensure_ascii=False, separators=(",", ":")) for value in values)
    # These two end a line in older readers of JavaScript; "<" could end a script element.
    escaped = [
        text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
        for text in texts
    ]
    return f"sceneset.{name}({','.join(escaped)});\n"
