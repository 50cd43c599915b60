"""The table of annotation formats, and how a delivery's format is found."""

from collections.abc import Iterator
from importlib import import_module

from sceneset.counts import counted
from sceneset.errors import FindingsError, UsageError, fail
from sceneset.formats.json_files import json_problems
from sceneset.formats.tree import Tree
from sceneset.formats.types import Format
from sceneset.plugins import load_plugin, names_with_plugins

CUSTOM = "custom"
"""The layout of mmsegmentation, which needs no conversion."""

_MODULES = {
    "masks": "mask_folders",
    "coco": "coco",
    "coco-panoptic": "coco_panoptic",
    "yolo": "yolo",
    "labelme": "labelme",
    "cvat": "cvat",
    "label-studio": "label_studio",
    "supervisely": "supervisely",
    "darwin": "darwin",
    "voc": "voc",
    "datumaro": "datumaro",
    "hf": "hugging_face",
    "webdataset": "webdataset",
}
"""Module of each format, by name. Each module has the format as ``FORMAT``."""
_GROUP = "sceneset.formats"


def format_names() -> list[str]:
    """Return the names of all formats, those of plug-ins at the end."""
    return [CUSTOM, *names_with_plugins(_MODULES, _GROUP)]


def find_format(name: str) -> Format:
    """Return a format by name.

    Raises:
        UsageError: There is none, or its plug-in can't be loaded.
    """
    if name in _MODULES:
        found: Format = import_module(f"sceneset.formats.{_MODULES[name]}").FORMAT
        return found
    plugin: Format | None = load_plugin(name, _GROUP)
    if plugin:
        return plugin
    raise UsageError(
        f"--format {name}: there is no such format; formats: {', '.join(format_names())}"
    )


def detect_formats(tree: Tree) -> Iterator[tuple[str, str]]:
    """Yield the formats that a delivery looks like, each with the reason in words."""
    for name in format_names()[1:]:
        reason = find_format(name).detect(tree)
        if reason:
            yield name, reason


def choose_format(tree: Tree) -> tuple[Format, str]:
    """Return the only format that a delivery looks like, and the reason.

    Raises:
        FindingsError: No format fits, or several do.
    """
    fitting = dict(detect_formats(tree))
    if not fitting:
        if problems := json_problems(tree):
            raise FindingsError(problems)
        fail(
            "layout",
            "is in no format that is known: there is no img_dir and ann_dir, and no annotation "
            "file or folder of masks was recognized",
            file=tree.root.name,
            hint="formats: " + ", ".join(format_names()) + "; `sceneset formats` describes them",
        )
    # Folders of masks are in many deliveries beside another annotation, which knows more.
    if len(fitting) > 1:
        fitting.pop("masks", None)
    if len(fitting) > 1:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in sorted(fitting.items()))
        fail(
            "format-unclear",
            f"looks like {counted(len(fitting), 'format')} ({reasons})",
            file=tree.root.name,
            hint="add one to the command: "
            + " or ".join(f"--format {name}" for name in sorted(fitting)),
        )
    [(name, reason)] = fitting.items()
    return find_format(name), reason
