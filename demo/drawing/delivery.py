"""Draw a whole delivery in the document's folder layout, to try the registry without photos."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from typing import NamedTuple

from drawing.sample import draw_sample, save_sample
from sceneset.schemas.scene import Vocabulary
from sceneset.schemas.terms import TOTAL, Kind, Persons, Phase
from sceneset.storage.files import write_text

SECOND_SCENE = {"surfing": "sea", "night_city": "city", "kid_park": "nature", "bike": "city"}
"""Scenes whose images also fit a second scene; every fourth sample belongs to both."""

_VAL_EVERY = 5  # one sample in five is a validation sample
_MULTI_EVERY = 3  # one sample in three shows several persons, in full deliveries


class Plan(NamedTuple):
    """One sample to draw."""

    scene: str
    persons: Persons
    phase: Phase
    stem: str
    second_scene: str | None


def plan(scenes: Sequence[str], images: int, kind: Kind) -> Iterator[Plan]:
    """Yield plans of ``images`` samples, spread evenly over scenes, phases, single and multi."""
    for number in range(images):
        scene, index = scenes[number % len(scenes)], number // len(scenes)
        multi = kind is Kind.FULL and index % _MULTI_EVERY == _MULTI_EVERY - 1
        yield Plan(
            scene,
            Persons.MULTI if multi else Persons.SINGLE,
            Phase.VAL if (index + number) % _VAL_EVERY == _VAL_EVERY - 1 else Phase.TRAIN,
            f"{scene}_{index:04d}",
            SECOND_SCENE.get(scene) if index % 4 == 0 else None,
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
    """Draw the planned samples into ``folder`` and yield each plan; write the split files last.

    With the same version of Pillow, the same arguments give identical files.
    """
    listed: dict[str, list[str]] = {}
    for number, sample in enumerate(plans):
        rng = Random(f"{seed}/{sample.stem}")  # noqa: S311 - not used for secrets
        count = rng.randint(2, 3) if sample.persons is Persons.MULTI else 1
        drawn = draw_sample(
            sample.scene, count, kind=kind.value, size=size, seed=seed * 1_000_003 + number
        )
        image = folder / "img_dir" / sample.phase / f"{sample.stem}.jpg"
        mask = folder / "ann_dir" / sample.phase / f"{sample.stem}.png"
        for path in (image, mask):
            path.parent.mkdir(parents=True, exist_ok=True)
        save_sample(drawn, image, mask)
        for scene in filter(None, (TOTAL, sample.scene, sample.second_scene)):
            persons = None if scene == TOTAL else sample.persons
            file = vocabulary.split_file(scene, persons, sample.phase)
            listed.setdefault(file, []).append(sample.stem)
        yield sample
    for file, stems in sorted(listed.items()):
        write_text(folder / "split_dir" / file, "".join(f"{stem}\n" for stem in sorted(stems)))
