"""Edit registry/scenes.yaml, which people write: comments and form stay."""

import io
from collections.abc import Callable, Sequence
from typing import Any

from sceneset.catalog.params_edit import comment_lines, round_trip_editor
from sceneset.errors import FindingsError, fail
from sceneset.schemas.scene import Scene
from sceneset.storage.yaml_parser import parse

SCENES_FILE = "registry/scenes.yaml"


def with_scene(text: str, scene: Scene) -> str:
    """Return the text of the vocabulary with one more scene at the end of its list.

    Raises:
        FindingsError: The list is written in a style that can't be edited.
    """
    from ruamel.yaml.comments import CommentedMap

    def change(scenes: list[Any]) -> None:
        fields = CommentedMap(scene.model_dump(mode="json", exclude_defaults=True))
        fields.fa.set_flow_style()
        scenes.append(fields)

    return _edit(text, change)


def with_scene_key(text: str, old: str, new: str) -> str:
    """Return the text with another key of a scene; the old key becomes one of its aliases.

    Raises:
        FindingsError: See ``with_scene``.
    """

    def change(scenes: list[Any]) -> None:
        scene = _find(scenes, old)
        scene["key"] = new
        _add_aliases(scene, [old])

    return _edit(text, change)


def with_aliases(text: str, key: str, aliases: Sequence[str]) -> str:
    """Return the text with further names of a scene.

    Raises:
        FindingsError: See ``with_scene``.
    """
    return _edit(text, lambda scenes: _add_aliases(_find(scenes, key), aliases))


def with_merged_scenes(text: str, keys: Sequence[str], into: str) -> str:
    """Return the text without some scenes; another one gets all their names.

    Raises:
        FindingsError: See ``with_scene``.
    """

    def change(scenes: list[Any]) -> None:
        target = _find(scenes, into)
        for key in keys:
            names = Scene.model_validate(_plain(_find(scenes, key))).all_names
            scenes.remove(_find(scenes, key))
            _add_aliases(target, names)

    return _edit(text, change)


def _plain(node: Any) -> dict[str, Any]:
    """Return the plain values of a scene of the editor."""
    return {
        key: dict(value) if key == "name" else list(value) if key == "aliases" else str(value)
        for key, value in node.items()
    }


def _find(scenes: list[Any], key: str) -> Any:
    return next(scene for scene in scenes if scene["key"] == key)


def _add_aliases(scene: Any, aliases: Sequence[str]) -> None:
    own = Scene.model_validate(_plain(scene))
    new = [name for name in dict.fromkeys(aliases) if name not in own.all_names]
    if new:
        listed = scene.setdefault("aliases", [])
        listed.extend(new)


def _edit(text: str, change: Callable[[Any], None]) -> str:
    from ruamel.yaml.error import YAMLError

    edited, plain = "", None
    try:
        editor, _ = round_trip_editor(text)
        document, plain = editor.load(text), parse(text, SCENES_FILE).data
        change(plain["scenes"])  # what the edited text must say
        change(document["scenes"])
        out = io.StringIO()
        editor.dump(document, out)
        edited = out.getvalue()
        is_as_wanted = parse(edited, SCENES_FILE).data == plain
    except (FindingsError, YAMLError, TypeError):
        is_as_wanted = False
    if not is_as_wanted or comment_lines(edited) != comment_lines(text):
        fail(
            "schema",
            "the list is written in a style that sceneset can't edit",
            file=SCENES_FILE,
            field="scenes",
            hint="write one block for each scene, as `sceneset init` does, or edit the file",
        )
    return edited
