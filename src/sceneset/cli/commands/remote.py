"""Set the default DVC remote, the place where images and masks are stored.

The remote is set up with verification on. Without it, DVC accepts damaged or truncated objects
from a remote without a message.
"""

import argparse
from pathlib import Path

from sceneset.cli.exit_codes import FINE
from sceneset.errors import UsageError

EXAMPLES = """
  sceneset remote s3://bucket/people
  sceneset remote s3://bucket/people --endpoint https://store.example
  sceneset remote ssh://host/data/people --name nas
  sceneset remote /mnt/shared/people --force
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("url", metavar="URL", help="s3://bucket/path, ssh://host/path, a folder...")
    parser.add_argument("--name", default="store", help="name of the remote (default: store)")
    parser.add_argument("--force", action="store_true", help="replace a remote of the same name")
    parser.add_argument(
        "--endpoint", metavar="URL", help="address of an S3 store that is not Amazon's"
    )


def run(args: argparse.Namespace) -> int:
    """Configure the remote, and make it the default as the last step."""
    from sceneset.catalog.reader import Catalog
    from sceneset.cli.output import say
    from sceneset.storage.dvc import dvc

    if not args.url.strip():
        raise UsageError("the URL is empty; use for example s3://bucket/people")
    if args.endpoint and "://" not in args.endpoint:
        raise UsageError(
            f"--endpoint {args.endpoint}: the address must begin with http:// or https://"
        )
    if args.endpoint and not args.url.startswith("s3://"):
        raise UsageError("--endpoint can only be used with an s3:// URL")
    root = Catalog.find().root
    url = args.url if "://" in args.url else Path(args.url).resolve()
    force = ["--force"] if args.force else []
    dvc(root, "remote", "add", *force, args.name, url)
    dvc(root, "remote", "modify", args.name, "verify", "true")
    if args.endpoint:
        dvc(root, "remote", "modify", args.name, "endpointurl", args.endpoint)
    dvc(root, "remote", "default", args.name)
    say(f"{args.name} is the default remote now. Next:", style="green")
    say("  git add .dvc/config && git commit -m 'Set the remote'")
    say("  dvc push")
    return FINE
