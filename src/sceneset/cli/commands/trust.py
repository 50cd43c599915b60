"""Trust the remote of somebody else's registry with your credentials.

A registry that is opened by URL (`--repo URL`) names the remote that its images are on. sceneset
uses your credentials, and folders of this machine, for it only after you have trusted the remote.
Remotes inside the repository and remotes without credentials need no trust. If the registry names
another remote later, you are asked again. The list is a file of yours, outside of any repository.
"""

import argparse

from sceneset.cli.commands.sources import add_remote
from sceneset.cli.exit_codes import FINE
from sceneset.errors import UsageError

EXAMPLES = """
  sceneset trust https://example.com/people.git
  sceneset trust https://example.com/people.git --rev 1.2.0 --remote backup
  sceneset trust --list
  sceneset trust --remove https://example.com/people.git
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "url", nargs="?", metavar="URL", help="the git URL of the registry, as in --repo"
    )
    parser.add_argument("--rev", help="the revision whose remote to trust (default: HEAD)")
    add_remote(parser)
    other = parser.add_mutually_exclusive_group()
    other.add_argument("--list", action="store_true", help="list the remotes that you trust")
    other.add_argument("--remove", action="store_true", help="trust no remote of this URL any more")
    parser.add_argument("--json", action="store_true", help="print a list of JSON objects")


def run(args: argparse.Namespace) -> int:
    """Trust, list or remove."""
    if args.list:
        if args.url:
            raise UsageError("--list takes no URL")
        return _list(args)
    if not args.url:
        raise UsageError("name the URL of a registry, or use --list")
    return _remove(args.url) if args.remove else _trust(args)


def _list(args: argparse.Namespace) -> int:
    from sceneset.cli.output import print_json, print_table, say
    from sceneset.storage.trust import trusted_remotes

    remotes = trusted_remotes()
    if args.json:
        print_json([remote.model_dump() for remote in remotes])
    elif not remotes:
        say("no remote is trusted")
    else:
        print_table(
            ("registry", "remote", "server", "since"),
            [(r.repository, r.location, r.location.host, r.since) for r in remotes],
            optional=("since", "server"),
        )
    return FINE


def _remove(url: str) -> int:
    from sceneset.cli.output import say
    from sceneset.counts import counted
    from sceneset.storage.trust import distrust

    removed = distrust(url)
    if not removed:
        raise UsageError(f"no remote of {url} is trusted; `sceneset trust --list` lists all")
    remotes = counted(len(removed), "remote is", "remotes are")
    say(f"{remotes} not trusted any more: {', '.join(str(one.location) for one in removed)}")
    return FINE


def _trust(args: argparse.Namespace) -> int:
    from sceneset.cli.output import print_json, say
    from sceneset.paths import without_userinfo
    from sceneset.storage.trust import trust, trust_file
    from sceneset.versions.foreign import foreign_remote
    from sceneset.versions.revisions import open_at

    name, location = foreign_remote(open_at(args.url, args.rev), args.remote, notify=say)
    trust(args.url, location)
    shown_url = without_userinfo(args.url)
    if args.json:
        shown = {"remote": name, "url": location.url, "endpoint": location.endpoint}
        print_json([{"repository": shown_url, **shown}])
        return FINE
    say(f"Trusted with your credentials: the remote {name} of {shown_url}")
    say(f"  {location}")
    say(f"  ({location.host})")
    say(f"The list is {trust_file()}. Undo it with: sceneset trust --remove URL")
    return FINE
