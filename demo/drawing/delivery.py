"""A drawn delivery in the document's layout: something to try the registry on, with no photo."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

from drawing.sample import draw_sample, save_sample
from sceneset.schemas.scene import Vocabulary
from sceneset.schemas.terms import TOTAL, Kind, Persons, Phase
from sceneset.storage.files import write_text

ALSO_IN = {"surfing": "sea", "night_city": "city", "kid_park": "nature", "bike": "city"}
"""Scenes whose pictures show another scene too: every fourth of them stands in both."""

_VAL_EVERY = 5  # one sample in five is for validation
_MULTI_EVERY = 3  # one in three of a scene shows several persons, where the kind allows it


class Plan(NamedTuple):
    """One sample to draw."""

    scene: str
    persons: Persons
    phase: Phase
    stem: str
    also: str | None


def plan(scenes: Sequence[str], images: int, kind: Kind) -> Iterator[Plan]:
    """Spread ``images`` samples over scenes, phases, single and multi, as evenly as it goes."""
    for number in range(images):
        scene, turn = scenes[number % len(scenes)], number // len(scenes)
        multi = kind is Kind.FULL and turn % _MULTI_EVERY == _MULTI_EVERY - 1
        yield Plan(
            scene,
            Persons.MULTI if multi else Persons.SINGLE,
            Phase.VAL if (turn + number) % _VAL_EVERY == _VAL_EVERY - 1 else Phase.TRAIN,
            f"{scene}_{turn:04d}",
            ALSO_IN.get(scene) if turn % 4 == 0 else None,
        )


def draw_delivery(
    folder: Path,
    vocabulary: Vocabulary,
    plans: Sequence[Plan],
    *,
    kind: Kind,
    size: tuple[int, int],
    seed: int,
) -> Iterator[Plan]:
    """Draw every planned sample into ``folder`` and yield it; split files are written last.

    The same arguments give the same files, byte for byte, with the same Pillow.
    """
    listed: dict[str, list[str]] = {}
    for number, one in enumerate(plans):
        chance = Random(f"{seed}/{one.stem}")  # noqa: S311 - pictures, not secrets
        count = chance.randint(2, 3) if one.persons is Persons.MULTI else 1
        drawn = draw_sample(
            one.scene, count, kind=kind.value, size=size, seed=seed * 1_000_003 + number
        )
        image = folder / "img_dir" / one.phase / f"{one.stem}.jpg"
        mask = folder / "ann_dir" / one.phase / f"{one.stem}.png"
        for path in (image, mask):
            path.parent.mkdir(parents=True, exist_ok=True)
        save_sample(drawn, image, mask)
        for scene in filter(None, (TOTAL, one.scene, one.also)):
            persons = None if scene == TOTAL else one.persons
            file = vocabulary.split_file(scene, persons, one.phase)
            listed.setdefault(file, []).append(one.stem)
        yield one
    for file, stems in sorted(listed.items()):
        write_text(folder / "split_dir" / file, "".join(f"{stem}\n" for stem in sorted(stems)))
