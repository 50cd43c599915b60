"""Change a registry in one checked step: work out the change, show or check it, then apply it.

Each command that changes subsets gives a plan: a function that notes the new contents of files in a
draft. The draft is compared with the registry, so that a preview shows what `sceneset diff` would
show later, and a change that would cause errors is refused. No blob is needed for that.
"""

from collections.abc import Callable
from typing import Generic, NamedTuple, TypeVar

from sceneset.catalog.reader import Catalog
from sceneset.edits.draft import Draft
from sceneset.errors import FindingsError
from sceneset.progress import Notify, no_notice
from sceneset.quality.evaluate import all_findings
from sceneset.schemas.finding import Finding, errors_of
from sceneset.storage.transaction import Command, FollowUp, Transaction
from sceneset.versions.diff import Diff, compare
from sceneset.versions.history import released_test_images
from sceneset.versions.new_findings import new_findings

Result = TypeVar("Result")
Plan = Callable[[Catalog, Draft], Result]


class Edited(NamedTuple, Generic[Result]):
    """A change that was made, or would be made."""

    result: Result
    """What the plan returned."""
    diff: Diff
    """The change as `sceneset diff` shows it."""
    findings: list[Finding]
    """Errors and warnings that the registry does not have without the change."""
    is_applied: bool
    """Whether the registry was changed."""


def edit_registry(
    catalog: Catalog,
    command: Command,
    plan: Plan[Result],
    *,
    dry_run: bool = False,
    notify: Notify = no_notice,
) -> Edited[Result] | None:
    """Make a change of a registry, completely or not at all.

    Args:
        catalog: The registry.
        command: What the change is for; a rerun of the same command finishes an interrupted one.
        plan: Notes the change in a draft. It is called while nobody else writes.
        dry_run: Change nothing.
        notify: Called if an interrupted command was finished or rolled back.

    Returns:
        The change, or None if an interrupted run of the same command was finished.

    Raises:
        FindingsError: The change is not possible, or it would cause errors; nothing is changed.
        DvcError: The change is made, but a stage of the pipeline failed.
    """
    if dry_run:
        return _judge(catalog, plan, Draft(catalog.paths))
    with Transaction.begin(
        catalog.paths, command, notify=notify, progress=catalog.progress
    ) as transaction:
        if transaction is None:
            return None
        catalog, draft = catalog.again(), Draft(catalog.paths)
        edited = _judge(catalog, plan, draft)
        if errors := errors_of(edited.findings):
            raise FindingsError(errors)
        if draft.is_empty:
            return edited
        draft.stage(transaction)
        # The scans fit the new state, also where images of the working tree are missing.
        transaction.commit(FollowUp(reproduce=True, single_item=True))
    return edited._replace(is_applied=True)


def _judge(catalog: Catalog, plan: Plan[Result], draft: Draft) -> Edited[Result]:
    result = plan(catalog, draft)
    with draft.as_catalog(catalog) as changed:
        diff = compare(catalog, changed)
        return Edited(result, diff, _new_findings(catalog, changed, diff), is_applied=False)


def _new_findings(before: Catalog, after: Catalog, diff: Diff) -> list[Finding]:
    """Return the findings of a changed registry that it did not have before the change."""
    tested = released_test_images(before)
    findings = all_findings(after, lambda _: tested)
    if not findings:
        return []
    known = all_findings(before, lambda _: tested)
    return new_findings(findings, known, before=before, after=after, diff=diff)
