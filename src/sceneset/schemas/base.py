"""The base model of all schemas, and the text types that they share."""

import unicodedata
from collections.abc import Iterable
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


class Model(BaseModel):
    """Base model: immutable, and rejects unknown fields."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        str_strip_whitespace=True,
        use_attribute_docstrings=True,
        serialize_by_alias=True,
    )


def share_field_sets(models: Iterable[Model]) -> None:
    """Let models that set the same fields share the set of them: it is half of their memory."""
    shared: set[str] | None = None
    for model in models:
        shared = model.__pydantic_fields_set__ if shared is None else shared
        object.__setattr__(model, "__pydantic_fields_set__", shared)


def _one_line(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    if any(unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} for char in text):
        raise ValueError("must be one line without control characters")
    return unicodedata.normalize("NFC", text)


Line = Annotated[str, AfterValidator(_one_line), Field(max_length=2000)]
"""One line of text, converted to Unicode normal form NFC. It may be empty."""

Word = Annotated[Line, Field(min_length=1, max_length=200)]
"""One line of 1 to 200 characters."""


class Localized(Model):
    """A text in English and Chinese. If one language is empty, the other one is shown."""

    en: Line = ""
    """The English text."""
    zh: Line = ""
    """The Chinese text."""

    def text(self, language: str) -> str:
        """Return the text in ``language`` ("en" or "zh"), or the other one if that is empty."""
        return (self.zh or self.en) if language == "zh" else (self.en or self.zh)
