"""Validation of the names of subsets, samples (stems) and split files."""

import datetime as dt
import re
import unicodedata
from typing import Annotated, Self

from pydantic import AfterValidator

_SUBSET = re.compile(r"CustomSeg_Person_(?P<date>[0-9]{8})_(?P<note>[^\W_][\w-]*)")
_MAX_BYTES = 200  # file systems allow 255, and suffixes are added to names
_WINDOWS_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)
_DIRECTION = re.compile(r"[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_PLAIN_STEM = re.compile(
    rf"(?!{_WINDOWS_RESERVED.pattern}$)[a-z0-9_-][a-z0-9_.-]{{0,{_MAX_BYTES - 1}}}",
    re.IGNORECASE | re.ASCII,
)


class SubsetName(str):
    """The name of a subset, ``CustomSeg_Person_<YYYYMMDD>_<note>``, split into its parts.

    Raises:
        ValueError: the text is not a subset name; the message says how to write one.
    """

    __slots__ = ("date", "note")
    date: dt.date
    note: str

    def __new__(cls, text: str) -> Self:
        """Validate ``text`` and split it into date and note."""
        match = _SUBSET.fullmatch(text)
        if match is None:
            raise ValueError(
                f"{text!r} is not a subset name; write CustomSeg_Person_<YYYYMMDD>_<note>, "
                "where the note has letters, digits, '_' and '-', "
                "for example CustomSeg_Person_20240115_ski"
            )
        if len(text.encode()) > _MAX_BYTES or composed(text) != text:
            raise ValueError(
                f"{text!r} is longer than {_MAX_BYTES} bytes or not in Unicode normal form NFC"
            )
        name = super().__new__(cls, text)
        digits = match["date"]
        try:
            name.date = dt.date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
        except ValueError:
            raise ValueError(
                f"{digits} in {text!r} is not a valid date; write year, month and day as YYYYMMDD"
            ) from None
        name.note = match["note"]
        return name


def _checked_subset_name(text: str) -> str:
    return str(SubsetName(text))


SubsetNameText = Annotated[str, AfterValidator(_checked_subset_name)]
"""The name of a subset, for use in models."""


def composed(text: str) -> str:
    """Return a text in the Unicode normal form NFC, in which names are compared."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def changes_direction(text: str) -> bool:
    """Return whether a text has characters that change its direction (Unicode's Bidi_Control)."""
    return _DIRECTION.search(text) is not None


def invalid_stem_reason(stem: str) -> str | None:
    """Return why ``stem`` can't be the name of a sample on every system, or None if it can.

    mmsegmentation joins the folder, the stripped line of a split file and the suffix. A stem with
    white space at its ends, with a path separator or with a leading dot would therefore name a
    different file, or none.
    """
    if _PLAIN_STEM.fullmatch(stem):  # fast path: true for most stems
        return None
    if not stem or stem != stem.strip():
        return "is empty, or starts or ends with white space, which readers strip"
    try:
        size = len(stem.encode())
    except UnicodeEncodeError:
        return "is not valid UTF-8"
    if size > _MAX_BYTES:
        return f"is longer than {_MAX_BYTES} bytes"
    if "/" in stem or "\\" in stem:
        return "contains a slash, so it names a file in another folder"
    if stem.startswith("."):
        return "starts with a dot, so most readers do not see it"
    if any(unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} for char in stem):
        return "contains a control character"
    if changes_direction(stem):
        return "contains a character that changes the direction of the text, and looks different"
    if _WINDOWS_RESERVED.fullmatch(stem):
        return "is a device name on Windows"
    return None


def _checked_stem(stem: str) -> str:
    reason = invalid_stem_reason(stem)
    if reason:
        raise ValueError(f"{stem!r} {reason}")
    return stem


Stem = Annotated[str, AfterValidator(_checked_stem)]
"""A file name without its suffix, safe to append to a folder."""


def _checked_split_file(name: str) -> str:
    stem, dot, suffix = name.rpartition(".")
    if not dot or suffix != "txt" or invalid_stem_reason(stem):
        raise ValueError(f"{name!r} is not a split file name; write a plain name such as ski.txt")
    return name


SplitFile = Annotated[str, AfterValidator(_checked_split_file)]
"""The name of a split file, ``<name>.txt``, without a folder."""
