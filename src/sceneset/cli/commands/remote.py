"""Set the default DVC remote, with verification on: damaged objects are refused when pulled.

Without verification DVC takes a corrupt or cut object from a remote as good, silently.
"""

import argparse
from pathlib import Path

from sceneset.cli.exit_codes import FINE
from sceneset.errors import UsageError

EXAMPLES = """
  sceneset remote s3://bucket/people
  sceneset remote s3://bucket/people --endpoint https://store.example --name store
  sceneset remote ssh://host/data/people
  sceneset remote /mnt/shared/people
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments."""
    parser.add_argument("url", help="s3://bucket/path, ssh://host/path, a folder...")
    parser.add_argument("--name", default="store", help="what to call it (default: store)")
    parser.add_argument("--force", action="store_true", help="replace a remote of that name")
    parser.add_argument("--endpoint", metavar="URL", help="of an S3 store that is not Amazon's")


def run(args: argparse.Namespace) -> int:
    """Configure it; it becomes the default only when it is whole."""
    from sceneset.catalog.reader import Catalog
    from sceneset.cli.output import say
    from sceneset.storage.dvc import dvc

    if not args.url.strip():
        raise UsageError("the URL is empty; write for example s3://bucket/people")
    if args.endpoint and "://" not in args.endpoint:
        raise UsageError(f"--endpoint {args.endpoint}: write it with http:// or https://")
    if args.endpoint and not args.url.startswith("s3://"):
        raise UsageError("--endpoint goes with an s3:// URL")
    root = Catalog.find().root
    url = args.url if "://" in args.url else Path(args.url).resolve()
    force = ["--force"] if args.force else []
    dvc(root, "remote", "add", *force, args.name, url)
    dvc(root, "remote", "modify", args.name, "verify", "true")
    if args.endpoint:
        dvc(root, "remote", "modify", args.name, "endpointurl", args.endpoint)
    dvc(root, "remote", "default", args.name)
    say(f"{args.name} is the default remote now, verified. `dvc push` fills it; commit .dvc/config")
    return FINE
