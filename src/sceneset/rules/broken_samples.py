"""Find the samples that break rules, without making findings: selections leave them out."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from sceneset.rules.person_rules import scattered_persons, small_persons
from sceneset.rules.sample_columns import SampleColumns
from sceneset.rules.sample_rules import SAMPLE_RULES, file_of
from sceneset.schemas.params import Params
from sceneset.schemas.subset import Subset
from sceneset.schemas.tag import Tag
from sceneset.schemas.terms import Kind
from sceneset.schemas.waiver import Waiver

if TYPE_CHECKING:
    import pyarrow as pa

    from sceneset.rules.sample_columns import Mask

_TESTS = {rule.code: rule.breaks for rule in SAMPLE_RULES}
JUDGED_CODES = frozenset({*_TESTS, "person-small", "person-scattered", "persons-conflict"})
"""The rules on single samples. Others compare samples, or are errors that no version has."""


def broken_samples(
    codes: Collection[str],
    entry: Subset,
    tags: Sequence[Tag],
    table: "pa.Table",
    *,
    params: Params,
    waivers: Iterable[Waiver],
    folder: str,
    file: str,
) -> set[tuple[str, str]]:
    """Return the samples of a subset with a finding of one of some rules, as phase and stem.

    A waived finding does not count: people have accepted it.

    Args:
        codes: Rules of JUDGED_CODES, whatever their severity is.
        entry: The subset.
        tags: Its tags.
        table: Its scan, with at least SAMPLE_COLUMNS.
        params: Thresholds.
        waivers: The waivers of the registry.
        folder: Prefix of image and mask files in findings.
        file: The file of the tags in findings.
    """
    columns = SampleColumns(table, params)
    waived = {(w.code, w.sample or w.file) for w in waivers if w.subset == entry.name}
    result: set[tuple[str, str]] = set()
    for code in codes:
        if code == "persons-conflict":
            found: Iterator[tuple[tuple[str, str], str]] = (
                (tag.key, file) for tag in tags if tag.persons_summary == "mixed"
            )
        else:
            found = _places(code, columns, _breaks(code, columns, entry, tags), folder)
        for key, place in found:
            if (code, "/".join(key)) not in waived and (code, place) not in waived:
                result.add(key)
    return result


def _breaks(code: str, columns: SampleColumns, entry: Subset, tags: Sequence[Tag]) -> "Mask":
    import numpy as np

    if code in _TESTS:
        return _TESTS[code](columns)
    if entry.kind is not Kind.FULL:
        return np.zeros(len(columns.table), bool)
    if code == "person-small":
        return small_persons(columns)
    return scattered_persons(columns, tags)


def _places(
    code: str, columns: SampleColumns, broken: "Mask", folder: str
) -> Iterator[tuple[tuple[str, str], str]]:
    """Yield phase and stem of each broken row, and the file that its finding names."""
    import numpy as np

    names = ("phase", "stem", "image", "mask")
    for row in columns.table.select(names).take(np.flatnonzero(broken)).to_pylist():
        yield (row["phase"], row["stem"]), file_of(code, row, folder)
