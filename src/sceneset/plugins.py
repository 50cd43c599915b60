"""Find a format by name: built in, or offered by another package through an entry point."""

from collections.abc import Collection
from importlib.metadata import entry_points

from sceneset.errors import UsageError

TYPE_CHECKING = False  # importing typing would take longer than the help of the command
if TYPE_CHECKING:
    from typing import Any


def names_with_plugins(built_in: Collection[str], group: str) -> list[str]:
    """Return the names of built-in formats, and those of plug-ins at the end, sorted."""
    plugins = {point.name for point in entry_points(group=group)}
    return [*built_in, *sorted(plugins - set(built_in))]


def load_plugin(name: str, group: str) -> "Any":
    """Return what another package offers under a name, or None if no package does.

    Raises:
        UsageError: It can't be loaded.
    """
    for point in entry_points(group=group, name=name):
        try:
            return point.load()
        except Exception as error:
            raise UsageError(f"the plug-in of format {name} can't be loaded: {error}") from error
    return None
