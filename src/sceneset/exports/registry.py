"""The table of formats to export to; each module is loaded when its format is used."""

from importlib import import_module

from sceneset.errors import UsageError
from sceneset.plugins import load_plugin, names_with_plugins

TYPE_CHECKING = False  # importing typing would take longer than the help of the command
if TYPE_CHECKING:
    from sceneset.exports.exporter import Exporter

_MODULES = {
    "coco": "coco",
    "mmseg": "mmseg",
    "yolo-seg": "yolo_seg",
    "ultralytics-semantic": "ultralytics_semantic",
    "voc": "voc",
    "labelme": "labelme",
    "webdataset": "webdataset",
    "hf": "hf",
    "datumaro": "datumaro",
    "cvat": "cvat",
    "croissant": "croissant",
    "embedding-atlas": "embedding_atlas",
    "fiftyone": "fiftyone",
}
"""Module of each format, by name. Each module has the format as ``EXPORTER``."""
_GROUP = "sceneset.exports"


def built_in_names() -> list[str]:
    """Return the names of the formats that sceneset brings."""
    return list(_MODULES)


def exporter_names() -> list[str]:
    """Return the names of all formats, those of plug-ins at the end."""
    return names_with_plugins(_MODULES, _GROUP)


def find_exporter(name: str) -> "Exporter":
    """Return a format by name.

    Raises:
        UsageError: There is none, or its plug-in can't be loaded.
    """
    if name in _MODULES:
        found: Exporter = import_module(f"sceneset.exports.{_MODULES[name]}").EXPORTER
        return found
    plugin: Exporter | None = load_plugin(name, _GROUP)
    if plugin:
        return plugin
    import difflib

    near = difflib.get_close_matches(name, _MODULES, n=1)
    hint = f"did you mean {near[0]}? Formats" if near else "formats"
    raise UsageError(f"there is no export format {name!r}; {hint}: {', '.join(exporter_names())}")
