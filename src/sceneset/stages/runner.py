"""Run a stage of the DVC pipeline: read its command line and return its exit code.

Each stage module calls one of the three functions below to make its ``main``.
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from sceneset.catalog.reader import Catalog
from sceneset.cli.exit_codes import FINDINGS, FINE, guarded
from sceneset.cli.findings import STAGE_LIMIT, View, print_findings
from sceneset.cli.output import progress
from sceneset.errors import UsageError
from sceneset.reporting.findings_json import write_reports
from sceneset.schemas.finding import Finding, errors_of
from sceneset.storage.leftovers import sweep
from sceneset.storage.locking import is_lent_to_this_process, stage_lock
from sceneset.storage.transaction_rollback import refuse_unfinished_change


class Main(Protocol):
    """The entry point of a stage."""

    def __call__(self, arguments: Sequence[str] | None = None) -> int:
        """Run the stage in the current folder's registry and return the exit code.

        Args:
            arguments: The words after the program's name; by default those of this process.
        """


def subset_stage(
    stage: str, run: Callable[[Catalog, str], None], *, words: str = "SUBSET [ALGORITHM]"
) -> Main:
    """Return the entry point of a stage that runs once for each subset, or for a folder.

    Its command line is SUBSET [ALGORITHM]. The algorithm number is not used: it is in the command
    so that DVC runs the stage again when the number changes.

    Args:
        stage: The name of the stage's module.
        run: Called with the registry and the first word of the command line.
        words: How error messages show the command line.
    """

    def main(arguments: Sequence[str] | None = None) -> int:
        given = list(sys.argv[1:] if arguments is None else arguments)

        def guarded_run() -> int:
            if len(given) not in {1, 2}:
                raise UsageError(f"usage: python -m sceneset.stages.{stage} {words}")
            with _registry() as catalog:
                run(catalog, given[0])
            return FINE

        return guarded(guarded_run)

    return main


def registry_stage(run: Callable[[Catalog], int | None]) -> Main:
    """Return the entry point of a stage that runs once for the whole registry.

    Args:
        run: Called with the registry; returns the exit code, or None for success.
    """

    def main(arguments: Sequence[str] | None = None) -> int:  # noqa: ARG001 - takes no arguments
        def guarded_run() -> int:
            with _registry() as catalog:
                return run(catalog) or FINE

        return guarded(guarded_run)

    return main


@contextmanager
def _registry() -> Iterator[Catalog]:
    """Yield the registry of the current folder; no command changes it during the block.

    Raises:
        FindingsError: A command is changing the registry, or was killed while it replaced files.
    """
    found = Catalog.find(progress=progress)
    paths = found.paths
    with stage_lock(paths.work, sweep=lambda: sweep(paths)):
        if not is_lent_to_this_process(paths.work):
            refuse_unfinished_change(paths)
        yield found


def gate_stage(
    find: Callable[[Catalog], list[Finding]], *, report: str, errors_report: str
) -> Main:
    """Return the entry point of a gate: a stage that fails if it finds an error.

    It writes two files into registry/reports/. Later stages depend on ``errors_report``, which
    is an empty list whenever they may run. A new warning changes only ``report``, and so does not
    make DVC run the later stages again.

    Args:
        find: Returns the findings about the registry.
        report: File name for all findings.
        errors_report: File name for the errors only.
    """

    def run(catalog: Catalog) -> int:
        findings = find(catalog)
        write_reports(catalog.paths.reports, report, errors_report, findings)
        print_findings(findings, view=View(limit=STAGE_LIMIT))
        return FINDINGS if errors_of(findings) else FINE

    return registry_stage(run)
