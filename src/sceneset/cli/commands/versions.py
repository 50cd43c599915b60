"""List the released versions, newest last, with what changed in each, or show one of them.

Of one version, its selections and the runs that used it are shown; `sceneset used` notes runs.
"""

import argparse

from sceneset.cli.commands.sources import add_source, open_catalog
from sceneset.cli.exit_codes import FINE

TYPE_CHECKING = False  # importing typing would take longer than a look-up
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sceneset.schemas.used import UsedRow
    from sceneset.schemas.version import Version

EXAMPLES = """
  sceneset versions
  sceneset versions 1.2.0
  sceneset versions latest --json
  sceneset versions --repo https://example.com/people.git --json
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument(
        "version",
        nargs="?",
        metavar="VERSION",
        help="show this version, or `latest` (default: list all)",
    )
    add_source(parser)
    parser.add_argument("--json", action="store_true", help="print a list of JSON objects")


def run(args: argparse.Namespace) -> int:
    """Print the versions."""
    from sceneset.cli.output import print_json, print_table, say
    from sceneset.versions.records import (
        VersionTag,
        read_records,
        reverted_versions,
        version_tags,
    )
    from sceneset.versions.used import read_used

    catalog = open_catalog(args)
    every = read_records(catalog)
    records = every if args.version is None else _named(args.version, every)
    used = read_used(catalog.paths)
    if args.json:
        tags = version_tags(catalog)
        print_json(
            [
                record.model_dump(mode="json")
                | tags.get(record.version, VersionTag())._asdict()
                | {"used": [_run(row) for row in used if row.version == record.version]}
                for record in records
            ]
        )
    elif args.version is not None:
        shown = records[0]
        _print_version(shown, [row for row in used if row.version == shown.version])
        return FINE
    elif not records:
        say("there is no version yet; create one with: sceneset release 1.0.0", style="yellow")
    else:
        print_table(
            ("version", "subsets", "samples", "step", "changes", "notes"),
            [
                (
                    r.version,
                    len(r.subsets),
                    r.samples,
                    r.changes.step if r.previous else "",
                    _changes(r.changes.samples),
                    " ".join(r.notes.split()),
                )
                for r in records
            ],
            right=("subsets", "samples"),
        )
    for number in reverted_versions(catalog, every):
        say(
            f"version {number} has a tag but no record: its release was reverted. It can still be "
            "read with --rev",
            style="yellow",
        )
    return FINE


def _named(version: str, records: "Sequence[Version]") -> "list[Version]":
    """Return the record of a version, alone."""
    from sceneset.errors import UnknownRevisionError
    from sceneset.versions.resolve import LATEST

    found = [record for record in records if record.version == version]
    if version == LATEST:
        found = [*records[-1:]]
    if not found:
        known = ", ".join(record.version for record in records[-5:]) or "none yet"
        raise UnknownRevisionError(f"there is no version {version!r}; the last ones: {known}")
    return found


def _run(row: "UsedRow") -> "dict[str, str]":
    return {"run": row.run, "selection": row.selection, "digest": row.digest}


def _print_version(record: "Version", used: "Sequence[UsedRow]") -> None:
    """Print the subsets of a version, its selections, and the runs that used it."""
    from sceneset.cli.output import print_table, say
    from sceneset.counts import counted
    from sceneset.schemas.terms import Phase

    rows = [
        ("subset", name, *(part.samples.get(phase, 0) for phase in Phase), "")
        for name, part in record.subsets.items()
    ]
    rows += [
        ("selection", name, *(part.samples.get(phase, 0) for phase in Phase), part.digest)
        for name, part in record.selections.items()
    ]
    print_table(("kind", "name", *Phase, "digest"), rows, right=tuple(Phase), optional=("digest",))
    if record.notes:
        say(record.notes)
    if used:
        print_table(
            ("run", "selection"), [(row.run, row.selection or "all samples") for row in used]
        )
    say(f"{counted(len(used), 'run')} used version {record.version}")


def _changes(counts: "Mapping[str, int]") -> str:
    """Return the changes of samples by kind, in the reader's language."""
    from sceneset.cli.language import translate
    from sceneset.versions.diff import change_text

    changes = (f"{count} {change_text(kind)}" for kind, count in counts.items() if count)
    return ", ".join(map(translate, changes))
