"""Keep the scene table of an entry in step with changed tags."""

from collections.abc import Sequence

from sceneset.catalog.params_edit import entry_text
from sceneset.catalog.reader import Catalog
from sceneset.catalog.split_selection import in_table_order
from sceneset.delivery.scene_table import complete_rows
from sceneset.edits.subset_change import Stage
from sceneset.edits.withdraw import entry_with_counts
from sceneset.quality.tag_rules import uncovered_memberships
from sceneset.schemas.scene import Vocabulary
from sceneset.schemas.subset import SplitRow, Subset
from sceneset.schemas.tag import Tag


def fitted_entry(
    vocabulary: Vocabulary, entry: Subset, before: Sequence[Tag], after: Sequence[Tag]
) -> Subset:
    """Return an entry whose scene table fits changed tags.

    Rows that become empty are left out, correct declared counts follow, and samples that no row
    selects get a row. A table that did not fit before keeps what was wrong.

    Args:
        vocabulary: The scenes of the registry.
        entry: The entry.
        before: The tags before the change.
        after: The tags after it.
    """
    if after == before:
        return entry
    counted = entry_with_counts(entry, [before], after, drop_empty=True)
    known = uncovered_memberships(entry.splits, before)
    rows = complete_rows(vocabulary, counted.splits, after, from_tags=False)
    rows += [
        SplitRow(
            scene=scene,
            persons=persons,
            phase=phase,
            file=vocabulary.split_file(scene, persons, phase),
        )
        for phase, scene, persons in sorted(uncovered_memberships(rows, after), key=str)
        if (phase, scene, persons) not in known
    ]
    if rows == list(entry.splits):
        return entry
    if rows != list(counted.splits):
        rows = in_table_order(vocabulary, rows)
    return counted.model_copy(update={"splits": tuple(rows)})


def stage_entry(catalog: Catalog, stage: Stage, entry: Subset) -> None:
    """Stage an entry if it differs from the one of the registry."""
    if entry != catalog.entry(entry.name):
        stage.write(catalog.paths.entry(entry.name), entry_text(entry).encode())
