"""Create a new, empty registry.

DIR gets the pipeline, the settings, a vocabulary of common scenes, and a git and a DVC repository,
and its files are committed. If DIR is inside of a git repository that does not ignore it, the
registry becomes a part of that repository; you commit it there.

The workflow that reviews pull requests must know where to install sceneset from. Unless sceneset
was installed from a git URL, say so with --install, or edit the workflow.
"""

import argparse
from pathlib import Path

from sceneset.cli.exit_codes import FINE
from sceneset.errors import UsageError

TYPE_CHECKING = False  # importing typing would take longer than printing help
if TYPE_CHECKING:
    from sceneset.cli.surroundings import LargerRepository

EXAMPLES = """
  sceneset init people             create a registry in the new folder people/
  cd people && sceneset remote s3://bucket/people
  sceneset init data/people --install git+https://example.com/sceneset@v1.2.0
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="a new or empty folder")
    parser.add_argument(
        "--install",
        metavar="SPEC",
        help="where the workflow installs sceneset from: a URL as `pip install` takes it "
        "(default: the git URL that this program was installed from, if any)",
    )


def run(args: argparse.Namespace) -> int:
    """Create the registry."""
    from sceneset.cli.output import say
    from sceneset.cli.scaffold import files_of, lay_out
    from sceneset.cli.surroundings import (
        WORKFLOW,
        checked_install,
        commit_registry,
        installed_from,
        larger_repository,
    )
    from sceneset.errors import NotEmptyError

    folder: Path = args.folder
    install = installed_from() if args.install is None else checked_install(args.install)
    outer = larger_repository(folder)
    try:
        lay_out(folder, install=install)
    except NotEmptyError as error:
        raise UsageError(str(error)) from None
    say(f"Created a registry in {folder}.", style="green")
    if outer:
        _say_outer(outer)
    else:
        reason = commit_registry(folder, files_of(folder))
        if reason:
            say(f"It is not committed: {reason}. To commit it, in that folder:", style="yellow")
            if "your name" in reason:
                say("  git config --global user.name 'Your Name'")
                say("  git config --global user.email you@example.com")
            say("  git add . && git commit -m 'Create the registry'")
    if not install:
        say(
            f"Set SCENESET in {WORKFLOW}: where it installs sceneset from. Until then the workflow "
            "fails."
        )
    say("Next, in that folder:", style="green")
    say("  sceneset remote s3://bucket/people")
    say("  sceneset add DELIVERY --name CustomSeg_Person_<YYYYMMDD>_<note>")
    return FINE


def _say_outer(outer: "LargerRepository") -> None:
    """Say that the registry is part of a larger repository, and what that means."""
    import shlex

    from sceneset.cli.output import say
    from sceneset.cli.surroundings import WORKFLOW

    folder = outer.prefix.rstrip("/")
    name = shlex.quote(folder)
    say(f"It is a part of the git repository {outer.top}; nothing else was changed there.")
    say("GitHub reads workflows only from the top of a repository. To move it and commit, there:")
    say("  mkdir -p .github/workflows")
    say(f"  mv {name}/{WORKFLOW} .github/workflows/")
    say(f"  git add {name} .github/workflows && git commit -m 'Create the registry'")
    say(f"Others read the registry with --repo URL//{folder}")
