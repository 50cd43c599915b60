"""What pages of data cards are made of: sections with texts, tables and code, not yet escaped."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar


class Code(str):
    """A word that pages show in a fixed-width font: the key of a scene, a rule, a commit.

    It has letters, digits and "-", "_", "@", "." only, so it needs no escaping in any format.
    """

    __slots__ = ()


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    kind: ClassVar[str] = "text"
    text: str


@dataclass(frozen=True)
class Heading:
    """A heading inside a section."""

    kind: ClassVar[str] = "heading"
    text: str


@dataclass(frozen=True)
class Facts:
    """Names with texts."""

    kind: ClassVar[str] = "facts"
    rows: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Items:
    """A list of sentences."""

    kind: ClassVar[str] = "items"
    texts: Sequence[str]


@dataclass(frozen=True)
class Table:
    """A table; numbers and texts are shown as they are."""

    kind: ClassVar[str] = "table"
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    numbers: Collection[int] = ()
    """The columns whose cells are aligned to the right."""


@dataclass(frozen=True)
class Program:
    """Lines of code or commands."""

    kind: ClassVar[str] = "program"
    language: str
    lines: Sequence[str]


@dataclass(frozen=True)
class SceneTable:
    """The document's table of a subset: the values of ``cards.subset_values``."""

    kind: ClassVar[str] = "scenes"
    values: dict[str, Any]


@dataclass(frozen=True)
class Chart:
    """A picture as SVG text, of ``charts``. Markdown leaves it out: a table has the numbers too."""

    kind: ClassVar[str] = "chart"
    svg: str
    caption: str


Block = Text | Heading | Facts | Items | Table | Program | SceneTable | Chart


@dataclass(frozen=True)
class Section:
    """A section of a card."""

    anchor: str
    """The id of its heading in HTML."""
    heading: str
    blocks: Sequence[Block] = field(default_factory=list)


def words(language: str, en: str, zh: str) -> str:
    """Return the text in ``language``, "en" or "zh": a sentence with values in it."""
    return zh if language == "zh" else en


def listed(names: Sequence[str], language: str, *, limit: int = 20) -> str:
    """Return names in one line; more than ``limit`` are counted."""
    text = words(language, ", ", "、").join(names[:limit])
    more = len(names) - limit
    if more <= 0:
        return text
    return words(language, f"{text} and {more:,} more", f"{text} 等，另有 {more:,} 个")


def share(part: float) -> str:
    """Return a share from 0 to 1 in percent."""
    return f"{100 * part:.2f} %"
