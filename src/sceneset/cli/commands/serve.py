"""Show the registry in a browser: search, pictures with masks, and a JSON API.

The pages are those of `sceneset site`, live, with a search over all samples in English and Chinese.
Marked samples can be saved as a selection, as waivers, or as a table to relabel. Nothing changes
the registry. It needs `pip install 'sceneset[serve]'`. Only this machine can connect by default; on
another address, the printed link has a token. Ctrl-C ends the server.
"""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sceneset.cli.commands.sources import (
    add_remote,
    add_source,
    open_catalog,
)
from sceneset.cli.exit_codes import FINE
from sceneset.errors import UsageError

if TYPE_CHECKING:
    from sceneset.catalog.reader import Catalog
    from sceneset.server.similar import SimilarSamples
    from sceneset.server.site_pages import Collect
    from sceneset.server.state import Live

_PORT = 8642

EXAMPLES = r"""
  sceneset serve --open
  sceneset serve --rev 1.2.0 --fetch
  sceneset serve --vectors ~/clip.parquet   similar samples below each picture
  sceneset serve --marks ~/marks   files of marked samples go to this folder
  sceneset serve --host 0.0.0.0    for other machines, with the printed link
  sceneset serve --index           only bring .sceneset/index.db up to date
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    add_source(parser)
    parser.add_argument(
        "--port",
        type=_port,
        default=_PORT,
        metavar="N",
        help=f"the port (default: {_PORT}); 0 chooses a free one",
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="the address to listen on (default: 127.0.0.1, this machine only)",
    )
    parser.add_argument("--open", action="store_true", help="open the page in your browser")
    parser.add_argument(
        "--marks",
        type=Path,
        metavar="DIR",
        help="write files of marked samples to this folder (default: the browser downloads them)",
    )
    parser.add_argument(
        "--vectors",
        type=Path,
        metavar="FILE",
        help="show similar samples by these vectors of images, a Parquet file as `suggest "
        "--vectors` takes it",
    )
    parser.add_argument(
        "--pages",
        action="store_true",
        help="make the pages of `sceneset site` in the background, also of more than 20,000 "
        "samples",
    )
    parser.add_argument(
        "--fetch",
        action="store_true",
        help="download images and masks that are not on this machine when they are shown",
    )
    parser.add_argument(
        "--index",
        action="store_true",
        help="bring the index of samples up to date, and end; any SQLite program can read it",
    )
    parser.add_argument(
        "--internal",
        action="store_true",
        help="include samples that the registry restricts to internal use",
    )
    add_remote(parser)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r}: use a number from 0 to 65535")
    return int(text)


def run(args: argparse.Namespace) -> int:
    """Serve the registry until Ctrl-C."""
    from sceneset.cli.output import say

    if args.index:
        return _update_index(args)
    try:
        import fastapi  # noqa: F401
        import fastapi_offline  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError:
        raise UsageError("serve needs: pip install 'sceneset[serve]'") from None
    from sceneset.cli.output import print_text
    from sceneset.server.run import address_of, application, listen, serve
    from sceneset.server.security import Access

    catalog = open_catalog(args)
    _check_marks(args)
    access = Access.of(args.host)
    listening = listen(args.host, args.port)
    try:
        live = _open_live(args, catalog)
        _say_left_out(live)
        address = address_of(listening, access)

        def started() -> None:
            print_text(address, is_data=True)
            sys.stdout.flush()  # a program that reads the address would wait until the end
            say("Ctrl-C ends the server")
            if args.open:
                import webbrowser

                webbrowser.open(address)

        with application(live, access, _pages(args, live)) as app:
            serve(app, listening, started)
    finally:
        listening.close()
    return FINE


def _open_live(args: argparse.Namespace, catalog: "Catalog") -> "Live":
    from sceneset.catalog.subset_folder import printable
    from sceneset.cli.catalogue import load_catalogue
    from sceneset.cli.output import progress, say
    from sceneset.progress import no_progress
    from sceneset.server.state import Live, Options
    from sceneset.versions.local_files import LocalFiles

    def fetch(files: LocalFiles, wanted: list[tuple[str, str | None]]) -> int:
        return files.fetch(wanted, remote=args.remote, progress=no_progress)

    repo = "" if args.repo == "." else str(args.repo)
    name = repo.rstrip("/").rpartition("/")[2].removesuffix(".git") or catalog.project.name
    options = Options(
        title=printable(name),
        state=printable(args.rev or ""),
        internal=args.internal,
        fetch=fetch if args.fetch else None,
        similar=_similar(args, catalog),
        marks=args.marks,
        translate=load_catalogue().translate,
    )
    return Live(catalog, options, progress=progress, notify=say)


def _similar(args: argparse.Namespace, catalog: "Catalog") -> "SimilarSamples | None":
    """Return what finds similar samples, and say what it leaves out; None without vectors."""
    if args.vectors is None:
        return None
    from sceneset.cli.output import progress, say
    from sceneset.cli.vector_problems import say_vector_problems
    from sceneset.counts import counted
    from sceneset.server.similar import SimilarSamples

    found = SimilarSamples.read(args.vectors, catalog, progress=progress)
    say(f"similar samples by {counted(len(found), 'vector')}")
    say_vector_problems(found.problems)
    return found


def _pages(args: argparse.Namespace, live: "Live") -> "Collect | None":
    """Return what makes the pages of the catalogue; None without pages."""
    from sceneset.catalog.sample_index_builder import INTERNAL
    from sceneset.server.site_pages import MOST
    from sceneset.site.collect import site_options
    from sceneset.site.options import SiteOptions

    if len(live.state().index) > MOST and not args.pages:
        return None

    def collect(catalog: "Catalog") -> SiteOptions:
        options = site_options(
            catalog,
            repo="" if args.repo == "." else str(args.repo),
            rev=args.rev or "",
            translate=live.options.translate,
        )
        options.left_out = () if args.internal else INTERNAL
        return options

    return collect


def _check_marks(args: argparse.Namespace) -> None:
    """Refuse a folder for marks that a registry, git or DVC keeps files in."""
    from sceneset.versions.destination import check_untracked

    if args.marks is not None:
        args.marks.mkdir(parents=True, exist_ok=True)
        check_untracked(args.marks.resolve())


def _update_index(args: argparse.Namespace) -> int:
    from sceneset.catalog.sample_index_builder import INTERNAL, open_sample_index
    from sceneset.cli.output import progress, say
    from sceneset.counts import counted

    left_out = frozenset() if args.internal else INTERNAL
    catalog = open_catalog(args)
    index = open_sample_index(catalog, left_out=left_out, progress=progress, notify=say)
    count = counted(len(index), "sample")
    if index.file:
        say(f"{index.file} has {count}", style="green")
        return FINE
    raise UsageError(f"{catalog.root}/.sceneset can't be written, so there is no index file")


def _say_left_out(live: "Live") -> None:
    from sceneset.cli.output import say
    from sceneset.counts import counted

    subsets = live.state().index.subsets
    if withdrawn := sum(subset["withdrawn"] for subset in subsets):
        left_out = counted(withdrawn, "withdrawn sample is", "withdrawn samples are")
        say(f"{left_out} not shown", style="yellow")
    if internal := sum(subset["internal"] for subset in subsets):
        left_out = counted(internal, "sample for internal use is", "samples for internal use are")
        say(f"{left_out} not shown; --internal shows them, if you may", style="yellow")
