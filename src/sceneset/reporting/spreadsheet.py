"""Texts of other people in CSV files that spreadsheets open."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠")
"""What a spreadsheet takes for the start of a formula, also in full width."""


def cell_text(value: object) -> object:
    """Return a value for a CSV file; a text like a formula begins with an apostrophe."""
    if isinstance(value, int):
        return value
    text = str(value or "")
    return f"'{text}" if text.startswith(_FORMULA) else text
