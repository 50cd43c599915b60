"""Read and write CSV files of records: one model on each line, all columns in a fixed order.

Commands write these files, and git may merge them; people only read them. Tags, which people edit,
are read in `sceneset.catalog.tags_csv`.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from itertools import chain, islice
from types import GenericAlias
from typing import Any, NoReturn, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from sceneset.errors import FindingsError, fail
from sceneset.schemas.base import Model, share_field_sets
from sceneset.schemas.finding import MAX_ALIKE, capped
from sceneset.storage.csv_rows import BrokenRowError, csv_rows, csv_text
from sceneset.storage.yaml_files import schema_finding

_Row = TypeVar("_Row", bound=Model)
_BATCH = 10_000  # rows that are validated together
_MAX_ERRORS = 100_000
"""After more errors the rest of a file is not read."""


def models_text(model: type[_Row], rows: Iterable[_Row]) -> str:
    """Return rows as CSV, in their order, with LF line ends."""
    columns = tuple(model.model_fields)
    fields = (row.model_dump(mode="json") for row in rows)
    return csv_text(columns, ([values[name] for name in columns] for values in fields))


def read_models(
    text: str, model: type[_Row], shown: str, *, hint: str, subset: str = ""
) -> Iterator[_Row]:
    """Yield the rows in the text of a file as they are, many at a time.

    Args:
        text: The content of the file; its first line must name all columns.
        model: The model of a row.
        shown: The path in messages.
        hint: How to fix a file that has other columns or is no CSV.
        subset: The subset's name in messages.

    Raises:
        FindingsError: The text has no such rows; the first errors, each with its line.
    """
    return chain.from_iterable(_batches(text, model, shown, hint, subset))


def _batches(
    text: str, model: type[_Row], shown: str, hint: str, subset: str
) -> Iterator[list[_Row]]:
    """Yield the rows in batches; after a row with an error, look only for errors."""
    invalid: list[tuple[ErrorDetails, int]] = []
    errors = 0
    rows = _values(text, tuple(model.model_fields), shown, hint, subset)
    while (batch := list(islice(rows, _BATCH))) and errors <= _MAX_ERRORS:
        try:
            found = _adapter(model).validate_python([values for _, values in batch])
            share_field_sets(found)
            if not errors:
                yield found
        except ValidationError as error:
            errors += error.error_count()
            details = error.errors(include_url=False)[: MAX_ALIKE - len(invalid)]
            invalid += [(detail, batch[int(detail["loc"][0])][0]) for detail in details]
    if errors:
        raise FindingsError(
            capped(
                invalid,
                lambda at: schema_finding(
                    at[0] | {"loc": at[0]["loc"][1:]}, model, shown, at[1], subset
                ),
                total=errors,
                is_complete=errors <= _MAX_ERRORS,
            )
        )


@cache
def _adapter(model: type[Model]) -> TypeAdapter[Any]:
    rows: Any = GenericAlias(list, (model,))  # mypy reads no list[model] of a variable
    return TypeAdapter(rows)


def _values(
    text: str, columns: tuple[str, ...], shown: str, hint: str, subset: str
) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the number of each line with its values."""

    def refuse(line: int, message: str) -> NoReturn:
        fail("csv-broken", message, subset=subset, file=shown, row=line or 1, hint=hint)

    try:
        rows = csv_rows(text)
        if tuple(next(rows, (1, []))[1]) != columns:
            refuse(1, f"the first line is not {','.join(columns)}")
        for line, row in rows:
            if len(row) == len(columns):
                yield line, dict(zip(columns, row, strict=True))
            elif row:
                refuse(line, f"{len(row)} values for {len(columns)} columns")
    except BrokenRowError as error:
        refuse(error.line, str(error))


def read_merged_models(text: str, model: type[_Row], shown: str) -> set[_Row]:
    """Return the different rows of a small file that git merges by `merge=union`.

    Args:
        text: The content of the file. It may repeat its first line; values at the end of a row may
            be missing if their fields have a default.
        model: The model of a row.
        shown: The path in messages.

    Raises:
        FindingsError: The text has no such rows; the first errors, each with its line.
    """
    columns = tuple(model.model_fields)
    rows: set[_Row] = set()
    errors: list[tuple[int, ErrorDetails]] = []
    try:
        for line, values in csv_rows(text):
            if not values or tuple(values) == columns:
                continue
            fields = dict(zip(columns, values, strict=False))
            if len(values) > len(columns):
                fields["more"] = values[len(columns)]
            try:
                rows.add(model.model_validate(fields))
            except ValidationError as error:
                errors += [(line, detail) for detail in error.errors(include_url=False)]
                if len(errors) > MAX_ALIKE:  # a file of something else: a million lines are wrong
                    break
    except BrokenRowError as error:
        fail("csv-broken", str(error), file=shown, row=error.line, hint=error.hint)
    if errors:
        raise FindingsError(capped(errors, lambda at: schema_finding(at[1], model, shown, at[0])))
    return rows
