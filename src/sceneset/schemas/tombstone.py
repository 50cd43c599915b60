"""Tombstones: images that were withdrawn, known by their hashes alone."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from sceneset.schemas.base import Model, Word
from sceneset.schemas.scan_row import Md5

Hash64 = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]


class Tombstone(Model):
    """One image that was withdrawn: it is kept out, and left out of what older versions hold."""

    image: Md5
    """Content hash of the image file."""
    phash: Hash64
    """Its perceptual hash: copies that were encoded anew are told by it."""
    phash_mirror: Hash64
    """The same of the mirrored image."""
    masks: tuple[Md5, ...] = ()
    """Masks it had that no other image had then: a later purge deletes them too."""
    reason: Word
    """Why, in a line. Name no person here: git keeps it."""


class Forgotten(Model):
    """registry/forgotten.yaml; `sceneset forget` writes it."""

    forgotten: tuple[Tombstone, ...] = ()
    """Sorted by image."""

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        hashes = [stone.image for stone in self.forgotten]
        if len(set(hashes)) < len(hashes):
            raise ValueError("an image is named twice")
        return self
