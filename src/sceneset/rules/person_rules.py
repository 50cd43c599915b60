"""Rules on the persons of samples in full subsets: small persons, and persons in pieces."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from sceneset.rules.sample_columns import SampleColumns
from sceneset.rules.sample_rules import finding_on_row
from sceneset.schemas.finding import Finding
from sceneset.schemas.params import Params
from sceneset.schemas.tag import Tag
from sceneset.schemas.terms import Persons

if TYPE_CHECKING:
    import pyarrow as pa

    from sceneset.rules.sample_columns import Mask


def small_persons(columns: SampleColumns) -> "Mask":
    """Return for each row whether the person covers too little of the image (person-small)."""
    person = columns["person"]
    found: Mask = (person > 0) & (person < columns.params.kinds.min_person * columns.pixels)
    return found


def scattered_persons(columns: SampleColumns, tags: Sequence[Tag]) -> "Mask":
    """Return for each row whether it is tagged single, but is in pieces (person-scattered)."""
    import numpy as np

    several = np.flatnonzero(columns["parts_total"] > 1)
    single = {tag.key for tag in tags if tag.persons_summary == Persons.SINGLE}
    min_main = columns.params.kinds.min_main
    found = np.zeros(len(columns.table), bool)
    rows = columns.table.select(("phase", "stem", "parts", "person")).take(several).to_pylist()
    found[several] = [
        row["parts"][0] < min_main * row["person"] and (row["phase"], row["stem"]) in single
        for row in rows
    ]
    return found


def person_findings(
    subset: str, tags: Sequence[Tag], table: "pa.Table", params: Params, *, folder: str
) -> Iterator[Finding]:
    """Yield small persons, and samples tagged single whose person is in pieces.

    Args:
        subset: The subset to name in findings.
        tags: Its tags.
        table: Its scan, with at least SAMPLE_COLUMNS.
        params: Thresholds.
        folder: Prefix of the files in findings.
    """
    columns = SampleColumns(table, params)
    for row in columns.rows_of(small_persons(columns)):
        share = row["person"] / (row["width"] * row["height"])
        message = f"the person covers {100 * share:.2f} % of the image"
        hint = "remove the sample, or crop it closer"
        yield finding_on_row("person-small", row, message, hint, folder=folder, subset=subset)
    for row in columns.rows_of(scattered_persons(columns, tags)):
        message = (
            f"is tagged single, but the largest of {len(row['parts'])} parts holds only "
            f"{row['parts'][0] / row['person']:.0%} of the person"
        )
        hint = "tag it multi if it shows several people"
        yield finding_on_row("person-scattered", row, message, hint, folder=folder, subset=subset)
