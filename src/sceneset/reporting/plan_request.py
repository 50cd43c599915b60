"""The list of images to ask a vendor for, as a CSV file that spreadsheets open."""

from sceneset.catalog.subset_folder import printable
from sceneset.reporting.plan_values import Plan, Request
from sceneset.reporting.spreadsheet import cell_text
from sceneset.schemas.scene import Vocabulary
from sceneset.storage.csv_rows import csv_text

COLUMNS = (
    *("scene", "name_en", "name_zh", "persons", "phase", "images", "sources"),
    *("why_en", "why_zh", "description_en", "description_zh"),
)
_BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"  # without it, Excel reads Chinese in the wrong encoding
_FOR_VENDORS = {"empty", "short", "source", "repeats"}
"""Reasons that say what to deliver. How a model does, or what is not recorded, is nobody's business
outside."""


def request_text(plan: Plan, vocabulary: Vocabulary) -> str:
    """Return the file: one row for each scene, number of persons and phase, the most urgent first.

    Texts that a spreadsheet would take for a formula begin with an apostrophe.
    """
    rows = (map(cell_text, _row(request, vocabulary)) for request in plan.requests())
    return _BOM + csv_text(COLUMNS, rows, line_end="\r\n")


def _row(request: Request, vocabulary: Vocabulary) -> tuple[object, ...]:
    cell, phase = request.cell, request.phase
    name = vocabulary.by_key[cell.scene].name
    described = vocabulary.describe(cell.scene, cell.persons, phase)
    own = [one for one in cell.reasons if one.phase is phase]
    why = [one.text for one in own if one.kind in _FOR_VENDORS] or [
        one.text for one in own if one.kind == "consent"
    ]
    return (
        *(cell.scene, printable(name.en), printable(name.zh), cell.persons, phase),
        *(request.images, request.sources),
        *("; ".join(text.en for text in why), "；".join(text.zh for text in why)),
        *(printable(described.en), printable(described.zh)),
    )
