"""A version's record: what a pinned state holds, and what changed since the one before."""

import re
from typing import Annotated, NamedTuple, Self

from pydantic import Field

from sceneset.schemas.base import Model
from sceneset.schemas.names import SubsetNameText
from sceneset.schemas.terms import Kind, Phase

_NUMBER = re.compile(r"(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})")

VersionText = Annotated[str, Field(pattern=f"^{_NUMBER.pattern}$")]


class Number(NamedTuple):
    """A version number, ordered."""

    major: int
    minor: int
    patch: int

    @classmethod
    def of(cls, text: str) -> Self:
        """Read ``1.2.0``; raise ValueError if it is none."""
        match = _NUMBER.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is no version; write three numbers, for example 1.2.0")
        return cls(*(int(part) for part in match.groups()))

    def __str__(self) -> str:
        return ".".join(map(str, self))

    def next(self, step: str) -> "Number":
        """Return the number one ``step`` (major, minor or patch) further."""
        if step == "major":
            return Number(self.major + 1, 0, 0)
        if step == "minor":
            return Number(self.major, self.minor + 1, 0)
        return Number(self.major, self.minor, self.patch + 1)


class VersionSubset(Model):
    """A subset in a version: its counts, and the digests that pin it."""

    kind: Kind
    samples: dict[Phase, int]
    img_dir: str
    """The hash its .dvc file records."""
    ann_dir: str
    entry: str
    tags: str
    splits: str
    """One digest of all split files."""


class VersionChanges(Model):
    """What changed since the version before."""

    step: str
    """The least step the changes ask for: major, minor or patch."""
    samples: dict[str, int] = Field(default_factory=dict)
    """Number of samples added, removed, moved, renamed, with another mask, in other scenes."""
    subsets_added: tuple[str, ...] = ()
    subsets_removed: tuple[str, ...] = ()
    scenes_added: tuple[str, ...] = ()
    scenes_removed: tuple[str, ...] = ()


class Version(Model):
    """registry/versions/<version>.yaml."""

    version: VersionText
    previous: VersionText | None = None
    notes: str = ""
    state: str
    """Digest of the manifest: two versions of one state can't be."""
    samples: int
    subsets: dict[SubsetNameText, VersionSubset]
    changes: VersionChanges
