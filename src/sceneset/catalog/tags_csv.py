"""Read tags from CSV files, reporting every error with its line, and write them as CSV."""

import gc
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from operator import attrgetter
from pathlib import Path

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from sceneset.counts import counted
from sceneset.errors import FindingsError, fail
from sceneset.schemas.base import share_field_sets
from sceneset.schemas.finding import MAX_ALIKE, capped, finding
from sceneset.schemas.tag import Tag
from sceneset.schemas.terms import Phase
from sceneset.storage.csv_rows import BrokenRowError, csv_rows, csv_text
from sceneset.storage.files import read_text
from sceneset.storage.yaml_files import schema_finding

COLUMNS = tuple(Tag.model_fields)
_TAGS = TypeAdapter(list[Tag])
_BATCH = 10_000  # rows that are validated together
_MANY = 100_000  # rows; reading fewer takes a second
_MAX_ERRORS = 100_000
"""After more errors the rest of a file is not read."""
_MAX_SHOWN = 300  # characters


def read_tags(
    path: Path,
    shown: str,
    *,
    subset: str = "",
    hint: str = "",
    samples: Callable[[], int | None] | None = None,
) -> list[Tag]:
    """Return the tags of a subset, in the order of the file.

    Args:
        path: The CSV file.
        shown: The path in messages.
        subset: The subset's name in messages.
        hint: The hint if the file is missing or can't be read.
        samples: Returns the number of samples that the subset has, if it is known. A large file
            with far more rows is refused before its rows are parsed.

    Raises:
        FindingsError: All errors of the file, each with line, column and hint.
    """
    text = read_text(path, shown, hint=hint)
    if samples and (rows := text.count("\n")) > _MANY:
        _refuse_too_many(rows, samples(), shown, subset)
    return _parse(text, shown, subset)[0]


def _refuse_too_many(rows: int, samples: int | None, shown: str, subset: str) -> None:
    if samples is not None and rows > _MANY + 2 * samples:
        fail(
            "tag-without-image",
            f"has {rows:,} rows, but the scan has {counted(samples, 'sample')}",
            subset=subset,
            file=shown,
            hint=f"restore the file with git; after adding images, run `dvc repro scan@{subset}`",
        )


def tags_with_lines(
    path: Path, shown: str, *, skipped: Sequence[str] = ()
) -> list[tuple[Tag, int]]:
    """Return the tags of a subset, each with its line number; see `read_tags`.

    Args:
        path: The CSV file.
        shown: The path in messages.
        skipped: Columns that the file may have and that are not read.
    """
    tags, lines = _parse(read_text(path, shown), shown, "", skipped)
    return list(zip(tags, lines, strict=True))


def parse_tags(text: str, shown: str, *, subset: str = "") -> list[tuple[Tag, int]]:
    """Return the tags in the text of a file, each with its line number; see `read_tags`."""
    tags, lines = _parse(text, shown, subset)
    return list(zip(tags, lines, strict=True))


def _parse(
    text: str, shown: str, subset: str, skipped: Sequence[str] = ()
) -> tuple[list[Tag], "array[int]"]:
    """Return the tags in the text of a file and their line numbers."""
    reader = _Reader(text, shown, subset, skipped)
    tags: list[Tag] = []
    lines = array("q")
    invalid: list[tuple[ErrorDetails, int]] = []
    errors = 0
    with _paused_garbage_collection():
        for rows, numbers in reader.batches():
            try:
                tags += _TAGS.validate_python(rows)
            except ValidationError as error:
                errors += error.error_count()
                if len(invalid) < MAX_ALIKE:
                    details = error.errors(include_url=False, include_context=False)
                    invalid += [(d, numbers[int(d["loc"][0])]) for d in details[:MAX_ALIKE]]
            lines.extend(numbers)
            if errors > _MAX_ERRORS:
                break
    reader.raise_findings()
    if errors:
        raise FindingsError(
            capped(
                invalid,
                lambda found: schema_finding(
                    found[0] | {"loc": found[0]["loc"][1:]}, Tag, shown, found[1], subset
                ),
                total=errors,
                is_complete=errors <= _MAX_ERRORS,
            )
        )
    share_field_sets(tags)
    _refuse_duplicates(tags, lines, shown, subset)
    return tags, lines


def _refuse_duplicates(tags: Sequence[Tag], lines: Sequence[int], shown: str, subset: str) -> None:
    by_phase: dict[Phase, set[str]] = {phase: set() for phase in Phase}
    for tag in tags:
        by_phase[tag.phase].add(tag.stem)
    if sum(map(len, by_phase.values())) == len(tags):
        return
    first_line: dict[tuple[str, str], int] = {}
    duplicates: list[tuple[Tag, int]] = []
    for tag, line in zip(tags, lines, strict=True):
        if tag.key in first_line:
            duplicates.append((tag, line))
        first_line.setdefault(tag.key, line)
    raise FindingsError(
        capped(
            duplicates,
            lambda found: finding(
                "tag-duplicate",
                f"{found[0].phase} {found[0].stem!r} already has a row on line "
                f"{first_line[found[0].key]}",
                subset=subset,
                file=shown,
                row=found[1],
                hint="write all scenes of a sample in one row, separated by ';'",
            ),
        )
    )


@contextmanager
def _paused_garbage_collection() -> Iterator[None]:
    """Pause garbage collection, which would visit all rows again and again and free none."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


class _Reader:
    """Reads the rows of a CSV text in batches, and keeps what is wrong with its form."""

    def __init__(self, text: str, shown: str, subset: str, skipped: Sequence[str] = ()) -> None:
        self._text, self._shown, self._subset, self._skipped = text, shown, subset, skipped
        self._broken: list[tuple[str, str, int]] = []
        """Messages, hints and lines of the first broken rows."""
        self._count = 0
        """The number of broken rows."""

    def batches(self) -> Iterator[tuple[list[dict[str, str]], list[int]]]:
        """Yield rows and their line numbers; after a broken row, look only for broken rows."""
        rows = csv_rows(self._text)
        try:
            header = [name.strip() for name in next(rows, (1, []))[1]]
            if self._is_header(header):
                yield from self._batches(rows, header)
        except BrokenRowError as error:
            self._report(str(error), error.hint, error.line)

    def _batches(
        self, source: Iterable[tuple[int, list[str]]], header: Sequence[str]
    ) -> Iterator[tuple[list[dict[str, str]], list[int]]]:
        rows: list[dict[str, str]] = []
        lines: list[int] = []
        for line, row in source:
            if len(row) == len(header):
                values = dict(zip(header, row, strict=True))
                for name in self._skipped:
                    values.pop(name, None)
                rows.append(values)
                lines.append(line)
                if len(rows) == _BATCH:
                    if not self._count:
                        yield rows, lines
                    rows, lines = [], []
            elif row:
                self._report(
                    f"{len(row)} values for {len(header)} columns",
                    "put quotes around values that contain a comma",
                    line,
                )
                if self._count > _MAX_ERRORS:
                    return
        if rows and not self._count:
            yield rows, lines

    def _is_header(self, header: Sequence[str]) -> bool:
        unknown = [name for name in header if name not in {*COLUMNS, *self._skipped}]
        if not unknown and {"phase", "stem"} <= set(header) and len(set(header)) == len(header):
            return True
        columns = ", ".join(header) or "missing"
        if len(columns) > _MAX_SHOWN:
            columns = f"{columns[:_MAX_SHOWN]}..."
        self._report(f"the columns are {columns}", f"write this first line: {','.join(COLUMNS)}", 1)
        return False

    def _report(self, message: str, hint: str, line: int) -> None:
        self._count += 1
        if self._count <= MAX_ALIKE:
            self._broken.append((message, hint, line))

    def raise_findings(self) -> None:
        """Raise the findings on broken rows, if there are any."""
        found = capped(
            self._broken,
            lambda broken: finding(
                "csv-broken",
                broken[0],
                subset=self._subset,
                file=self._shown,
                row=broken[2],
                hint=broken[1],
            ),
            total=self._count,
            is_complete=self._count <= _MAX_ERRORS,
        )
        if found:
            raise FindingsError(found)


def tags_text(tags: Iterable[Tag]) -> str:
    """Return tags as CSV, sorted by phase and stem, with LF line ends and fixed columns.

    The last column, origin, is written only if a tag has a value for it, which only crops do.
    """
    ordered = sorted(tags, key=attrgetter("phase", "stem"))
    columns = COLUMNS if any(tag.origin for tag in ordered) else COLUMNS[:-1]
    fields = (tag.model_dump() for tag in ordered)
    return csv_text(columns, ([values[name] for name in columns] for values in fields))
