"""Provenance: the licence of samples, where they come from, who consented, and what is restricted.

docs/people.md says what each field is for. Name no person in them: git keeps these texts forever.
"""

import datetime as dt
import re
from enum import StrEnum
from typing import Annotated, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from sceneset.schemas.base import Line, Model, Word
from sceneset.schemas.names import invalid_stem_reason
from sceneset.schemas.terms import Phase

_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_URL = re.compile(r"https?://[^\s/?#@]+([/?#]\S*)?")


def _iso_date(value: object) -> object:
    """Return a date as YAML reads it, or one written YYYY-MM-DD; refuse numbers and times."""
    is_date = isinstance(value, dt.date) and not isinstance(value, dt.datetime)
    if is_date or (isinstance(value, str) and _ISO.fullmatch(value)):
        return value
    raise ValueError("write a date as YYYY-MM-DD")


def _checked_url(text: str) -> str:
    if text and not _URL.fullmatch(text):
        raise ValueError(f"{text!r}: write a URL that begins with http:// or https://, no password")
    return text


def _checked_sample(text: str) -> str:
    phase, slash, stem = text.rpartition("/")
    if slash and phase not in set(Phase):
        raise ValueError(f"{text!r}: write phase/stem, for example train/0001, or a stem")
    if reason := invalid_stem_reason(stem):
        raise ValueError(f"{stem!r} {reason}")
    return text


Date = Annotated[dt.date, BeforeValidator(_iso_date)]
"""A day, YYYY-MM-DD."""

Licence = Annotated[Line, Field(min_length=1)]
"""An SPDX identifier or expression such as CC-BY-4.0, or the terms in one line."""

SampleName = Annotated[Word, AfterValidator(_checked_sample)]
"""A sample as phase/stem; a stem alone names the samples of this stem in all phases."""


class OriginKind(StrEnum):
    """How images came to the registry."""

    OWN_CAMERA = "own-camera"
    """Taken by the owner of the registry."""
    VENDOR = "vendor"
    """Delivered by a company that took or bought them."""
    CRAWL = "crawl"
    """Downloaded from web pages."""
    DATASET = "dataset"
    """Taken from a published dataset."""
    DRAWN = "drawn"
    """Drawn, rendered or generated."""
    OTHER = "other"


class Basis(StrEnum):
    """Why the pictures of persons may be used."""

    CONSENT = "consent"
    """The persons agreed."""
    CONTRACT = "contract"
    """A contract with the persons, for example with actors."""
    LICENCE = "licence"
    """The licence or the provider warrants that the persons agreed."""
    LEGITIMATE_INTEREST = "legitimate-interest"
    """An interest that was weighed against those of the persons."""
    NO_PERSONS = "no-persons"
    """No real person is shown."""


class Restriction(StrEnum):
    """What must not be done with samples."""

    NO_RELEASE = "no-release"
    """They may not be in a version: `sceneset release` refuses."""
    INTERNAL = "internal"
    """For users of the repository itself: reading it by URL leaves them out."""
    NO_EXPORT = "no-export"
    """`sceneset export` leaves them out."""


class Origin(Model):
    """Where images come from."""

    kind: OriginKind
    """own-camera, vendor, crawl, dataset, drawn or other."""
    name: Line = ""
    """The vendor, site, dataset or camera."""
    url: Annotated[Line, AfterValidator(_checked_url)] = ""
    """A page about it."""
    start: Date | None = None
    """The day of the first image, or of the delivery."""
    end: Date | None = None
    """The day of the last image."""

    @model_validator(mode="after")
    def _ends_after_start(self) -> Self:
        if self.start and self.end and self.end < self.start:
            raise ValueError(f"end {self.end} is before start {self.start}")
        return self


class Consent(Model):
    """Why the pictures of persons may be used, and until when."""

    basis: Basis
    """consent, contract, licence, legitimate-interest or no-persons."""
    until: Date | None = None
    """The last day on which it holds. Default: no end."""
    document: Line = ""
    """Where the signed forms or the assessment are kept, for example a case number."""

    @model_validator(mode="after")
    def _ends_if_there_are_persons(self) -> Self:
        if self.basis is Basis.NO_PERSONS and self.until:
            raise ValueError("no-persons needs no consent, so it has no end: leave until out")
        return self


def _distinct(restrictions: tuple[Restriction, ...]) -> tuple[Restriction, ...]:
    if len(set(restrictions)) < len(restrictions):
        raise ValueError("a restriction is listed twice")
    return restrictions


Restrictions = Annotated[tuple[Restriction, ...], AfterValidator(_distinct)]
"""no-release, internal, no-export: each at most once."""


class ProvenanceException(Model):
    """What differs for some samples; fields that are left out are those of the subset."""

    samples: tuple[SampleName, ...] = ()
    """The samples, each as phase/stem, or as a stem for all phases."""
    sources: tuple[Word, ...] = ()
    """All samples of these sources (the column of the tags), compared as leak-source does."""
    licence: Licence | None = None
    """As in the subset's provenance, like the fields below."""
    origin: Origin | None = None
    consent: Consent | None = None
    contact: Word | None = None
    restrictions: Restrictions | None = None
    """All restrictions of these samples; [] lifts those of the subset."""

    @model_validator(mode="after")
    def _names_samples_and_differs(self) -> Self:
        if not (self.samples or self.sources):
            raise ValueError("give samples, sources or both")
        if not self.changes:
            raise ValueError(f"give at least one of {', '.join(_FIELDS)}")
        return self

    @property
    def changes(self) -> dict[str, object]:
        """The fields that differ, with their values."""
        values = {name: getattr(self, name) for name in _FIELDS}
        return {name: value for name, value in values.items() if value is not None}


class Provenance(Model):
    """Whose data the samples of a subset are."""

    licence: Licence | None = None
    """An SPDX identifier or expression such as CC-BY-4.0, or the terms in one line."""
    origin: Origin | None = None
    """Where the images come from."""
    consent: Consent | None = None
    """Why the pictures of persons may be used, and until when."""
    contact: Word | None = None
    """Who answers questions and requests: a role or a mailbox, not a person."""
    restrictions: Restrictions = ()
    """What must not be done with the samples: no-release, internal, no-export."""
    exceptions: tuple[ProvenanceException, ...] = ()
    """Samples for which fields differ. If several name one sample, the later one counts."""

    def with_exceptions(self, exceptions: tuple[ProvenanceException, ...]) -> "Provenance":
        """Return what holds for samples that these exceptions name, in this order."""
        changes: dict[str, object] = {"exceptions": ()}
        for exception in exceptions:
            changes |= exception.changes
        return self.model_copy(update=changes)


def missing_fields(provenance: Provenance | None) -> list[str]:
    """Return the fields that the rule entry-provenance requires and that are not given."""
    return [name for name in REQUIRED if getattr(provenance, name, None) is None]


REQUIRED = ("licence", "origin", "consent", "contact")
"""The fields that the rule entry-provenance requires."""

_FIELDS = (*REQUIRED, "restrictions")
