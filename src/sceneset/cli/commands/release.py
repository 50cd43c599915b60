"""Release the committed state as a version: a record, a changelog entry, a commit and a tag.

`release` refuses, and says why, if there are uncommitted changes, the pipeline's outputs are out of
date, a check fails, a blob is missing on the remote, or the version number does not fit the
changes: a removed sample or changed mask is a major step, an added sample or scene a minor one.
"""

import argparse

from sceneset.cli.commands.sources import add_remote, add_view, find_catalog
from sceneset.cli.exit_codes import FINE
from sceneset.errors import UsageError

TYPE_CHECKING = False  # importing typing would take longer than printing help
if TYPE_CHECKING:
    from sceneset.catalog.reader import Catalog

EXAMPLES = """
  sceneset release 1.0.0
  sceneset release 1.1.0 --notes "the ski season"
  sceneset release 1.2.0 --sign
  git push --follow-tags                 publish it afterwards
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("version", metavar="VERSION", help="three numbers, for example 1.2.0")
    parser.add_argument("--notes", default="", help="text for the record and the changelog entry")
    parser.add_argument(
        "--sign",
        action="store_true",
        help="sign the tag with your GPG or SSH key, as git is configured (user.signingKey, "
        "gpg.format)",
    )
    add_remote(parser)
    add_view(parser)


def run(args: argparse.Namespace) -> int:
    """Release the version."""
    from sceneset.cli.output import say
    from sceneset.counts import counted
    from sceneset.reporting.derived import stale_files
    from sceneset.schemas.version import VersionNumber
    from sceneset.versions.release import release, unsigned_tag_note

    try:
        number = VersionNumber.parse(args.version.removeprefix("v"))
    except ValueError as error:
        raise UsageError(str(error)) from None
    catalog = find_catalog()
    record, tag = release(
        catalog,
        number,
        notes=args.notes,
        remote=args.remote,
        derived=stale_files,
        sign=args.sign,
    )
    _say_licences(catalog)
    _say_missing_provenance(catalog)
    say(
        f"Released {record.version}: {counted(record.samples, 'sample')} in "
        f"{counted(len(record.subsets), 'subset')}, tag {tag}. Next:",
        style="green",
    )
    note = unsigned_tag_note(catalog.root, tag)
    if note:
        say(note, style="yellow")
    say("  git push --follow-tags")
    return FINE


def _say_missing_provenance(catalog: "Catalog") -> None:
    """Print which released subsets do not say whose data they are."""
    from sceneset.cli.findings import print_findings
    from sceneset.quality.provenance_rules import provenance_findings

    if catalog.params.severity("entry-provenance"):
        found = provenance_findings(catalog)
        print_findings(one for one in found if one.code == "entry-provenance")


def _say_licences(catalog: "Catalog") -> None:
    """Say under which licences the released subsets are, if an entry names one."""
    from collections import Counter

    from sceneset.catalog.provenance import licences_of
    from sceneset.cli.language import in_brackets, translate
    from sceneset.cli.output import say
    from sceneset.counts import counted

    given = [licences_of(catalog.entry(name).provenance) for name in catalog.names]
    counts = Counter(licence for names in given for licence in names)
    if any(counts):
        texts = [
            (name or translate("not recorded")) + in_brackets(translate(counted(n, "subset")))
            for name, n in sorted(counts.items())
        ]
        say(f"Licences: {', '.join(texts)}")
