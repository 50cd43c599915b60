"""Change the tags of chosen samples: scenes, persons, boxes and sources."""

import re
from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

from sceneset.catalog.reader import Catalog
from sceneset.catalog.sample_choice import Chosen
from sceneset.catalog.tags_csv import tags_text
from sceneset.delivery.frame_stems import source_of
from sceneset.edits.draft import Draft
from sceneset.edits.scene_tables import fitted_entry, stage_entry
from sceneset.schemas.scene import Vocabulary
from sceneset.schemas.tag import SceneMembership, Tag
from sceneset.schemas.terms import Persons


class TagEdit(NamedTuple):
    """What to change in the tags of samples."""

    add: tuple[SceneMembership, ...] = ()
    """Scenes to add. One with persons replaces what a sample has for that scene; one without
    changes nothing where a sample is in the scene already."""
    remove: tuple[SceneMembership, ...] = ()
    """Scenes to remove; one without persons removes the scene whatever its persons are."""
    values: tuple[tuple[str, Persons | int | str | None], ...] = ()
    """New values of the fields persons, boxes and source."""
    source_pattern: re.Pattern[str] | None = None
    """Finds the source in the stem: its first group, or the whole match if it has no group."""


class Retagged(NamedTuple):
    """What ``retag`` changes."""

    samples: int
    """Number of samples with other tags."""
    unmatched: tuple[str, ...]
    """Chosen samples whose stem the pattern does not match; their source stays as it is."""


def retag(catalog: Catalog, draft: Draft, chosen: Chosen, edit: TagEdit) -> Retagged:
    """Note new tags of chosen samples, and scene tables that fit them, in a draft."""
    changed = 0
    unmatched: list[str] = []
    for name, keys in sorted(chosen.items()):
        after = []
        for tag in catalog.tags(name):
            new = edited_tag(catalog.vocabulary, tag, edit) if tag.key in keys else tag
            changed += new != tag
            after.append(new)
        if pattern := edit.source_pattern:
            unmatched += [
                f"{name}/{phase}/{stem}"
                for phase, stem in sorted(keys)
                if source_of(stem, pattern) is None
            ]
        stage_tags(catalog, draft, name, after)
    return Retagged(changed, tuple(unmatched))


def stage_tags(catalog: Catalog, draft: Draft, name: str, after: Sequence[Tag]) -> None:
    """Note the tags of a subset, and a scene table that fits them."""
    before = catalog.tags(name)
    if after == before:
        return
    draft.write(catalog.paths.tags(name), tags_text(after).encode())
    entry = catalog.entry(name)
    stage_entry(catalog, draft, fitted_entry(catalog.vocabulary, entry, before, after))


def edited_tag(vocabulary: Vocabulary, tag: Tag, edit: TagEdit) -> Tag:
    """Return a tag with the changes of an edit."""
    values: dict[str, Any] = dict(edit.values)
    scenes = tag.scenes
    if edit.remove:
        scenes = tuple(kept for kept in scenes if not _is_in(kept, edit.remove))
    if values.get("persons"):
        # The sample has one value now; a scene with another one would contradict it.
        scenes = tuple(dict.fromkeys(SceneMembership(scene, None) for scene, _ in scenes))
    for added in edit.add:
        if added.persons:
            scenes = tuple(other for other in scenes if other.scene != added.scene)
        if all(other.scene != added.scene for other in scenes):
            scenes = (*scenes, added)
    if edit.source_pattern and (source := source_of(tag.stem, edit.source_pattern)) is not None:
        values["source"] = source
    if scenes != tag.scenes:
        order = vocabulary.order
        values["scenes"] = tuple(sorted(scenes, key=lambda m: (order[m.scene], m.persons or "")))
    return tag.model_copy(update=values)


def _is_in(membership: SceneMembership, removed: Collection[SceneMembership]) -> bool:
    scene, persons = membership
    return any(scene == r.scene and r.persons in {None, persons} for r in removed)
