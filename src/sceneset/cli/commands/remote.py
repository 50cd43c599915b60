"""Set the default DVC remote, the place where images and masks are stored.

The remote is set up with verification on. Without it, DVC accepts damaged or truncated objects
from a remote without a message. First a small object is written to the remote, read and deleted
again: a remote that does not answer, or can't be written, is not set.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sceneset.cli.exit_codes import FINE
from sceneset.errors import DvcError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

EXAMPLES = """
  sceneset remote s3://bucket/people
  sceneset remote s3://bucket/people --endpoint https://store.example
  sceneset remote ssh://host/data/people --name nas
  sceneset remote /mnt/shared/people --force
  sceneset remote s3://bucket/people --no-check      set it without a test
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("url", metavar="URL", help="s3://bucket/path, ssh://host/path, a folder...")
    parser.add_argument("--name", default="store", help="name of the remote (default: store)")
    parser.add_argument("--force", action="store_true", help="replace a remote of the same name")
    parser.add_argument(
        "--endpoint", metavar="URL", help="address of an S3 store that is not Amazon's"
    )
    parser.add_argument(
        "--no-check",
        action="store_true",
        help="do not ask the remote whether it answers and can be written",
    )


def run(args: argparse.Namespace) -> int:
    """Configure the remote, and make it the default as the last step."""
    from sceneset.catalog.reader import Catalog
    from sceneset.cli.output import say
    from sceneset.storage.dvc import remote_configuration
    from sceneset.storage.remote_config import is_ascii, write_remote
    from sceneset.storage.remote_url import checked_remote_url

    if args.endpoint and "://" not in args.endpoint:
        raise UsageError(
            f"--endpoint {args.endpoint}: the address must begin with http:// or https://"
        )
    if args.endpoint and not args.url.startswith("s3://"):
        raise UsageError("--endpoint can only be used with an s3:// URL")
    url = checked_remote_url(args.url, Path.cwd())
    root = Catalog.find().root
    options = {"url": url} | ({"endpointurl": args.endpoint} if args.endpoint else {})
    if not args.no_check:
        _check(args.name, url, remote_configuration(root, args.name, options))
    write_remote(root, args.name, options | {"verify": "true"}, force=args.force)
    if not is_ascii(root):
        say(
            "warning: .dvc/config has characters that are not ASCII. DVC reads it, but "
            "`dvc config` and `dvc remote` empty the file: edit it with a text editor instead",
            style="yellow",
        )
    say(f"{args.name} is the default remote now. Next:", style="green")
    say("  git add .dvc/config && git commit -m 'Set the remote'")
    say("  dvc push")
    return FINE


def _check(name: str, url: str, remotes: "Mapping[str, Any]") -> None:
    """Ask the remote whether it can be used.

    Raises:
        DvcError: It can't; nothing was changed.
    """
    import os

    from sceneset.cli.output import say
    from sceneset.storage.remote_probe import probe_remote

    folder = Path(url)
    if folder.is_absolute() and not folder.exists():
        existing = next(path for path in folder.parents if path.exists())
        if existing.is_dir() and os.access(existing, os.W_OK):
            say(
                f"warning: there is no folder {folder} yet; `dvc push` creates it. If it is on a "
                "disk or server that is not mounted, mount it first",
                style="yellow",
            )
            return
        raise DvcError(
            f"there is no folder {folder}, and it can't be created in {existing}; nothing was "
            "changed. Use --no-check to set the remote anyway"
        )
    try:
        problem = probe_remote(name, remotes)
    except DvcError as error:
        raise DvcError(
            f"the remote {url} can't be used: {error}\nNothing was changed. Use --no-check to set "
            "the remote anyway"
        ) from None
    if problem:
        say(f"warning: {problem}", style="yellow")
