"""`sceneset add --scenes-from`: print proposals of scenes as CSV, and add nothing."""

import argparse
from typing import TYPE_CHECKING

from sceneset.cli.exit_codes import FINDINGS, FINE

if TYPE_CHECKING:
    from sceneset.catalog.reader import Catalog
    from sceneset.delivery.types import Request

_MAX_WORDS = 12


def propose(args: argparse.Namespace, request: "Request", catalog: "Catalog") -> int:
    """Print proposals for the samples of a delivery, and what words name no scene."""
    from sceneset.cli.findings import View, print_findings
    from sceneset.cli.language import translate
    from sceneset.cli.output import print_lines, say
    from sceneset.cli.text_width import visible
    from sceneset.counts import counted
    from sceneset.formats.scene_words import COLUMNS, propose_scenes
    from sceneset.formats.types import Options
    from sceneset.schemas.finding import errors_of
    from sceneset.storage.csv_rows import csv_text

    if request.form is None or request.opened is None or request.work is None:
        raise AssertionError("--scenes-from is refused for the Custom layout")
    done = propose_scenes(
        request.form,
        request.opened.tree(request.work / "files"),
        request.options or Options(),
        catalog.vocabulary,
        args.scenes_from,
    )
    findings = [*request.opened.findings, *done.findings]
    print_findings(findings, view=View.of(args))
    rows = ((p.phase, p.stem, ";".join(p.scenes), translate(p.reason)) for p in done.rows)
    print_lines((visible(line), "") for line in csv_text(COLUMNS, rows).splitlines())
    found = sum(bool(p.scenes) for p in done.rows)
    samples = counted(len(done.rows), "sample")
    say(f"scenes are proposed for {found:,} of {samples}; nothing was added")
    for word, count in done.unknown.most_common(_MAX_WORDS):
        nearest = ", ".join(catalog.vocabulary.nearest(word))
        hint = f"; near: {nearest}" if nearest else ""
        problem = f"{word!r} names no scene ({counted(count, 'sample')}{hint})"
        say(f"  {translate(problem)}")
    say("look at every row, correct it, and give the file to --scenes")
    return FINDINGS if errors_of(findings) else FINE
