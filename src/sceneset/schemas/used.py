"""The log registry/used.csv: which runs used which version."""

from typing import Annotated

from pydantic import AfterValidator, Field

from sceneset.schemas.base import Line, Model
from sceneset.schemas.version import VersionText


def _checked_run(text: str) -> str:
    scheme, separator, rest = text.partition("://")
    if not separator or not scheme.isalnum() or not rest or any(map(str.isspace, text)):
        raise ValueError(f"{text!r} is no URL; write one such as https://example.com/runs/17")
    return text


class UsedRow(Model):
    """One row of registry/used.csv: a run, and what it used."""

    version: VersionText
    """Version number, for example 1.2.0."""
    selection: Line = ""
    """Name of a selection or key of a scene; empty for all samples."""
    run: Annotated[Line, AfterValidator(_checked_run), Field(max_length=1000)]
    """URL of the run, without credentials."""
    digest: Line = ""
    """Digest of the selection in the version's record; empty for scenes and for all samples."""
