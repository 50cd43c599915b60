"""The data file of a subset, which the pages' script reads: one column for each fact of a sample.

One file serves all pages: a scene's page reads the files of the subsets that have it, and filters.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sceneset.catalog.split_selection import persons_of
from sceneset.schemas.finding import Finding
from sceneset.schemas.terms import Persons, Phase
from sceneset.site.samples import ShownSample, ShownSubset
from sceneset.site.sprites import Sprite, script_call

_PHASES = {Phase.TRAIN: "t", Phase.VAL: "v", Phase.TEST: "e"}
_PERSONS = {None: 0, Persons.SINGLE: 1, Persons.MULTI: 2}

TextOf = Mapping[tuple[str, str], Sequence[tuple[Finding, str]]]
"""Findings about samples, by phase and stem, with their messages in Chinese."""


def subset_data(
    subset: ShownSubset,
    sprites: Sequence[Sprite],
    findings: TextOf,
    *,
    suffix: str,
    has_large: bool,
) -> str:
    """Return the text of the data file of a subset.

    Args:
        subset: Its samples.
        sprites: Their sprites, in the order of the samples.
        findings: What is found about them.
        suffix: Of the images, ".jpg" or ".png".
        has_large: Whether there is a large picture of each sample.
    """
    samples = subset.samples
    scenes: dict[str, int] = {}
    groups: dict[tuple[Any, ...], int] = {}
    sources: dict[str, int] = {}
    places = [_group_of(sample, scenes, groups) for sample in samples]
    values: dict[str, Any] = {
        "suffix": suffix,
        "stems": "\n".join(sample.tag.stem for sample in samples),
        "phases": "".join(_PHASES[sample.tag.phase] for sample in samples),
        "group": places,
        "source": [sources.setdefault(sample.tag.source, len(sources)) for sample in samples],
        "width": [sample.width for sample in samples],
        "height": [sample.height for sample in samples],
        "share": [round(1000 * sample.share, 1) for sample in samples],
        "boxes": [-1 if sample.tag.boxes is None else sample.tag.boxes for sample in samples],
        "findings": {
            place: [
                [found.code, str(found.severity), found.message, chinese] for found, chinese in some
            ]
            for place, sample in enumerate(samples)
            if (some := findings.get(sample.tag.key))
        },
        "sprites": [sprite.digest for sprite in sprites],
        "counts": [sprite.length for sprite in sprites],
        # These are complete only after all samples were read.
        "scenes": list(scenes),
        "groups": [{"scenes": pairs, "persons": persons} for pairs, persons in groups],
        "sources": list(sources),
    }
    if has_large:
        values["images"] = "".join(sample.files.image_md5 for sample in samples)
    return script_call("subset", subset.name, values)


def _group_of(
    sample: ShownSample, scenes: dict[str, int], groups: dict[tuple[Any, ...], int]
) -> int:
    """Return the number of the scenes and persons of a sample; few differ."""
    tag = sample.tag
    pairs = tuple(
        (scenes.setdefault(scene, len(scenes)), _PERSONS[persons])
        for scene, persons in tag.memberships
    )
    persons = tuple(sorted(_PERSONS[value] for value in persons_of(tag)))
    return groups.setdefault((pairs, persons), len(groups))
