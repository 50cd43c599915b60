"""The shared base of all schemas: strict, frozen, and exact about text."""

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


class Model(BaseModel):
    """A value that can't change and refuses fields it does not know."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        str_strip_whitespace=True,
        use_attribute_docstrings=True,
        serialize_by_alias=True,
    )


def _one_line(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    if any(unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} for char in text):
        raise ValueError("must be one line without control characters")
    return unicodedata.normalize("NFC", text)


Line = Annotated[str, AfterValidator(_one_line), Field(max_length=2000)]
"""One line of text, in Unicode's normal form NFC."""

Word = Annotated[Line, Field(min_length=1, max_length=200)]
"""One line that is not empty."""


class Localized(Model):
    """A text in English and Chinese; where one is missing the other stands in."""

    en: Line = ""
    """In English."""
    zh: Line = ""
    """In Chinese."""

    def text(self, language: str) -> str:
        """Return the text in ``language`` ("en" or "zh"), or in the other one if that is empty."""
        return (self.zh or self.en) if language == "zh" else (self.en or self.zh)
