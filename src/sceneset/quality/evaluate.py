"""What is wrong with a registry, as the registry itself weighs it."""

from collections.abc import Callable, Sequence

from sceneset.catalog.reader import Catalog
from sceneset.edits import unfinished_add as journal
from sceneset.errors import FindingsError
from sceneset.quality import leakage
from sceneset.quality.consistency import check
from sceneset.quality.leakage import Tested
from sceneset.quality.policy import in_folder, weighed
from sceneset.schemas.finding import Finding, errors_of, in_order
from sceneset.schemas.rules import RULES
from sceneset.storage import transaction as redo

_CHECKED = RULES.keys() - leakage.CODES - {"forgotten-near"}  # that one is told at an add


def checked(
    catalog: Catalog, names: Sequence[str] | None = None, *, notes: bool = False
) -> list[Finding]:
    """Return what single subsets (all listed ones by default) are told, errors first."""
    try:
        params, waivers = catalog.params, in_folder(catalog.root)
    except FindingsError as unread:
        return unread.findings  # nothing can be weighed without them
    waivers = tuple(w for w in waivers if names is None or w.subset in names)
    found = check(catalog, names, notes=notes)
    return weighed(found, params, waivers, judged=_CHECKED)


def related(catalog: Catalog, names: Sequence[str] | None = None) -> list[Finding]:
    """Return how images are related, over all subsets; ``names`` keeps what they are told.

    Raises:
        ProblemsFoundError: scans or tags can't be read.
    """
    waivers = in_folder(catalog.root)
    found = weighed(leakage.leakage(catalog), catalog.params, waivers, judged=leakage.CODES)
    return [p for p in found if names is None or p.subset in names]


def everything(
    catalog: Catalog,
    tested: Callable[[Catalog], Tested] | None,
    names: Sequence[str] | None = None,
    *,
    notes: bool = False,
) -> list[Finding]:
    """Return every finding, errors first; leakage only if everything else can be read.

    Args:
        catalog: The registry to check.
        tested: Reads the test images of all released versions. None skips the rule that training
            images must not be among them.
        names: Only findings about these subsets; None means all listed subsets.
        notes: Include findings of severity "note".
    """
    findings = [
        *journal.unfinished_findings(catalog.paths),
        *redo.unfinished_findings(catalog.paths),
        *checked(catalog, names, notes=notes),
    ]
    if not errors_of(findings):
        findings += related(catalog, names)
        if tested:
            once = leakage.once_tested(catalog, tested(catalog))
            findings += [p for p in once if names is None or p.subset in names]
    return in_order(findings)
