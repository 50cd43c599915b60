"""Tombstones: records of withdrawn images.

A tombstone holds only hashes, so that the registry can reject an image without keeping it.
"""

from typing import Annotated, Self

from pydantic import Field, model_validator

from sceneset.schemas.base import Model, Word
from sceneset.schemas.scan_row import Md5

Hash64 = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]


class Tombstone(Model):
    """One withdrawn image: it can't be added again, and older versions are read without it."""

    image: Md5
    """MD5 hash of the image file."""
    phash: Hash64
    """Perceptual hash of the image, 16 hex digits: it also finds re-encoded copies."""
    phash_mirror: Hash64
    """Perceptual hash of the mirrored image."""
    picture: Md5 | None = None
    """Digest of the image's decoded pixels as shown, as in the scan: it also finds files with other
    metadata."""
    masks: tuple[Md5, ...] = ()
    """MD5 hashes of its masks that no other image used; a later purge deletes them too."""
    reason: Word
    """Why the image was withdrawn, in one line. Name no person: git keeps this text forever."""


class TombstoneFile(Model):
    """The file registry/forgotten.yaml; `sceneset forget` writes it."""

    forgotten: tuple[Tombstone, ...] = ()
    """All withdrawn images, sorted by the hash of the image."""

    @model_validator(mode="after")
    def _images_are_unique(self) -> Self:
        images = [tombstone.image for tombstone in self.forgotten]
        if len(set(images)) < len(images):
            raise ValueError("an image is listed twice")
        return self
