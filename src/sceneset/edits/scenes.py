"""Add, rename and merge scenes, and give them further names, in all files that use them."""

from collections.abc import Mapping, Sequence

from sceneset.catalog.params_edit import entry_text
from sceneset.catalog.reader import Catalog
from sceneset.catalog.scenes_edit import (
    SCENES_FILE,
    with_aliases,
    with_merged_scenes,
    with_scene,
    with_scene_key,
)
from sceneset.catalog.split_selection import in_table_order, samples_by_row
from sceneset.catalog.tags_csv import tags_text
from sceneset.edits.draft import Draft
from sceneset.edits.references import follow_scenes
from sceneset.schemas.scene import Scene, Vocabulary
from sceneset.schemas.subset import SplitRow, Subset
from sceneset.schemas.tag import SceneMembership, Tag
from sceneset.storage.files import read_text
from sceneset.storage.yaml_files import loads


def add_scene(catalog: Catalog, draft: Draft, scene: Scene) -> None:
    """Note a new scene in the vocabulary.

    Raises:
        FindingsError: One of its names belongs to another scene.
    """
    _write(catalog, draft, with_scene(_text(catalog), scene))


def alias_scene(catalog: Catalog, draft: Draft, key: str, names: Sequence[str]) -> None:
    """Note further names of a scene, which look-ups accept.

    Raises:
        FindingsError: A name belongs to another scene.
    """
    _write(catalog, draft, with_aliases(_text(catalog), key, names))


def rename_scene(catalog: Catalog, draft: Draft, old: str, new: str) -> int:
    """Note another key of a scene; the old one stays an alias. Return how many samples are in it.

    Names of split files do not change, because training configurations name them.

    Raises:
        FindingsError: The key is not valid, or belongs to another scene.
    """
    vocabulary = _write(catalog, draft, with_scene_key(_text(catalog), old, new))
    return _replace(catalog, draft, vocabulary, {old: new})


def merge_scenes(catalog: Catalog, draft: Draft, keys: Sequence[str], into: str) -> int:
    """Note that scenes become part of another one, which gets all their names as aliases.

    Returns:
        The number of samples with other scenes.

    Raises:
        FindingsError: The vocabulary can't be edited.
    """
    vocabulary = _write(catalog, draft, with_merged_scenes(_text(catalog), keys, into))
    return _replace(catalog, draft, vocabulary, dict.fromkeys(keys, into))


def _text(catalog: Catalog) -> str:
    return read_text(catalog.paths.scenes, SCENES_FILE)


def _write(catalog: Catalog, draft: Draft, text: str) -> Vocabulary:
    vocabulary, _ = loads(text, Vocabulary, SCENES_FILE)  # a name may belong to another scene
    draft.write(catalog.paths.scenes, text.encode())
    return vocabulary


def _replace(
    catalog: Catalog, draft: Draft, vocabulary: Vocabulary, new_keys: Mapping[str, str]
) -> int:
    """Note other keys of scenes in tags, entries and selections; return the number of samples."""
    changed = 0
    for name in catalog.names:
        entry, before = catalog.entry(name), catalog.tags(name, cache=False)
        after = [_with_keys(vocabulary, tag, new_keys) for tag in before]
        changed += sum(old.scenes != new.scenes for old, new in zip(before, after, strict=True))
        if after != before:
            draft.write(catalog.paths.tags(name), tags_text(after).encode())
        new_entry = _entry_with_keys(vocabulary, entry, before, after, new_keys)
        if new_entry != entry:
            draft.write(catalog.paths.entry(name), entry_text(new_entry).encode())
    follow_scenes(catalog, draft, new_keys)
    return changed


def _with_keys(vocabulary: Vocabulary, tag: Tag, new_keys: Mapping[str, str]) -> Tag:
    if all(scene not in new_keys for scene, _ in tag.scenes):
        return tag
    renamed = {SceneMembership(new_keys.get(scene, scene), own) for scene, own in tag.scenes}
    # "ski;ski:multi" of a sample with several persons says the same twice.
    renamed = {m for m in renamed if m.persons != tag.persons or (m.scene, None) not in renamed}
    order = vocabulary.order
    scenes = tuple(sorted(renamed, key=lambda m: (order[m.scene], m.persons or "")))
    return tag.model_copy(update={"scenes": scenes})


def _entry_with_keys(
    vocabulary: Vocabulary,
    entry: Subset,
    before: Sequence[Tag],
    after: Sequence[Tag],
    new_keys: Mapping[str, str],
) -> Subset:
    """Return an entry whose rows have the new keys; rows that become the same are one row."""
    if all(row.scene not in new_keys for row in entry.splits):
        return entry
    kept = {row.selection for row in entry.splits if row.scene not in new_keys}
    rows: list[SplitRow] = []
    for row, selected in samples_by_row(entry.splits, before):
        is_correct = row.images == len(selected)
        new = row.model_copy(update={"scene": new_keys.get(row.scene, row.scene)})
        if row.scene in new_keys:
            if new.selection in kept:
                continue
            kept.add(new.selection)
        rows.append(new.model_copy(update={"images": -1}) if is_correct else new)
    rows = [
        row.model_copy(update={"images": len(selected)}) if row.images == -1 else row
        for row, selected in samples_by_row(rows, after)
    ]
    return entry.model_copy(update={"splits": tuple(in_table_order(vocabulary, rows))})
