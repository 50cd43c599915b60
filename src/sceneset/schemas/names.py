"""Names: what a subset, a stem and a split file may be called, and why not."""

import datetime as dt
import re
import unicodedata
from typing import Annotated, Self

from pydantic import AfterValidator

_SUBSET = re.compile(r"CustomSeg_Person_(?P<date>[0-9]{8})_(?P<note>[^\W_][\w-]*)")
_LONGEST = 200  # bytes: file systems stop at 255, and suffixes are added to names
_WINDOWS_RESERVED = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)
_PLAIN_STEM = re.compile(
    rf"(?!{_WINDOWS_RESERVED.pattern}$)[a-z0-9_-][a-z0-9_.-]{{0,{_LONGEST - 1}}}",
    re.IGNORECASE | re.ASCII,
)


class SubsetName(str):
    """A subset's name, ``CustomSeg_Person_<YYYYMMDD>_<note>``, taken apart.

    Raises:
        ValueError: the text is no such name; the message says what to write instead.
    """

    __slots__ = ("date", "note")
    date: dt.date
    note: str

    def __new__(cls, text: str) -> Self:
        """Check ``text`` and take it apart."""
        match = _SUBSET.fullmatch(text)
        if match is None:
            raise ValueError(
                f"{text!r} is not a subset name; write CustomSeg_Person_<YYYYMMDD>_<note>, "
                "the note in letters, digits, '_' and '-', "
                "for example CustomSeg_Person_20240115_ski"
            )
        if len(text.encode()) > _LONGEST or unicodedata.normalize("NFC", text) != text:
            raise ValueError(f"{text!r} is too long or not in Unicode's normal form NFC")
        name = super().__new__(cls, text)
        digits = match["date"]
        try:
            name.date = dt.date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
        except ValueError:
            raise ValueError(
                f"{digits} in {text!r} is no date of the calendar; write year, month and day "
                "as YYYYMMDD"
            ) from None
        name.note = match["note"]
        return name


def _checked_subset_name(text: str) -> str:
    return str(SubsetName(text))


SubsetNameText = Annotated[str, AfterValidator(_checked_subset_name)]
"""A pydantic field that holds a subset's name."""


def stem_fault(stem: str) -> str | None:
    """Say why ``stem`` can't name a sample everywhere, or return None if it can.

    mmsegmentation joins folder + stripped line + suffix, so a stem that is stripped,
    that climbs out of its folder or that hides from a glob names another file or none.
    """
    if _PLAIN_STEM.fullmatch(stem):  # most are: nothing else is to be looked at
        return None
    if not stem or stem != stem.strip():
        return "is empty, or begins or ends with white space (readers strip it)"
    try:
        size = len(stem.encode())
    except UnicodeEncodeError:
        return "is not UTF-8"
    if size > _LONGEST:
        return f"is longer than {_LONGEST} bytes"
    if "/" in stem or "\\" in stem:
        return "holds a slash: it names a file in another folder"
    if stem.startswith("."):
        return "begins with a dot: it is hidden from most readers"
    if any(unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} for char in stem):
        return "holds a control character"
    if _WINDOWS_RESERVED.fullmatch(stem):
        return "is a device name on Windows"
    return None


def _checked_stem(stem: str) -> str:
    fault = stem_fault(stem)
    if fault:
        raise ValueError(f"{stem!r} {fault}")
    return stem


Stem = Annotated[str, AfterValidator(_checked_stem)]
"""A file's name without its suffix, safe to join to a folder."""


def _checked_split_file(name: str) -> str:
    stem, dot, suffix = name.rpartition(".")
    if not dot or suffix != "txt" or stem_fault(stem):
        raise ValueError(f"{name!r} can't name a split file; write a plain name such as ski.txt")
    return name


SplitFile = Annotated[str, AfterValidator(_checked_split_file)]
"""A split file's name, ``<something>.txt``, without a folder."""
