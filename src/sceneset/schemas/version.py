"""Version records: the contents of a release, and what changed since the previous one."""

import re
from typing import Annotated, NamedTuple, Self

from pydantic import Field

from sceneset.schemas.base import Model
from sceneset.schemas.names import SubsetNameText
from sceneset.schemas.selection import SelectionName
from sceneset.schemas.terms import Kind, Phase

_NUMBER = re.compile(r"(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})")

VersionText = Annotated[str, Field(pattern=f"^{_NUMBER.pattern}$")]


class VersionNumber(NamedTuple):
    """A version number such as 1.2.0; version numbers can be compared."""

    major: int
    minor: int
    patch: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a version number such as ``1.2.0``.

        Raises:
            ValueError: ``text`` is not a version number.
        """
        match = _NUMBER.fullmatch(text)
        if match is None:
            raise ValueError(f"{text!r} is not a version; write three numbers, for example 1.2.0")
        return cls(*(int(part) for part in match.groups()))

    def __str__(self) -> str:
        return ".".join(map(str, self))

    def next(self, step: str) -> "VersionNumber":
        """Return the next major, minor or patch version, as ``step`` says."""
        if step == "major":
            return VersionNumber(self.major + 1, 0, 0)
        if step == "minor":
            return VersionNumber(self.major, self.minor + 1, 0)
        return VersionNumber(self.major, self.minor, self.patch + 1)


class VersionSubset(Model):
    """A subset in a version: its counts, and the hashes of its files."""

    kind: Kind
    """full or crop."""
    samples: dict[Phase, int]
    """Number of samples in each phase."""
    img_dir: str
    """Hash of the image folder, as its .dvc file records it."""
    ann_dir: str
    """Hash of the mask folder, as its .dvc file records it."""
    entry: str
    """Hash of the entry registry/subsets/<subset>.yaml."""
    tags: str
    """Hash of the tags registry/tags/<subset>.csv."""
    splits: str
    """One hash of all split files."""


class VersionSelection(Model):
    """A selection of params.yaml in a version."""

    samples: dict[Phase, int]
    """Number of samples in each phase that has some."""
    digest: str
    """Digest of the list of samples, with the hashes of their images and masks."""


class VersionChanges(Model):
    """What changed since the previous version."""

    step: str
    """The smallest step that the changes allow: major, minor or patch."""
    samples: dict[str, int] = Field(default_factory=dict)
    """Number of samples added, removed, moved, renamed, with changed masks or changed scenes."""
    subsets_added: tuple[str, ...] = ()
    """Names of the subsets added."""
    subsets_removed: tuple[str, ...] = ()
    """Names of the subsets removed."""
    scenes_added: tuple[str, ...] = ()
    """Keys of the scenes added to the vocabulary."""
    scenes_removed: tuple[str, ...] = ()
    """Keys of the scenes removed from the vocabulary."""


class MadeBy(Model):
    """What created a version."""

    sceneset: str
    """The version of sceneset, for example 0.2.0."""
    command: str
    """The command, without its notes."""


class Version(Model):
    """The file registry/versions/<version>.yaml; `sceneset release` writes it."""

    version: VersionText
    """Version number, for example 1.2.0."""
    previous: VersionText | None = None
    """Number of the previous version; null for the first one."""
    notes: str = ""
    """Release notes."""
    state: str
    """Hash of the manifest; no two versions may have the same state and the same selections."""
    samples: int
    """Number of samples in all subsets."""
    subsets: dict[SubsetNameText, VersionSubset]
    """All subsets of the version, by name."""
    selections: dict[SelectionName, VersionSelection] = Field(default_factory=dict)
    """The selections of params.yaml, by name."""
    changes: VersionChanges
    """What changed since the previous version."""
    made_by: MadeBy | None = None
    """What created the version; null in records of releases before 0.2."""
    inputs: dict[str, str] = Field(default_factory=dict)
    """Hash of each file, besides those of subsets, that the state was computed from, by path."""
