"""Select the samples that a command looks at, and say which are left out."""

import argparse
from typing import TYPE_CHECKING

from sceneset.cli.commands.sources import query_options
from sceneset.errors import NothingFoundError

if TYPE_CHECKING:
    from sceneset.catalog.reader import Catalog
    from sceneset.exports.types import Selection


def selected_samples(args: argparse.Namespace, catalog: "Catalog") -> "Selection":
    """Return the samples that the arguments of `add_query` select.

    Withdrawn samples are left out, and restricted ones unless --internal is given.

    Raises:
        NothingFoundError: There is none.
    """
    from sceneset.catalog.query import resolve_query
    from sceneset.cli.output import say
    from sceneset.counts import counted
    from sceneset.exports.selection import select_samples
    from sceneset.versions.foreign import restrictions_of

    query = resolve_query(catalog, **query_options(args))
    left_out = restrictions_of(catalog, internal=args.internal)
    selection = select_samples(catalog, query, left_out)
    if selection.withdrawn:
        number = len(selection.withdrawn)
        text = counted(number, "withdrawn sample was", "withdrawn samples were")
        say(f"{text} left out", style="yellow")
    if selection.restricted:
        number = len(selection.restricted)
        text = counted(number, "sample for internal use was", "samples for internal use were")
        say(f"{text} left out; --internal includes them, if you may", style="yellow")
    if not selection.samples:
        raise NothingFoundError("no sample matches, so there is nothing to do")
    return selection
