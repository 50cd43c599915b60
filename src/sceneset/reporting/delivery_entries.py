"""The samples of a delivery as entries of a contact sheet, before it is added."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from sceneset.catalog.reader import Catalog
from sceneset.catalog.subset_folder import IMAGE_SUFFIXES, Key, printable
from sceneset.delivery.types import Delivery
from sceneset.reporting.contact_sheet import Entry, Source, persons_text
from sceneset.reporting.sheet_samples import refusing_withdrawn
from sceneset.storage.files import read_bytes

_WITHDRAWN = "forgotten"
"""The rule that finds withdrawn images in a delivery."""


def delivery_keys(delivery: Delivery) -> list[Key]:
    """Return the samples of a delivery that have an image and are not withdrawn, sorted."""
    withdrawn = {(p.phase, p.stem) for p in delivery.findings if p.code == _WITHDRAWN}
    return sorted(key for key in delivery.layout.images if key not in withdrawn)


def spread(keys: Sequence[Key], limit: int) -> list[Key]:
    """Return at most ``limit`` samples, evenly spread: neighbors in a video look the same."""
    count = min(limit, len(keys))
    return [keys[number * len(keys) // count] for number in range(count)]


def delivery_entries(
    catalog: Catalog,
    delivery: Delivery,
    keys: Sequence[Key],
    *,
    language: str = "en",
    texts: Mapping[tuple[str, str], Sequence[str]],
) -> list[Entry]:
    """Return samples of a delivery with what is written below their pictures.

    Args:
        catalog: The registry that the delivery is checked for.
        delivery: The delivery.
        keys: Samples that have an image.
        language: The language of the names of scenes.
        texts: Sentences about samples, by phase and stem.
    """
    layout, limits = delivery.layout, catalog.params.limits
    tags = {tag.key: tag for tag in delivery.tags}
    rows = {row.key: row for row in delivery.rows}
    by_key = catalog.vocabulary.by_key

    def source(path: Path) -> Source:
        return partial(read_bytes, path, printable(path.name), limit=limits.max_bytes)

    def entry(key: Key) -> Entry:
        facts: list[str] = []
        if tag := tags.get(key):
            scenes = [by_key[s].name.text(language) for s, _ in tag.scenes if s in by_key]
            facts += [*dict.fromkeys(scenes), persons_text(tag.persons_summary, language)]
        if row := rows.get(key):
            share = 100 * row.person / (row.width * row.height)
            facts += [f"{row.width} x {row.height}", f"{share:.1f} %"]
        image, mask = layout.images[key], layout.masks.get(key)
        return Entry(
            phase=str(key[0]),
            stem=printable(key[1]),
            suffix=image.suffix if image.suffix in IMAGE_SUFFIXES else layout.img_suffix,
            image=refusing_withdrawn(catalog, source(image)),
            mask=source(mask) if mask else None,
            facts=tuple(printable(fact) for fact in facts if fact),
            texts=tuple(map(printable, texts.get((str(key[0]), key[1]), ()))),
        )

    return [entry(key) for key in keys]
